/* SPDX-License-Identifier: MIT */
#include "sys/reuseport.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/mem.h"

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68 /* Linux 5.3 */
#endif

#define STMT(code, k)	      ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, jt, jf) ((struct sock_filter)BPF_JUMP(code, k, jt, jf))

/*
 * A random number below the number of those left in, then moved behind each left out one that is
 * not above it: with 1 of 0..3 left out, 0 1 2 becomes 0 2 3.
 */
static size_t assemble(struct sock_filter *f, const bool *out, size_t n)
{
	size_t len = 0;
	size_t in = 0;
	for (size_t i = 0; i < n; i++) {
		in += !out[i];
	}
	f[len++] = STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
	f[len++] = STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)in);
	for (size_t i = 0; i < n; i++) {
		if (out[i]) {
			f[len++] = JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)i, 0, 1);
			f[len++] = STMT(BPF_ALU | BPF_ADD | BPF_K, 1);
		}
	}
	f[len++] = STMT(BPF_RET | BPF_A, 0);
	return len;
}

bool reuseport_leave_out(int fd, const bool *out, size_t n)
{
	struct sock_filter *f = xcalloc(2 * n + 3, sizeof(*f));
	struct sock_fprog prog = {.filter = f};
	size_t len = assemble(f, out, n);
	prog.len = (unsigned short)len;
	int r = len > BPF_MAXINSNS
			? -1
			: setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog));
	free(f);
	return r == 0;
}

void reuseport_spread(int fd)
{
	int unused = 0;
	/* ENOENT: none was attached. */
	setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof(unused));
}
