/* SPDX-License-Identifier: MIT */
#include "daemon/keptmap.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/link.h"

static void *map(struct keptmap *m)
{
	void *at = mmap(NULL, m->size, PROT_READ | PROT_WRITE,
			MAP_SHARED | (m->fd < 0 ? MAP_ANONYMOUS : 0) | MAP_NORESERVE, m->fd, 0);
	m->at = at == MAP_FAILED ? NULL : at;
	return m->at;
}

void keptmap_init(struct keptmap *m, struct link *link, const char *name, size_t size)
{
	*m = (struct keptmap){.link = link, .name = name, .size = size, .fd = -1};
}

void keptmap_finish(struct keptmap *m)
{
	if (m->at) {
		munmap(m->at, m->size);
		m->at = NULL;
	}
	if (m->fd >= 0) {
		close(m->fd);
		m->fd = -1;
	}
}

void keptmap_deposit(const struct keptmap *m)
{
	if (m->fd >= 0) {
		link_deposit(m->link, m->name, m->fd);
	}
}

void *keptmap_make(struct keptmap *m)
{
	char name[32];
	snprintf(name, sizeof(name), "pmctl-%s", m->name);
	m->fd = memfd_create(name, MFD_CLOEXEC);
	if (m->fd >= 0 && ftruncate(m->fd, (off_t)m->size) != 0) {
		close(m->fd);
		m->fd = -1;
	}
	if (map(m)) {
		keptmap_deposit(m);
	}
	return m->at;
}

void *keptmap_adopt(struct keptmap *m, int fd)
{
	struct stat st;
	keptmap_finish(m);
	m->fd = fd;
	if (fstat(fd, &st) != 0 || st.st_size != (off_t)m->size || !map(m)) {
		keptmap_finish(m);
	}
	return m->at;
}
