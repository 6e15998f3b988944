/* SPDX-License-Identifier: MIT */
#include "keeper/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "sys/proc.h"

static int status_word(const siginfo_t *si)
{
	if (si->si_code == CLD_EXITED) {
		return (si->si_status & 0xff) << 8;
	}
	return (si->si_status & 0x7f) | (si->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void record(struct ring *ring, const siginfo_t *si)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	struct proc_stat st;
	ring->rec[head % RING_SIZE] = (struct ring_record){
		.pid = si->si_pid,
		.status = status_word(si),
		.starttime = proc_read_stat(si->si_pid, &st) ? st.starttime : 0,
		.real_ms = clock_real_ms(),
		.mono_ms = clock_mono_ms(),
	};
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

static bool is_full(const struct ring *ring)
{
	return atomic_load(&ring->head) - atomic_load(&ring->tail) >= RING_SIZE;
}

/* What the supervisor has started is the leader of a session; an orphan that is not has nobody who
 * wants to know how it ended. */
static bool is_orphan(pid_t pid)
{
	struct proc_stat st;
	return proc_read_stat(pid, &st) && st.session != pid;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, WNOHANG) < 0 && errno == EINTR) {
	}
}

static void reap_if_orphan(pid_t pid, pid_t supervisor)
{
	siginfo_t si = {0};
	if (pid > 0 && pid != supervisor &&
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid == pid &&
	    is_orphan(pid)) {
		reap(pid);
	}
}

/* Those behind one that has to be left: waitid(2) would give us that one again and again. */
static void reap_orphans(pid_t supervisor)
{
	char text[4096];
	pid_t pid = 0;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	for (ssize_t n; fd >= 0 && (n = read(fd, text, sizeof(text))) > 0;) {
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
			} else {
				reap_if_orphan(pid, supervisor);
				pid = 0;
			}
		}
	}
	if (fd >= 0) {
		close(fd);
	}
}

bool reaper_run(struct ring *ring, int event_fd, pid_t supervisor, bool *supervisor_died,
		int *supervisor_status)
{
	bool poke = false;
	bool left = false;
	for (;;) {
		siginfo_t si = {0};
		idtype_t which = left ? P_PID : P_ALL;
		if (left && supervisor <= 0) {
			break;
		}
		int r = waitid(which, left ? (id_t)supervisor : 0, &si,
			       WEXITED | WNOHANG | WNOWAIT);
		if (r < 0 && errno == EINTR) {
			continue;
		}
		if (r < 0 || si.si_pid == 0) {
			break;
		}
		if (si.si_pid == supervisor) {
			*supervisor_died = true;
			*supervisor_status = status_word(&si);
			supervisor = 0;
		} else if (!is_full(ring)) {
			record(ring, &si);
			poke = true;
		} else if (!is_orphan(si.si_pid)) {
			left = true;
			continue;
		}
		reap(si.si_pid);
	}
	if (left) {
		reap_orphans(supervisor);
	}
	uint64_t one = 1;
	if (poke && write(event_fd, &one, sizeof(one)) < 0) {
		errno = 0; /* the counter is at its limit: the supervisor is woken anyway */
	}
	return left;
}
