/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

#define MAX_CALLS 300 /* in one run: more is a loop */

static struct {
	bool armed;
	int error;
	unsigned countdown;
	const char *hit;
} now;

/* Whether it is this call's turn to fail. Short ones must have something to be short of. */
static bool strikes(const char *call, bool can_be_short)
{
	if (!now.armed || (now.error == FAULT_SHORT && !can_be_short) || --now.countdown > 0) {
		return false;
	}
	now.armed = false;
	now.hit = call;
	errno = now.error;
	return true;
}

/* One call that fails with -1. */
#define SEAM(type, name, params, args)                                                             \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		return strikes(#name, false) ? -1 : __real_##name args;                            \
	}

/* The same with a third parameter that is not always there. */
#define SEAM_OPTIONAL(name, params, args, last)                                                    \
	int __real_##name params;                                                                  \
	int __wrap_##name params;                                                                  \
	int __wrap_##name params                                                                   \
	{                                                                                          \
		va_list ap;                                                                        \
		va_start(ap, last);                                                                \
		long extra = va_arg(ap, long);                                                     \
		va_end(ap);                                                                        \
		return strikes(#name, false) ? -1 : __real_##name args;                            \
	}

/* One that may also transfer less than all. */
#define SEAM_BYTES(name, params, args, half)                                                       \
	ssize_t __real_##name params;                                                              \
	ssize_t __wrap_##name params;                                                              \
	ssize_t __wrap_##name params                                                               \
	{                                                                                          \
		if (!strikes(#name, len > 1)) {                                                    \
			return __real_##name args;                                                 \
		}                                                                                  \
		return now.error == FAULT_SHORT ? __real_##name half : -1;                         \
	}

SEAM_OPTIONAL(open64, (const char *path, int flags, ...), (path, flags, (mode_t)extra), flags)
SEAM_OPTIONAL(openat64, (int dir, const char *path, int flags, ...),
	      (dir, path, flags, (mode_t)extra), flags)
SEAM_OPTIONAL(fcntl64, (int fd, int cmd, ...), (fd, cmd, extra), cmd)
SEAM_BYTES(write, (int fd, const void *p, size_t len), (fd, p, len), (fd, p, len / 2))
SEAM_BYTES(read, (int fd, void *p, size_t len), (fd, p, len), (fd, p, len / 2))
SEAM_BYTES(pread64, (int fd, void *p, size_t len, off_t at), (fd, p, len, at), (fd, p, len / 2, at))
SEAM_BYTES(splice, (int in, off_t *a, int out, off_t *b, size_t len, unsigned flags),
	   (in, a, out, b, len, flags), (in, a, out, b, len / 2, flags))
SEAM(int, fstat64, (int fd, struct stat *st), (fd, st))
SEAM(int, lstat64, (const char *path, struct stat *st), (path, st))
SEAM(int, fstatat64, (int dir, const char *path, struct stat *st, int flags),
     (dir, path, st, flags))
SEAM(off_t, lseek64, (int fd, off_t at, int whence), (fd, at, whence))
SEAM(int, ftruncate64, (int fd, off_t len), (fd, len))
SEAM(int, fsync, (int fd), (fd))
SEAM(int, rename, (const char *a, const char *b), (a, b))
SEAM(int, renameat, (int da, const char *a, int db, const char *b), (da, a, db, b))
SEAM(int, renameat2, (int da, const char *a, int db, const char *b, unsigned flags),
     (da, a, db, b, flags))
SEAM(int, linkat, (int da, const char *a, int db, const char *b, int flags), (da, a, db, b, flags))
SEAM(int, unlink, (const char *path), (path))
SEAM(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
SEAM(int, pipe2, (int p[2], int flags), (p, flags))
SEAM(int, dup2, (int from, int to), (from, to))
SEAM(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
SEAM(int, bind, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len))
SEAM(int, listen, (int fd, int backlog), (fd, backlog))
SEAM(int, connect, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len))
SEAM(int, accept4, (int fd, struct sockaddr *sa, socklen_t *len, int flags), (fd, sa, len, flags))
SEAM(int, getsockname, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len))
SEAM(int, setsockopt, (int fd, int level, int name, const void *v, socklen_t len),
     (fd, level, name, v, len))
SEAM(int, fchmod, (int fd, mode_t mode), (fd, mode))

void *__real_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off);
int __real_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len);

void *__wrap_mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return strikes("mmap", false) ? MAP_FAILED : __real_mmap64(at, len, prot, flags, fd, off);
}

int __wrap_posix_fallocate64(int fd, off_t at, off_t len)
{
	return strikes("posix_fallocate", false) ? now.error
						 : __real_posix_fallocate64(fd, at, len);
}

static unsigned count_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d)) {
		n++;
	}
	closedir(d);
	return n;
}

/* False once the run was not hit: it has fewer calls. */
static bool one_run(const struct sweep *s, struct fault *f)
{
	struct err err = {0};
	unsigned fds = count_fds();
	if (s->before) {
		s->before(s->ctx);
	}
	now.error = f->error;
	now.countdown = f->n;
	now.hit = NULL;
	now.armed = true;
	bool ok = s->run(s->ctx, &err);
	now.armed = false;
	f->call = now.hit;
	if (!ok && (!f->call || !err.msg[0])) {
		fail_msg("%s: %s (call %u, %s): \"%s\"",
			 f->call ? "it does not say why it fails" : "it fails by itself",
			 f->call ? f->call : "-", f->n, strerror(f->error), err.msg);
	}
	s->after(s->ctx, ok, f);
	if (count_fds() != fds) {
		fail_msg("%s (call %u, %s): %u descriptors before, %u after",
			 f->call ? f->call : "no fault", f->n, strerror(f->error), fds,
			 count_fds());
	}
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1) {
		fail_msg("%s (call %u, %s): a child is left", f->call, f->n, strerror(f->error));
	}
	return f->call != NULL;
}

unsigned faults_sweep(const struct sweep *s)
{
	static const int errors[] = {EMFILE, ENFILE, ENOSPC, EIO,	 EINTR,
				     EAGAIN, ENOMEM, EPERM,  FAULT_SHORT};
	unsigned hits = 0;
	for (size_t e = 0; e < ARRAY_LEN(errors); e++) {
		struct fault f = {.error = errors[e], .n = 1};
		for (; one_run(s, &f); f.n++) {
			assert_true(f.n < MAX_CALLS);
			hits++;
		}
	}
	return hits;
}
