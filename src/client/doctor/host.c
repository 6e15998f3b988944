/* SPDX-License-Identifier: MIT */
/* doctor: the machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include "client/doctor/diagnosis.h"
#include "common/mem.h"
#include "sys/cgmount.h"
#include "sys/diskroom.h"
#include "sys/fileio.h"

#define FILES_WANTED   65536
#define FILES_ENOUGH   4096
#define FILES_LEAST    1024
#define PROCS_WANTED   512
#define WATCHES_WANTED 8192
#define LINE	       5000

/* A number in a small file, -1 if there is none: "max" too. */
static long long read_number(const char *path)
{
	char text[64];
	if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0) {
		return -1;
	}
	char *end;
	long long n = strtoll(text, &end, 10);
	return end == text ? -1 : n;
}

/* A hard limit of the daemon, else our own; -1 = unlimited. */
static long long limit_of(const struct diagnosis *d, int resource, const char *title)
{
	char path[48], text[4096];
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)d->keeper);
	if (d->keeper && file_read(AT_FDCWD, path, text, sizeof(text)) > 0) {
		const char *line = strstr(text, title);
		char hard[24];
		if (line && sscanf(line + strlen(title), "%*s %23s", hard) == 1) {
			return strcmp(hard, "unlimited") == 0 ? -1 : atoll(hard);
		}
	}
	struct rlimit rl;
	if (getrlimit((__rlimit_resource_t)resource, &rl) != 0 || rl.rlim_max == RLIM_INFINITY) {
		return -1;
	}
	return (long long)rl.rlim_max;
}

static const char *whose(const struct diagnosis *d)
{
	return d->keeper ? "the daemon" : "this shell";
}

static void check_files(struct diagnosis *d)
{
	long long n = limit_of(d, RLIMIT_NOFILE, "Max open files");
	struct finding *f;
	if (n < 0 || n >= FILES_ENOUGH) {
		char most[24] = "any number of";
		if (n >= 0) {
			snprintf(most, sizeof(most), "%lld", n);
		}
		diagnosis_add(d, "nofile", FINDING_OK, "%s may have %s descriptors", whose(d),
			      most);
		return;
	}
	f = diagnosis_add(d, "nofile", n < FILES_LEAST ? FINDING_FAIL : FINDING_WARN,
			  "%s may have %lld descriptors, and so each app at most", whose(d), n);
	finding_fix(f,
		    "LimitNOFILE=%d in a drop-in of the unit, or \"* hard nofile %d\" in "
		    "/etc/security/limits.conf and a new log in; then restart the daemon",
		    FILES_WANTED, FILES_WANTED);
}

static void check_processes(struct diagnosis *d)
{
	long long n = geteuid() == 0 ? -1 : limit_of(d, RLIMIT_NPROC, "Max processes");
	struct cgmount m;
	long long group = -1;
	if (cgmount_find(NULL, &m)) {
		char *path = xasprintf("%s%s/pids.max", m.mount, m.path);
		group = read_number(path);
		free(path);
		cgmount_finish(&m);
	}
	if (n >= 0 && n < PROCS_WANTED) {
		finding_fix(diagnosis_add(d, "nproc", FINDING_WARN,
					  "this user may have %lld processes and threads in all",
					  n),
			    "\"* hard nproc 65536\" in /etc/security/limits.conf and a new log in");
	} else if (group >= 0 && group < PROCS_WANTED) {
		finding_fix(diagnosis_add(d, "nproc", FINDING_WARN,
					  "this control group may have %lld processes and threads",
					  group),
			    "TasksMax=infinity in the unit, or docker run --pids-limit");
	} else {
		diagnosis_add(d, "nproc", FINDING_OK, "processes are not limited below %d",
			      PROCS_WANTED);
	}
}

static void check_cgroup(struct diagnosis *d)
{
	const char *told = member_text(d->status, "cgroup", NULL);
	struct cgmount m = {0};
	char *dir = NULL;
	if (!told && cgmount_find(NULL, &m)) {
		dir = xasprintf("%s%s", m.mount, m.path);
		cgmount_finish(&m);
	}
	if (told ? strncmp(told, "v2 ", 3) == 0 : dir && access(dir, W_OK) == 0) {
		diagnosis_add(d, "cgroup", FINDING_OK, "version 2, each instance has its own: %s",
			      told ? told + 3 : dir);
	} else {
		finding_fix(diagnosis_add(d, "cgroup", FINDING_WARN,
					  "no control group for each instance (%s): a program that "
					  "forks without pause may escape a stop",
					  told	? told
					  : dir ? "that of this shell is not delegated"
						: "there is no version 2"),
			    "run the daemon as a service with Delegate=yes: pmctl startup");
	}
	free(dir);
}

