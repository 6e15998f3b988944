/* SPDX-License-Identifier: MIT */
/* startup, unstartup: the unit of systemd that starts the daemon at boot. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/daemonize.h"
#include "client/startup/bootpath.h"
#include "client/startup/servicemgr.h"
#include "client/startup/unit.h"
#include "common/mem.h"
#include "sys/fileio.h"
#include "version.h"

#define NEW_NAME "pmctld-new.service" /* verified under this name before it takes its own */

struct startup {
	struct client *c;
	struct servicemgr mgr;
	char *dir, *path;
	struct buf text;   /* without the mark */
	struct buf marked; /* the file */
	bool looked;	   /* systemd-analyze has */
	bool shipped; /* the unit of the package says the same, and is the one: nothing is written
		       */
};

static const char remedy[] =
	"OpenRC: " PMCTL_DATADIR "/pmctld.openrc goes to /etc/init.d/pmctld; rc-update add pmctld\n"
	"runit: " PMCTL_DATADIR "/pmctld.runit goes to /etc/sv/pmctld/run; ln -s /etc/sv/pmctld "
	"/var/service/\n"
	"anything else: let it run \"pmctld --foreground\", and end it with SIGTERM\n"
	"the unit alone, for another machine: pmctl startup --print";
static const char user_remedy[] =
	"systemd runs here, but not for this user in this session: log in anew (ssh, not su or "
	"sudo),\n"
	"or: sudo loginctl enable-linger USER; export XDG_RUNTIME_DIR=/run/user/$(id -u)";

static void finish(struct startup *s)
{
	free(s->dir);
	free(s->path);
	buf_finish(&s->text);
	buf_finish(&s->marked);
}

/* What was asked for; false is reported in *err. */
static bool read_options(struct startup *s, struct client *c, struct err *err)
{
	bool user = args_has(&c->args, "user"), system = args_has(&c->args, "system");
	*s = (struct startup){.c = c};
	s->mgr.root = args_value(&c->args, "root", NULL);
	s->mgr.user = user || (!system && !s->mgr.root && geteuid() != 0);
	if (user && (system || s->mgr.root)) {
		return err_set(err, ERR_USAGE, "--user does not go with %s",
			       system ? "--system" : "--root");
	}
	if (s->mgr.root && s->mgr.root[0] != '/') {
		return err_set(err, ERR_USAGE, "--root is an absolute path, not \"%.100s\"",
			       s->mgr.root);
	}
	if (!s->mgr.user && !s->mgr.root && geteuid() != 0 && !args_has(&c->args, "print")) {
		return err_set(err, ERR_PERMISSION,
			       "--system needs root: sudo pmctl %s --system; for apps of your own: "
			       "pmctl %s --user",
			       c->cmd->name, c->cmd->name);
	}
	s->dir = servicemgr_unit_dir(&s->mgr, err);
	s->path = s->dir ? xasprintf("%s/" UNIT_NAME, s->dir) : NULL;
	return s->dir != NULL;
}

static bool build(struct startup *s, struct err *err)
{
	char self[4096];
	const char *home = getenv("PMCTL_HOME"), *state = getenv("XDG_STATE_HOME");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *found = daemonize_program();
	char *pmctld = realpath(found, NULL);
	free(found);
	if (n <= 0 || !pmctld) {
		free(pmctld);
		return err_set(err, ERR_FAILED,
			       "pmctld is neither beside pmctl nor in " PMCTL_BINDIR);
	}
	self[n] = '\0';
	char *path = bootpath_extra(s->c, getenv("PATH"), !s->mgr.user);
	struct unit u = {
		.user = s->mgr.user,
		.pmctld = pmctld,
		.pmctl = self,
		.pmctl_home = home && home[0] == '/' ? home : NULL,
		.xdg_state_home = s->mgr.user && state && state[0] == '/' ? state : NULL,
		.path = path,
	};
	unit_add(&s->text, &u);
	unit_add_mark(&s->marked, s->text.data);
	buf_add(&s->marked, s->text.data, s->text.len);
	free(path);
	free(pmctld);
	return true;
}

