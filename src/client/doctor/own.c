/* SPDX-License-Identifier: MIT */
/* doctor: what is ours: directories, socket, daemon, versions, start at boot. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/away.h"
#include "client/daemonize.h"
#include "client/doctor/diagnosis.h"
#include "client/startup/servicemgr.h"
#include "client/startup/unit.h"
#include "client/tool.h"
#include "common/mem.h"
#include "common/units.h"
#include "sys/fileio.h"
#include "sys/proc.h"
#include "sys/trust.h"
#include "version.h"

/* Of a daemon that runs it was taken away, be it only given another name. */
static bool is_taken_away(const struct diagnosis *d, const char *path)
{
	struct stat st;
	return d->status && lstat(path, &st) != 0 && errno == ENOENT;
}

/* For the uppermost parent that others can change. The caller frees. */
static char *trust_fix(const char *path)
{
	char *part = xstrdup(path), *fix = NULL;
	struct stat st;
	for (char *slash = strchr(part + 1, '/'); slash && !fix; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		char *word = doctor_quoted(part);
		if (stat(part, &st) == 0 && st.st_uid != 0) {
			fix = xasprintf("chown root %s", word);
		} else if (stat(part, &st) == 0 && (st.st_mode & 022) && !(st.st_mode & S_ISVTX)) {
			fix = xasprintf("chmod go-w %s", word);
		}
		free(word);
		*slash = '/';
	}
	free(part);
	return fix ? fix
		   : xstrdup("give that one to root, and take the right to write from others");
}

static void check_dir(struct diagnosis *d, const char *name, const char *path, mode_t mode)
{
	struct stat st;
	struct err why;
	char *word = doctor_quoted(path);
	if (is_taken_away(d, path)) {
		finding_fix(diagnosis_add(d, name, FINDING_FAIL,
					  "%s was removed, or moved away, while the daemon runs",
					  path),
			    "pmctl daemon upgrade (if it was moved: move it back)");
	} else if (lstat(path, &st) != 0) {
		if (errno == ENOENT) {
			diagnosis_add(d, name, FINDING_OK, "%s is made by the daemon", path);
		} else {
			finding_fix(diagnosis_add(d, name, FINDING_FAIL, "%s: %s", path,
						  strerror(errno)),
				    "make its parents searchable, or set PMCTL_HOME");
		}
	} else if (!S_ISDIR(st.st_mode)) {
		finding_fix(diagnosis_add(d, name, FINDING_FAIL, "%s is %s", path,
					  S_ISLNK(st.st_mode) ? "a symbolic link, which is not "
								"followed here"
							      : "no directory"),
			    "mv %s %s.aside (or set PMCTL_HOME to another place)", word, word);
	} else if (st.st_uid != geteuid()) {
		finding_fix(diagnosis_add(d, name, FINDING_FAIL,
					  "%s belongs to uid %u, not to us (uid %u)", path,
					  (unsigned)st.st_uid, (unsigned)geteuid()),
			    "%schown -R %u %s (or set PMCTL_HOME)", geteuid() == 0 ? "" : "sudo ",
			    (unsigned)geteuid(), word);
	} else if (st.st_mode & 077 & ~mode) {
		finding_fix(diagnosis_add(d, name, FINDING_FAIL, "%s is open to others (mode %04o)",
					  path, st.st_mode & 07777),
			    "chmod %o %s", mode, word);
	} else if (geteuid() == 0 && !trust_path(path, NULL, &why)) {
		char *fix = trust_fix(path);
		finding_fix(diagnosis_add(d, name, FINDING_FAIL, "others can replace %s: %s", path,
					  why.msg),
			    "%s", fix);
		free(fix);
	} else if (access(path, R_OK | W_OK | X_OK) != 0) {
		finding_fix(diagnosis_add(d, name, FINDING_FAIL, "%s: %s", path, strerror(errno)),
			    "chmod %o %s", mode, word);
	} else {
		diagnosis_add(d, name, FINDING_OK, "%s, mode %04o", path, st.st_mode & 07777);
	}
	free(word);
}

static void check_socket(struct diagnosis *d)
{
	const char *path = d->c->paths.socket;
	struct stat st;
	char *word = doctor_quoted(path);
	bool there = lstat(path, &st) == 0;
	if (!there && away_is_locked(d->c)) {
		finding_fix(diagnosis_add(d, "socket", FINDING_FAIL,
					  "a daemon runs, but %s is gone", path),
			    "pmctl daemon start makes it put one there again");
	} else if (!there) {
		diagnosis_add(d, "socket", FINDING_OK, "%s is not there: no daemon runs", path);
	} else if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077) {
		finding_fix(diagnosis_add(d, "socket", FINDING_FAIL,
					  "%s is not a socket of ours alone (uid %u, mode %04o)",
					  path, (unsigned)st.st_uid, st.st_mode & 07777),
			    "rm %s; pmctl daemon start", word);
	} else {
		diagnosis_add(d, "socket", FINDING_OK, "%s, mode %04o", path, st.st_mode & 07777);
	}
	free(word);
}

