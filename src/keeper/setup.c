/* SPDX-License-Identifier: MIT */
#include "keeper/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/sigignore.h"

#define FILES_WANTED 65536

static struct ring *map(int fd)
{
	struct ring *r = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return r == MAP_FAILED ? NULL : r;
}

struct ring *setup_ring(int *ring_fd, int *event_fd)
{
	*ring_fd = memfd_create("pmctl-ring", MFD_CLOEXEC);
	*event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*ring_fd < 0 || *event_fd < 0 || ftruncate(*ring_fd, sizeof(struct ring)) != 0) {
		return NULL;
	}
	struct ring *ring = map(*ring_fd);
	if (!ring) {
		return NULL;
	}
	ring->protocol = KEEPER_PROTOCOL;
	ring->started_mono_ms = clock_mono_ms();
	setup_program(ring);
	return ring;
}

void setup_program(struct ring *ring)
{
	static const char gone[] = " (deleted)"; /* replaced on disk already */
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0) {
		return;
	}
	path[n] = '\0';
	size_t tail = sizeof(gone) - 1;
	if ((size_t)n > tail && strcmp(path + n - tail, gone) == 0) {
		path[(size_t)n - tail] = '\0';
	}
	memcpy(ring->program, path, (size_t)n + 1);
}

struct ring *setup_old_ring(int ring_fd)
{
	struct stat st;
	if (fstat(ring_fd, &st) != 0 || st.st_size != sizeof(struct ring)) {
		return NULL;
	}
	struct ring *ring = map(ring_fd);
	return ring && ring->protocol == KEEPER_PROTOCOL ? ring : NULL;
}

static int swap_oom_score(const char *value)
{
	char old[16] = "0";
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = pread(fd, old, sizeof(old) - 1, 0);
		old[n > 0 ? n : 0] = '\0';
		if (write(fd, value, strlen(value)) < 0) {
			errno = 0; /* not root: we stay where we are */
		}
		close(fd);
	}
	return atoi(old);
}

static uint64_t limit_value(rlim_t v)
{
	return v == RLIM_INFINITY ? UINT64_MAX : v;
}

void setup_limits(struct ring *ring)
{
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	ring->nofile_soft = limit_value(rl.rlim_cur);
	ring->nofile_hard = limit_value(rl.rlim_max);
	rl.rlim_cur = rl.rlim_max;
	if (rl.rlim_max < FILES_WANTED) {
		struct rlimit more = {FILES_WANTED, FILES_WANTED};
		if (setrlimit(RLIMIT_NOFILE, &more) == 0) {
			rl = more; /* root may */
		}
	}
	setrlimit(RLIMIT_NOFILE, &rl);
	getrlimit(RLIMIT_CORE, &rl);
	ring->core_soft = limit_value(rl.rlim_cur);
	ring->core_hard = limit_value(rl.rlim_max);
	rl.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &rl);
	ring->oom_score_adj = swap_oom_score("-900");
}

void setup_process(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "pmctl-keeper");
}

void setup_pid_file(int lock_fd)
{
	if (ftruncate(lock_fd, 0) == 0 && lseek(lock_fd, 0, SEEK_SET) == 0) {
		dprintf(lock_fd, "%d\n", (int)getpid());
	}
}

int setup_signals(void)
{
	static const int ours[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		sigaddset(&set, ours[i]);
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		signal(ours[i], SIG_DFL); /* what is ignored never comes, not even to a signalfd */
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* of our own log, and of logs that we copy */
	sigignore_unmeant();
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
