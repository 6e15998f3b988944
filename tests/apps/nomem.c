/* SPDX-License-Identifier: MIT */
/*
 * nomem - preloaded: the n-th allocation of a supervisor fails, once. NOMEM names a file of 8
 * bytes, a countdown that a test sets at any time; at 0 nothing fails. Other programs are left
 * alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static _Atomic int64_t *countdown;

__attribute__((constructor)) static void begin(void)
{
	char line[64] = "";
	const char *path = getenv("NOMEM");
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (!path || n < 0 || !memmem(line, (size_t)n, "--supervisor", 12)) {
		return;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = mmap(NULL, sizeof(*countdown), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	countdown = p == MAP_FAILED ? NULL : p;
}

static bool is_out(void)
{
	if (!countdown || atomic_load(countdown) <= 0 || atomic_fetch_sub(countdown, 1) != 1) {
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_out() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_out() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return is_out() ? NULL : __libc_realloc(p, size);
}
