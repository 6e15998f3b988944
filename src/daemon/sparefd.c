/* SPDX-License-Identifier: MIT */
#include "daemon/sparefd.h"

#include <fcntl.h>
#include <unistd.h>

void sparefd_init(struct sparefd *s)
{
	for (int i = 0; i < SPAREFD_COUNT; i++) {
		s->fd[i] = -1;
	}
}

void sparefd_fill(struct sparefd *s)
{
	for (int i = 0; i < SPAREFD_COUNT; i++) {
		if (s->fd[i] < 0) {
			s->fd[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		}
	}
}

bool sparefd_give(struct sparefd *s)
{
	for (int i = 0; i < SPAREFD_COUNT; i++) {
		if (s->fd[i] >= 0) {
			close(s->fd[i]);
			s->fd[i] = -1;
			return true;
		}
	}
	return false;
}

void sparefd_finish(struct sparefd *s)
{
	while (sparefd_give(s)) {
	}
}