static bool need_manager(struct startup *s, struct err *err, const char **hint)
{
	struct servicemgr system = {0};
	struct err ignored;
	if (s->mgr.root || servicemgr_runs(&s->mgr, err)) {
		return true;
	}
	*hint = s->mgr.user && servicemgr_runs(&system, &ignored) ? user_remedy : remedy;
	return false;
}

static bool make_dirs(const char *dir, struct err *err)
{
	char *part = xstrdup(dir);
	bool ok = true;
	for (char *slash = part; ok && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash) {
			*slash = '\0';
		}
		ok = mkdir(part, 0755) == 0 || errno == EEXIST ||
		     err_sys(err, "create directory %s", part);
		if (slash) {
			*slash = '/';
		}
	}
	free(part);
	return ok;
}

static bool write_file(const char *path, const struct buf *text, struct err *err)
{
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		return err_sys(err, "create %s", path);
	}
	bool ok = file_write_all(fd, text->data, text->len) && fchmod(fd, 0644) == 0 &&
		  fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	return ok || err_sys(err, "write %s", path);
}

/* Under another name, looked at, and only then under its own. */
static bool install(struct startup *s, struct err *err)
{
	char *fresh = xasprintf("%s/" NEW_NAME, s->dir);
	bool ok = make_dirs(s->dir, err) && write_file(fresh, &s->marked, err);
	if (ok && !s->mgr.root) {
		ok = servicemgr_verify(&s->mgr, fresh, &s->looked, err) ||
		     err_wrap(err, "nothing was installed");
	}
	if (ok && rename(fresh, s->path) != 0) {
		ok = err_sys(err, "rename %s to %s", fresh, s->path);
	}
	if (!ok) {
		int saved = errno;
		unlink(fresh);
		errno = saved;
	}
	free(fresh);
	return ok;
}

/* What is in the way. NULL (and *there false): nothing is. */
static enum unit_is judge_existing(const struct startup *s, bool *there)
{
	struct stat st;
	*there = lstat(s->path, &st) == 0;
	if (!*there || !S_ISREG(st.st_mode)) {
		return UNIT_EDITED; /* a link to /dev/null: masked by somebody */
	}
	char *text = servicemgr_read(s->path);
	enum unit_is is = text ? unit_judge(text, s->text.data) : UNIT_EDITED;
	free(text);
	return is;
}

/* Where nothing is in its way, the unit of the package, if it says the same, is the one. */
static void find_shipped(struct startup *s)
{
	struct stat st;
	char *where = NULL;
	char *text = lstat(s->path, &st) != 0 ? servicemgr_vendor_unit(&s->mgr, &where) : NULL;
	s->shipped = text && unit_judge(text, s->text.data) == UNIT_SAME;
	if (s->shipped) {
		free(s->path);
		s->path = where;
		where = NULL;
	}
	free(where);
	free(text);
}

/* Bring the file where it has to be. The word for what was done, NULL with the reason. */
static const char *put(struct startup *s, struct err *err, const char **hint)
{
	bool there;
	if (s->shipped) {
		return "came with the package";
	}
	enum unit_is is = judge_existing(s, &there);
	if (there && is == UNIT_SAME) {
		return "is there already";
	}
	if (there && is == UNIT_EDITED && !args_has(&s->c->args, "force")) {
		err_set(err, ERR_FAILED,
			"%s is not as pmctl wrote it: it is left alone, and nothing was done",
			s->path);
		*hint = "look at it, and compare: pmctl startup --print | diff FILE -\n"
			"replace it: pmctl startup --force; changes of your own are safe in a "
			"drop-in: systemctl edit pmctld";
		return NULL;
	}
	if (!install(s, err)) {
		return NULL;
	}
	return there ? "replaced" : "written";
}