static bool is_leftover(const char *name)
{
	size_t len = strlen(name);
	return strncmp(name, "state.corrupt-", 14) == 0 ||
	       strncmp(name, "state.suspect", 13) == 0 ||
	       (len > 4 && strcmp(name + len - 4, ".old") == 0);
}

static void check_leftovers(struct diagnosis *d)
{
	const char *path = d->c->paths.state;
	DIR *dir = opendir(path);
	const struct dirent *e;
	struct buf names = {0}, paths = {0};
	size_t n = 0;
	while (dir && (e = readdir(dir))) {
		if (is_leftover(e->d_name) && n++ < 5) {
			char *whole = xasprintf("%s/%s", path, e->d_name);
			char *word = doctor_quoted(whole);
			buf_addf(&names, "%s%s", names.len ? " " : "", e->d_name);
			buf_addf(&paths, "%s%s", paths.len ? " " : "", word);
			free(word);
			free(whole);
		}
	}
	if (dir) {
		closedir(dir);
	}
	if (n) {
		finding_fix(diagnosis_add(d, "leftovers", FINDING_WARN,
					  "%zu damaged or suspect file%s kept in %s: %s%s", n,
					  n == 1 ? " is" : "s are", path, names.data,
					  n > 5 ? " ..." : ""),
			    "rm -r %s (when pmctld.log has told what was in them)", paths.data);
	} else {
		diagnosis_add(d, "leftovers", FINDING_OK, "none in %s", path);
	}
	buf_finish(&names);
	buf_finish(&paths);
}

void doctor_files(struct diagnosis *d)
{
	check_dir(d, "runtime", d->c->paths.runtime, 0700);
	check_dir(d, "state", d->c->paths.state, 0700);
	check_dir(d, "logs", d->c->paths.log, 0750);
	check_socket(d);
	check_leftovers(d);
}

/* What the daemon says is wrong with itself. Its disks we look at ourselves. */
static void add_warning(struct diagnosis *d, const char *text)
{
	const json_t *alert = member_find(json_object_get(d->status, "alerts"), "text", text);
	bool fail = json_is_true(json_object_get(alert, "fail"));
	if (strncmp(member_text(alert, "kind", ""), "disk-", 5) != 0) {
		finding_fix(
			diagnosis_add(d, "daemon", fail ? FINDING_FAIL : FINDING_WARN, "%s", text),
			"%s",
			member_text(alert, "fix", "pmctl daemon status and pmctld.log say more"));
	}
}

/* Of the daemon that answers, or whoever holds the lock; 0 = there is none. */
static pid_t find_keeper(const struct diagnosis *d)
{
	char text[32] = "";
	struct proc_stat st;
	if (d->keeper) {
		return d->keeper;
	}
	if (!away_is_locked(d->c) ||
	    file_read(AT_FDCWD, d->c->paths.lock, text, sizeof(text)) <= 0) {
		return 0;
	}
	pid_t pid = (pid_t)atoi(text);
	return pid > 0 && proc_read_stat(pid, &st) && strcmp(st.comm, "pmctl-keeper") == 0 ? pid
											   : 0;
}

/* Its child among the apps; 0 = there is none. */
static pid_t find_supervisor(pid_t keeper)
{
	pid_t *pids = NULL, found = 0;
	struct proc_stat st;
	size_t n = keeper ? proc_children(keeper, &pids) : 0;
	for (size_t i = 0; i < n && !found; i++) {
		if (proc_read_stat(pids[i], &st) && strncmp(st.comm, "pmctl-superviso", 15) == 0) {
			found = pids[i];
		}
	}
	free(pids);
	return found;
}

/* By SIGSTOP, or a debugger. */
static bool check_stopped(struct diagnosis *d, const char *what, pid_t pid)
{
	struct proc_stat st;
	if (!pid || !proc_read_stat(pid, &st) || !strchr("Tt", st.state)) {
		return false;
	}
	finding_fix(diagnosis_add(d, "daemon", FINDING_FAIL, "its %s, pid %d, is stopped (SIGSTOP)",
				  what, (int)pid),
		    "kill -CONT %d", (int)pid);
	return true;
}

