/* SPDX-License-Identifier: MIT */
#include "keeper/reaper.h"

#include <errno.h>
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

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, WNOHANG) < 0 && errno == EINTR) {
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
		} else if (is_full(ring)) {
			left = true;
			continue;
		} else {
			record(ring, &si);
			poke = true;
		}
		reap(si.si_pid);
	}
	uint64_t one = 1;
	if (poke && write(event_fd, &one, sizeof(one)) < 0) {
		errno = 0; /* the counter is at its limit: the supervisor is woken anyway */
	}
	return left;
}