static void say_next(struct startup *s)
{
	struct err ignored;
	const char *user = s->mgr.user ? "--user " : "";
	char active[32];
	if (s->mgr.root) {
		return;
	}
	servicemgr_word(&s->mgr, "is-active", active, sizeof(active));
	if (strcmp(active, "active") != 0) {
		bool runs = client_connect(s->c, &ignored);
		client_note(s->c,
			    runs ? "the pmctld that runs now is not part of the unit. At the next "
				   "boot it is; at once, with a restart of the apps: pmctl daemon "
				   "stop && systemctl %sstart pmctld"
				 : "it starts at the next boot; at once: systemctl %sstart pmctld",
			    user);
	}
	char *linger = s->mgr.user ? servicemgr_linger_fix() : NULL;
	if (linger) {
		client_note(s->c,
			    "a user's services start at log in and end with the last log out; "
			    "from boot on: %s",
			    linger);
		free(linger);
	}
	if (!s->mgr.user && getenv("SUDO_USER")) {
		client_note(s->c,
			    "this is root's pmctld. That of %.40s, with apps of its own, is "
			    "another one: pmctl startup without sudo",
			    getenv("SUDO_USER"));
	}
}

static int report(struct startup *s, const char *what)
{
	struct client *c = s->c;
	if (c->json) {
		json_t *o = json_pack("{s:i,s:s,s:s,s:b,s:b}", "v", 1, "unit", s->path, "file",
				      what, "verified", s->looked, "enabled", true);
		client_print_json(c, o);
		json_decref(o);
	} else {
		client_add_text(&c->out, s->path);
		buf_addf(&c->out, " %s%s, enabled\n", what, s->looked ? ", verified" : "");
	}
	bool written = client_flush(c);
	say_next(s);
	return written ? 0 : 1;
}

int cmd_startup(struct client *c)
{
	struct startup s;
	struct err err;
	const char *hint = NULL;
	const char *what = NULL;
	bool ok = read_options(&s, c, &err) && build(&s, &err);
	if (ok && args_has(&c->args, "print")) {
		buf_add(&c->out, s.marked.data, s.marked.len);
		finish(&s);
		return client_flush(c) ? 0 : 1;
	}
	ok = ok && need_manager(&s, &err, &hint);
	if (ok) {
		find_shipped(&s);
	}
	if (ok && !c->json) {
		buf_addf(&c->out, "# %s\n", s.path);
		buf_add(&c->out, s.marked.data, s.marked.len);
		buf_addc(&c->out, '\n');
		ok = client_flush(c);
	}
	what = ok ? put(&s, &err, &hint) : NULL;
	ok = what && servicemgr_ctl(&s.mgr, "daemon-reload", false, &err) &&
	     servicemgr_ctl(&s.mgr, "enable", true, &err);
	int status = ok ? report(&s, what) : client_fail(c, &err, hint);
	finish(&s);
	return status;
}

/* The unit goes, unless it is somebody's own. The word for what became of it. */
static const char *take_away(struct startup *s, struct err *err)
{
	bool there;
	enum unit_is is = judge_existing(s, &there);
	if (!there) {
		return "no longer started at boot";
	}
	if (is == UNIT_EDITED && !args_has(&s->c->args, "force")) {
		return "disabled, and left where it is: it is not as pmctl wrote it (--force "
		       "removes it)";
	}
	if (unlink(s->path) != 0) {
		err_sys(err, "remove %s", s->path);
		return NULL;
	}
	return "removed";
}

int cmd_unstartup(struct client *c)
{
	struct startup s;
	struct err err;
	const char *hint = NULL;
	const char *what = NULL;
	bool ok = read_options(&s, c, &err) && build(&s, &err) && need_manager(&s, &err, &hint);
	char *vendor = NULL;
	free(ok ? servicemgr_vendor_unit(&s.mgr, &vendor) : NULL);
	struct stat st;
	bool own = ok && lstat(s.path, &st) == 0;
	if (ok && !vendor && !own) {
		client_note(c, "there is no unit: %s", s.path);
		finish(&s);
		return 0;
	}
	what = ok && servicemgr_ctl(&s.mgr, "disable", true, &err) ? take_away(&s, &err) : NULL;
	ok = what && servicemgr_ctl(&s.mgr, "daemon-reload", false, &err);
	if (ok) {
		client_add_text(&c->out, own ? s.path : vendor);
		buf_addf(&c->out, " %s; what runs now runs on\n", what);
	}
	free(vendor);
	int status = !ok ? client_fail(c, &err, hint) : client_flush(c) ? 0 : 1;
	finish(&s);
	return status;
}
