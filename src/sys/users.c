/* SPDX-License-Identifier: MIT */
#include "sys/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

#define ENTRY_MAX                                                                                  \
	(1024 * 1024)	 /* bytes of one database entry; groups with many members are long         \
			  */
#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

/* A uid or gid in digits; (uid_t)-1 means "unchanged" to the kernel, so it is not one. */
static bool parse_number(const char *s, uint32_t *out)
{
	if (!*s || s[strspn(s, "0123456789")] != '\0' || strlen(s) > 10) {
		return false;
	}
	unsigned long v = strtoul(s, NULL, 10);
	if (v >= UINT32_MAX) {
		return false;
	}
	*out = (uint32_t)v;
	return true;
}

/* 1 = found, 0 = no such entry, -1 = the database failed (errno). *mem holds the strings. */
static int find_passwd(const char *name, uid_t uid, struct passwd *pw, char **mem)
{
	for (size_t cap = 1024; cap <= ENTRY_MAX; cap *= 4) {
		struct passwd *found = NULL;
		*mem = xreallocarray(*mem, cap, 1);
		int rc = name ? getpwnam_r(name, pw, *mem, cap, &found)
			      : getpwuid_r(uid, pw, *mem, cap, &found);
		if (found) {
			return 1;
		}
		/* The manual lists these as other ways to say "not found". */
		if (rc == 0 || rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM) {
			return 0;
		}
		if (rc != ERANGE && rc != EINTR) {
			errno = rc;
			return -1;
		}
	}
	errno = ERANGE;
	return -1;
}

static int find_group(const char *name, gid_t *gid)
{
	char *mem = NULL;
	int result = -1;
	for (size_t cap = 1024; cap <= ENTRY_MAX; cap *= 4) {
		struct group gr;
		struct group *found = NULL;
		mem = xreallocarray(mem, cap, 1);
		int rc = getgrnam_r(name, &gr, mem, cap, &found);
		if (found) {
			*gid = gr.gr_gid;
			result = 1;
			break;
		}
		if (rc == 0 || rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM) {
			result = 0;
			break;
		}
		if (rc != ERANGE && rc != EINTR) {
			errno = rc;
			break;
		}
		errno = ERANGE;
	}
	free(mem);
	return result;
}

static bool resolve_group(const char *group, gid_t *gid, struct err *err)
{
	int found = find_group(group, gid);
	if (found < 0) {
		return err_sys(err, "group \"%s\"", group);
	}
	if (found == 0 && !parse_number(group, gid)) {
		return err_set(err, ERR_FAILED, "group \"%s\": no such group", group);
	}
	return true;
}

/* Fill everything but the groups. *known: the user has a passwd entry. */
static bool resolve_user(const char *user, struct user *out, bool *known, struct err *err)
{
	struct passwd pw;
	char *mem = NULL;
	uint32_t uid = geteuid();
	int found = find_passwd(user, uid, &pw, &mem);
	if (found == 0 && user && parse_number(user, &uid)) {
		found = find_passwd(NULL, uid, &pw, &mem);
	} else if (found == 0 && user) {
		free(mem);
		return err_set(err, ERR_FAILED, "user \"%s\": no such user", user);
	}
	if (found < 0) {
		free(mem);
		return user ? err_sys(err, "user \"%s\"", user) : err_sys(err, "uid %u", uid);
	}
	*known = found > 0;
	out->uid = *known ? pw.pw_uid : uid;
	out->gid = *known ? pw.pw_gid : getegid();
	out->name = *known ? xstrdup(pw.pw_name) : xasprintf("%u", uid);
	out->home = xstrdup(*known && pw.pw_dir[0] == '/' ? pw.pw_dir : "/");
	out->shell = xstrdup(*known && pw.pw_shell[0] == '/' ? pw.pw_shell : "/bin/sh");
	free(mem);
	return true;
}

static void find_groups(struct user *u, bool known)
{
	int n = 32;
	u->groups = xreallocarray(NULL, (size_t)n, sizeof(*u->groups));
	if (!known) {
		u->groups[0] = u->gid;
		u->ngroups = 1;
		return;
	}
	/* getgrouplist() sets n to what it needs; the database may grow between two calls. */
	while (getgrouplist(u->name, u->gid, u->groups, &n) < 0 && n <= GROUPS_MAX) {
		u->groups = xreallocarray(u->groups, (size_t)n, sizeof(*u->groups));
	}
	u->ngroups = n > GROUPS_MAX ? 0 : (size_t)n;
}

bool users_resolve(const char *user, const char *group, struct user *out, struct err *err)
{
	struct user u = {0};
	bool known = false;
	if (!resolve_user(user, &u, &known, err)) {
		return false;
	}
	if (!known && user && !group) {
		err_set(err, ERR_FAILED,
			"user \"%s\" has no entry, so no group of its own: set group", user);
		users_finish(&u);
		return false;
	}
	if (group && !resolve_group(group, &u.gid, err)) {
		users_finish(&u);
		return false;
	}
	find_groups(&u, known);
	*out = u;
	return true;
}

void users_finish(struct user *u)
{
	free(u->name);
	free(u->home);
	free(u->shell);
	free(u->groups);
	*u = (struct user){0};
}