static void check_running(struct diagnosis *d)
{
	char age[24];
	size_t i;
	const json_t *w;
	pid_t keeper = find_keeper(d), supervisor = find_supervisor(keeper);
	struct finding *f;
	bool keeper_stopped = check_stopped(d, "keeper", keeper);
	if (check_stopped(d, "supervisor", supervisor) || keeper_stopped) {
		return;
	}
	if (!d->status && d->c->conn.open) {
		f = diagnosis_add(d, "daemon", FINDING_FAIL,
				  "connected to %s, and no answer within 2 s", d->c->paths.socket);
		if (supervisor) {
			finding_fix(f, "kill -9 %d (a new one takes over; no app is lost)",
				    (int)supervisor);
		} else {
			finding_fix(f, "pmctld.log may say why");
		}
		return;
	}
	if (!d->status) {
		bool locked = away_is_locked(d->c);
		finding_fix(diagnosis_add(d, "daemon", locked ? FINDING_FAIL : FINDING_WARN,
					  locked ? "one runs, and does not answer" : "none runs"),
			    "pmctl daemon start");
		return;
	}
	units_format_age(member_int(d->status, "up_ms", 0), age, sizeof(age));
	diagnosis_add(d, "daemon", FINDING_OK, "pid %lld, keeper %d, up %s, %lld of %lld online",
		      (long long)member_int(d->status, "pid", 0), (int)d->keeper, age,
		      (long long)member_int(d->status, "online", 0),
		      (long long)member_int(d->status, "instances", 0));
	json_array_foreach(json_object_get(d->status, "warnings"), i, w)
	{
		add_warning(d, json_string_value(w) ? json_string_value(w) : "?");
	}
	const json_t *end = json_object_get(d->status, "last_end");
	const char *signal = member_text(end, "signal", NULL);
	if (signal && strcmp(signal, "SIGKILL") != 0) {
		finding_fix(diagnosis_add(d, "daemon", FINDING_WARN,
					  "its supervisor crashed (%s at %s); no app was lost",
					  signal, member_text(end, "at", "?")),
			    "please report it with pmctld.log");
	}
}

/* What the installed pmctld says it is: "0.1.0"; NULL. The caller frees. */
static char *installed_version(const char *path)
{
	const char *argv[] = {path, "--version", NULL};
	struct buf said = {0};
	int status = tool_run(argv, 2000, &said);
	char *version = NULL;
	if (status == 0 && said.len > 7 && strncmp(said.data, "pmctld ", 7) == 0) {
		version = xstrndup(said.data + 7, strcspn(said.data + 7, " \n"));
	}
	buf_finish(&said);
	return version;
}

/* Whether the daemon runs another file than the one that is installed now. */
static bool is_replaced(const struct diagnosis *d)
{
	struct stat now, its;
	const char *program = member_text(d->status, "program", NULL);
	char *exe = xasprintf("/proc/%d/exe", (int)d->keeper);
	bool replaced = program && stat(program, &now) == 0 && stat(exe, &its) == 0 &&
			(now.st_dev != its.st_dev || now.st_ino != its.st_ino);
	free(exe);
	return replaced;
}

static void check_versions(struct diagnosis *d)
{
	char *path = daemonize_program();
	char *installed = installed_version(path);
	const char *runs = member_text(d->status, "version", NULL);
	if (!installed) {
		finding_fix(diagnosis_add(d, "version", FINDING_FAIL,
					  "no pmctld that answers is installed (%s)", path),
			    "install pmctl and pmctld together");
	} else if (strcmp(installed, PMCTL_VERSION) != 0) {
		finding_fix(diagnosis_add(d, "version", FINDING_WARN,
					  "this is pmctl %s, and the pmctld installed is %s",
					  PMCTL_VERSION, installed),
			    "install both from one package; which -a pmctl pmctld");
	} else if (runs && (strcmp(runs, installed) != 0 || is_replaced(d))) {
		finding_fix(diagnosis_add(d, "version", FINDING_WARN,
					  "pmctld %s runs, and another one, %s, is installed", runs,
					  installed),
			    "pmctl daemon upgrade; the apps run on");
	} else {
		diagnosis_add(d, "version", FINDING_OK, "pmctl, pmctld%s: all %s",
			      runs ? " and the daemon that runs" : "", PMCTL_VERSION);
	}
	free(installed);
	free(path);
}

static void check_boot(struct diagnosis *d)
{
	struct servicemgr m = {.user = geteuid() != 0};
	struct err why;
	char word[32], *linger;
	if (!servicemgr_runs(&m, &why)) {
		diagnosis_add(d, "boot", FINDING_OK, "%s; something else has to start pmctld",
			      why.msg);
		return;
	}
	servicemgr_word(&m, "is-enabled", word, sizeof(word));
	if (strcmp(word, "enabled") != 0) {
		finding_fix(diagnosis_add(d, "boot", FINDING_WARN,
					  "the apps do not come back after a reboot: " UNIT_NAME
					  " is %s",
					  word[0] ? word : "not there"),
			    "pmctl startup");
	} else if (m.user && (linger = servicemgr_linger_fix())) {
		finding_fix(diagnosis_add(d, "boot", FINDING_WARN,
					  UNIT_NAME " is enabled, but starts at log in, and ends "
						    "with the last log out"),
			    "%s", linger);
		free(linger);
	} else {
		diagnosis_add(d, "boot", FINDING_OK, UNIT_NAME " is enabled%s",
			      m.user ? ", and lingers" : "");
	}
}

void doctor_daemon(struct diagnosis *d)
{
	check_running(d);
	check_versions(d);
	check_boot(d);
}
