/* SPDX-License-Identifier: MIT */
#include "sys/asuser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mem.h"

/* Ours, read once: nothing changes them. */
static gid_t *own_groups;
static int own_ngroups = -1;

void asuser_init(struct asuser *a, uid_t uid, gid_t gid, const gid_t *groups, size_t n)
{
	*a = (struct asuser){.uid = uid, .gid = gid, .ngroups = n};
	if (n) {
		a->groups = xreallocarray(NULL, n, sizeof(*a->groups));
		memcpy(a->groups, groups, n * sizeof(*a->groups));
	}
}

void asuser_finish(struct asuser *a)
{
	free(a->groups);
	*a = (struct asuser){0};
}

/* setgroups(3) would change all threads, as POSIX wants it; the call itself changes one. */
static bool set_groups(const gid_t *groups, size_t n)
{
	return syscall(SYS_setgroups, n, groups) == 0;
}

static bool know_own_groups(void)
{
	if (own_ngroups >= 0) {
		return true;
	}
	int n = getgroups(0, NULL);
	if (n < 0) {
		return false;
	}
	own_groups = xreallocarray(NULL, (size_t)n + 1, sizeof(*own_groups));
	own_ngroups = getgroups(n, own_groups);
	return own_ngroups >= 0;
}

bool asuser_begin(const struct asuser *a)
{
	if (!know_own_groups() || !set_groups(a->groups, a->ngroups)) {
		return false;
	}
	setfsgid(a->gid);
	setfsuid(a->uid); /* takes away root's power over files, too */
	/* The only way to learn whether it worked is to ask again. */
	if ((uid_t)setfsuid((uid_t)-1) != a->uid || (gid_t)setfsgid((gid_t)-1) != a->gid) {
		asuser_end();
		errno = EPERM;
		return false;
	}
	return true;
}

void asuser_end(void)
{
	int saved = errno;
	setfsuid(geteuid());
	setfsgid(getegid());
	set_groups(own_groups, (size_t)own_ngroups);
	errno = saved;
}
