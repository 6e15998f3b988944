/* SPDX-License-Identifier: MIT */
#include "sys/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/trust.h"
#include "sys/users.h"

#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* XDG: "a relative path ... should be considered invalid and ignored". */
static bool is_absolute(const char *s)
{
	return s && s[0] == '/';
}

static char *join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	while (len > 0 && dir[len - 1] == '/') {
		len--;
	}
	return xasprintf("%.*s/%s", (int)len, dir, name);
}

static bool belongs_to(const char *dir, uid_t uid, bool if_missing)
{
	struct stat st;
	return stat(dir, &st) == 0 ? st.st_uid == uid : if_missing;
}

static void resolve_home(const char *home, struct paths *p)
{
	p->runtime = join(home, "run");
	p->state = join(home, "state");
	p->log = join(home, "log");
}

static void resolve_root(struct paths *p)
{
	p->runtime = xstrdup("/run/pmctl");
	p->state = xstrdup("/var/lib/pmctl");
	p->log = xstrdup("/var/log/pmctl");
}

/* `su` and `sudo` often leave somebody else's XDG_RUNTIME_DIR behind: that one does not count. */
static char *user_runtime(const struct paths_env *env, const char *state)
{
	if (is_absolute(env->xdg_runtime_dir) && belongs_to(env->xdg_runtime_dir, env->uid, true)) {
		return join(env->xdg_runtime_dir, "pmctl");
	}
	char *run_user = xasprintf("/run/user/%u", env->uid);
	char *dir = belongs_to(run_user, env->uid, false) ? join(run_user, "pmctl")
							  : join(state, "run");
	free(run_user);
	return dir;
}

static bool resolve_user(const struct paths_env *env, struct paths *p, struct err *err)
{
	if (is_absolute(env->xdg_state_home)) {
		p->state = join(env->xdg_state_home, "pmctl");
	} else if (is_absolute(env->home)) {
		p->state = join(env->home, ".local/state/pmctl");
	} else {
		struct user u;
		if (!users_resolve(NULL, NULL, &u, err)) {
			return err_wrap(err, "HOME is not set");
		}
		p->state = join(u.home, ".local/state/pmctl");
		users_finish(&u);
	}
	p->log = join(p->state, "log");
	p->runtime = user_runtime(env, p->state);
	return true;
}

bool paths_resolve_from(const struct paths_env *env, struct paths *out, struct err *err)
{
	struct paths p = {0};
	if (env->pmctl_home && env->pmctl_home[0]) {
		if (!is_absolute(env->pmctl_home)) {
			return err_set(err, ERR_USAGE,
				       "PMCTL_HOME=%.200s: must be an absolute path",
				       env->pmctl_home);
		}
		resolve_home(env->pmctl_home, &p);
	} else if (env->uid == 0) {
		resolve_root(&p);
	} else if (!resolve_user(env, &p, err)) {
		return false;
	}
	p.socket = join(p.runtime, PATHS_SOCKET_NAME);
	p.lock = join(p.state, PATHS_LOCK_NAME);
	size_t len = strlen(p.socket);
	if (len > SOCKET_PATH_MAX) {
		err_set(err, ERR_USAGE,
			"%.300s: %zu bytes are too long for a socket (at most %zu); set PMCTL_HOME "
			"to a shorter path",
			p.socket, len, SOCKET_PATH_MAX);
		paths_finish(&p);
		return false;
	}
	*out = p;
	return true;
}

bool paths_resolve(struct paths *p, struct err *err)
{
	struct paths_env env = {
		.pmctl_home = getenv("PMCTL_HOME"),
		.xdg_runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.xdg_state_home = getenv("XDG_STATE_HOME"),
		.home = getenv("HOME"),
		.uid = geteuid(),
	};
	return paths_resolve_from(&env, p, err);
}

void paths_finish(struct paths *p)
{
	free(p->runtime);
	free(p->state);
	free(p->log);
	free(p->socket);
	free(p->lock);
	*p = (struct paths){0};
}

/* Make what is missing of path. Parents are private too: nobody else has business below them. */
static bool make_dirs(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST) {
		return true;
	}
	if (errno != ENOENT) {
		return err_sys(err, "create directory %.300s", path);
	}
	char *dir = xstrdup(path);
	bool ok = true;
	for (char *slash = strchr(dir + 1, '/'); ok && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
			ok = err_sys(err, "create directory %.300s", dir);
		}
		*slash = '/';
	}
	free(dir);
	if (ok && mkdir(path, mode) != 0 && errno != EEXIST) {
		ok = err_sys(err, "create directory %.300s", path);
	}
	return ok;
}

static bool open_failed(const char *path, struct err *err)
{
	struct stat st;
	int saved = errno;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		return err_set(err, ERR_FAILED,
			       "directory %.300s is a symbolic link, which is not followed here; "
			       "fix: remove it, or set PMCTL_HOME to the real path",
			       path);
	}
	errno = saved;
	return err_sys(err, "open directory %.300s", path);
}

static bool check_dir(int fd, const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		return err_sys(err, "stat %.300s", path);
	}
	if (st.st_uid != geteuid()) {
		return err_set(
			err, ERR_PERMISSION,
			"directory %.300s belongs to uid %u, not to us (uid %u); fix: remove it, "
			"or set PMCTL_HOME to a directory of your own",
			path, st.st_uid, geteuid());
	}
	unsigned beyond = st.st_mode & 077 & ~mode;
	if (beyond) {
		return err_set(err, ERR_PERMISSION,
			       "directory %.300s is %s by others (mode %04o); fix: chmod %o %.300s",
			       path,
			       beyond & 022   ? "writable"
			       : beyond & 044 ? "readable"
					      : "searchable",
			       st.st_mode & 07777, mode, path);
	}
	return true;
}

/* What root puts below a directory of somebody else could be replaced at any time. */
static bool check_parents(const char *path, struct err *err)
{
	struct err why;
	if (geteuid() != 0 || trust_path(path, NULL, &why)) {
		return true;
	}
	return err_set(
		err, ERR_PERMISSION,
		"%.300s is no place for root's files: %.350s; fix: chown root and chmod go-w "
		"that one, or set PMCTL_HOME to another place",
		path, why.msg);
}

int paths_open_dir(const char *path, mode_t mode, struct err *err)
{
	if (!check_parents(path, err)) {
		return -1;
	}
	/* The caller's umask could only take away what the owner needs or what `mode` grants. */
	mode_t old = umask(077 & ~mode);
	bool made = make_dirs(path, mode, err);
	umask(old);
	if (!made) {
		return -1;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		open_failed(path, err);
		return -1;
	}
	if (!check_dir(fd, path, mode, err)) {
		close(fd);
		return -1;
	}
	return fd;
}
