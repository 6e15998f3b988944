/* SPDX-License-Identifier: MIT */
#include "keeper/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mem.h"
#include "keeper/shared.h"
#include "sys/fileio.h"

extern char **environ;

static void keep_open(int fd, bool keep)
{
	if (fd >= 0) {
		fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
	}
}

static void keep_all_open(const struct handover *h, const struct fdstore *s, bool keep)
{
	const int own[] = {h->ring_fd, h->event_fd, h->lock_fd, h->log_fd, h->sock_fd};
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		keep_open(own[i], keep);
	}
	for (int i = 0; i < s->used; i++) {
		if (s->entry[i].name[0]) {
			keep_open(s->entry[i].fd, keep);
		}
	}
}

static bool write_all(int fd, struct handover *h, const struct fdstore *s)
{
	h->protocol = KEEPER_PROTOCOL;
	h->nheld = (uint32_t)s->used;
	return file_write_all(fd, h, sizeof(*h)) &&
	       file_write_all(fd, s->entry, (size_t)s->used * sizeof(s->entry[0])) &&
	       lseek(fd, 0, SEEK_SET) == 0;
}

static void execute(int program_fd, char *const *argv)
{
	if (program_fd >= 0) {
		syscall(SYS_execveat, program_fd, "", argv, environ, AT_EMPTY_PATH);
	} else {
		execv("/proc/self/exe", argv);
	}
}

void handover_exec(struct handover *h, const struct fdstore *s, int program_fd)
{
	char number[16];
	char *argv[] = {(char[]){"pmctld"}, (char[]){"--keeper"}, number, NULL};
	sigset_t all, old;
	int fd = memfd_create("pmctl-handover", 0);
	if (fd < 0) {
		return;
	}
	snprintf(number, sizeof(number), "%d", fd);
	if (write_all(fd, h, s)) {
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, &old);
		keep_all_open(h, s, true);
		execute(program_fd, argv);
		int saved = errno;
		keep_all_open(h, s, false);
		sigprocmask(SIG_SETMASK, &old, NULL);
		errno = saved;
	}
	int saved = errno;
	close(fd);
	errno = saved;
}

bool handover_read(int fd, struct handover *h, struct fdstore *s)
{
	bool ok = file_pread_all(fd, h, sizeof(*h), 0) && h->protocol == KEEPER_PROTOCOL &&
		  h->nheld <= FDSTORE_SIZE &&
		  file_pread_all(fd, s->entry, h->nheld * sizeof(s->entry[0]), sizeof(*h));
	if (!ok) {
		return false;
	}
	s->used = (int)h->nheld;
	for (int i = 0; i < s->used; i++) {
		s->entry[i].name[KEEPER_NAME - 1] = '\0';
	}
	keep_all_open(h, s, false);
	close(fd);
	return true;
}