static void check_clock(struct diagnosis *d)
{
	struct timex t = {0};
	int state = adjtimex(&t);
	if (state < 0) {
		diagnosis_add(d, "clock", FINDING_OK, "not known here whether it is synchronised");
	} else if (state == TIME_ERROR || (t.status & STA_UNSYNC)) {
		finding_fix(diagnosis_add(d, "clock", FINDING_WARN,
					  "not synchronised: times in logs and cron_restart may be "
					  "wrong"),
			    "timedatectl set-ntp true, or install chrony");
	} else {
		diagnosis_add(d, "clock", FINDING_OK, "synchronised");
	}
}

static void check_disk(struct diagnosis *d, const char *name, const char *dir)
{
	struct diskroom r;
	char text[LINE], fix[LINE];
	if (!diskroom_read(dir, &r)) {
		finding_fix(diagnosis_add(d, name, FINDING_FAIL, "%s: %s", dir, strerror(errno)),
			    "make it reachable, or set PMCTL_HOME");
		return;
	}
	char *word = doctor_quoted(dir);
	diskroom_text(&r, dir, text, sizeof(text));
	diskroom_fix(&r, word, fix, sizeof(fix));
	free(word);
	struct finding *f = diagnosis_add(d, name,
					  r.is == DISKROOM_ENOUGH   ? FINDING_OK
					  : r.is == DISKROOM_LITTLE ? FINDING_WARN
								    : FINDING_FAIL,
					  "%s", text);
	if (r.is != DISKROOM_ENOUGH) {
		finding_fix(f, "%s", fix);
	}
}

static void check_cores(struct diagnosis *d)
{
	char pattern[256] = "";
	ssize_t n = file_read(AT_FDCWD, "/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	pattern[strcspn(pattern, "\n")] = '\0';
	char *program = pattern[0] == '|' ? xstrndup(pattern + 1, strcspn(pattern + 1, " ")) : NULL;
	if (n <= 0 || !pattern[0]) {
		diagnosis_add(d, "core", FINDING_OK, "no core files are written");
	} else if (program && access(program, X_OK) != 0) {
		finding_fix(diagnosis_add(d, "core", FINDING_WARN,
					  "core_pattern hands core files to %s, which is not there",
					  program),
			    "sysctl kernel.core_pattern=/var/tmp/core.%%e.%%p");
	} else if (program) {
		diagnosis_add(d, "core", FINDING_OK, "core files are handed to %s", program);
	} else {
		diagnosis_add(d, "core", FINDING_OK,
			      "core files, where limit.core allows them: %s%s", pattern,
			      pattern[0] == '/' ? "" : " in the cwd of the app");
	}
	free(program);
}

static void check_inotify(struct diagnosis *d)
{
	long long watches = read_number("/proc/sys/fs/inotify/max_user_watches");
	long long instances = read_number("/proc/sys/fs/inotify/max_user_instances");
	if (watches < 0) {
		diagnosis_add(d, "inotify", FINDING_OK, "its limits are not known here");
	} else if (watches < WATCHES_WANTED || instances < 16) {
		finding_fix(diagnosis_add(d, "inotify", FINDING_WARN,
					  "%lld watches, %lld instances for each user: too few for "
					  "watch = of larger trees",
					  watches, instances),
			    "sysctl fs.inotify.max_user_watches=65536 "
			    "fs.inotify.max_user_instances=128");
	} else {
		diagnosis_add(d, "inotify", FINDING_OK, "%lld watches, %lld instances", watches,
			      instances);
	}
}

void doctor_host(struct diagnosis *d)
{
	check_files(d);
	check_processes(d);
	check_cgroup(d);
	check_clock(d);
	check_disk(d, "disk-state", d->c->paths.state);
	check_disk(d, "disk-logs", d->c->paths.log);
	check_cores(d);
	check_inotify(d);
}
