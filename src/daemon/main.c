/* SPDX-License-Identifier: MIT */
/* pmctld: options, the lock against a second daemon, and into the background. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/signals.h"
#include "daemon/daemon.h"
#include "daemon/foreground.h"
#include "daemon/methods.h"
#include "daemon/metrics.h"
#include "daemon/selfcheck.h"
#include "keeper/keeper.h"
#include "keeper/tell.h"
#include "sys/fileio.h"
#include "sys/paths.h"
#include "sys/proc.h"
#include "version.h"

#define OTHER_MS    10000
#define FILES_LEAST 256

static const char usage[] =
	"usage: pmctld [--foreground [OPTIONS] [FILE.ini | -- COMMAND [ARGS...]]]\n"
	"\n"
	"The supervisor daemon of pmctl. It goes to the background and exits 0 once its control\n"
	"socket answers; apps are given to it with pmctl(1).\n"
	"\n"
	"  -f, --foreground  stay in the foreground, for systemd (Type=notify) and containers\n"
	"      --exit-on any|all|never\n"
	"                    end when one app, or each, has ended for good, with its exit code\n"
	"      --logs        print what the apps write, each line behind \"app:slot | \"\n"
	"      --pass-env    give the apps our environment, beneath what the list says\n"
	"  FILE.ini          start the apps of this list, as pmctl start -c FILE.ini does\n"
	"  COMMAND ARGS...   start this command as an app\n"
	"  -V, --version     print the version\n"
	"  -h, --help        print this\n"
	"\n"
	"PMCTL_HOME=DIR puts its runtime, state and log directories below DIR.\n";

static int complain(const struct err *err)
{
	fprintf(stderr, "pmctld: %s\n", err->msg);
	return err_info(err->code)->exit_status;
}

/* A keeper that rests (`daemon stop --leave-running`) starts a supervisor again on this. */
static void wake_keeper(int lock_fd)
{
	char text[24] = "";
	struct proc_stat st;
	ssize_t n = pread(lock_fd, text, sizeof(text) - 1, 0);
	pid_t pid = n > 0 ? (pid_t)atoi(text) : 0;
	if (pid > 1 && proc_read_stat(pid, &st) && strcmp(st.comm, "pmctl-keeper") == 0) {
		kill(pid, SIGUSR1);
	}
}

/* Whether somebody listens there; what a killed daemon has left does not. */
static bool is_served(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	bool served = fd >= 0 && (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 ||
				  errno == EAGAIN || errno == EACCES);
	if (fd >= 0) {
		close(fd);
	}
	return served;
}

#define LOCK_WOKEN (-2)

/*
 * The lock is held by keeper and supervisor for their whole lives, through the descriptor that is
 * returned. Where it is held but there is no socket, that keeper is just ending, and waited for, or
 * rests, and is woken: LOCK_WOKEN. -1 on failure.
 */
static int lock(int dirfd, const struct paths *p, struct err *err)
{
	char text[24] = "";
	int fd = openat(dirfd, PATHS_LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		err_sys(err, "open %s", p->lock);
		return -1;
	}
	bool was_there = is_served(p->socket);
	for (int i = 0; i < OTHER_MS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return fd;
		}
		if (is_served(p->socket)) {
			break;
		}
		if (i % 100 == 50) {
			wake_keeper(fd);
		}
		usleep(1000);
	}
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(fd);
	if (!was_there && is_served(p->socket)) {
		return LOCK_WOKEN;
	}
	err_set(err, ERR_FAILED, "a pmctld runs already (pid %s, %s)", text, p->socket);
	return -1;
}

/*
 * Started by a service manager where a daemon runs already: one whose keeper was killed, so that
 * the manager believes that all of it ended, or one that somebody started by hand. That one is
 * made the main process of the service (a user's manager takes it only from within the unit), and
 * we end. False where there is none.
 */
static bool hand_over_service(const char *lock_path, const char *manager)
{
	char text[64] = "";
	struct proc_stat st;
	for (int i = 0; i < OTHER_MS / 10; i++) { /* one that takes over writes its pid soon */
		ssize_t n = file_read(AT_FDCWD, lock_path, text, sizeof(text));
		pid_t pid = n > 0 ? (pid_t)atoi(text) : 0;
		if (pid > 1 && proc_read_stat(pid, &st) && strcmp(st.comm, "pmctl-keeper") == 0 &&
		    st.state != 'Z') {
			snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1", (int)pid);
			tell_manager(manager, text);
			fprintf(stderr,
				"pmctld: one runs already, and is the service now: pid %d\n",
				(int)pid);
			return true;
		}
		usleep(10000);
	}
	return false;
}

static int open_log(const struct paths *p, struct err *err)
{
	int dir = paths_open_dir(p->log, 0750, err);
	if (dir < 0) {
		return -1;
	}
	int fd = file_open_or_create(dir, "pmctld.log",
				     O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0640);
	close(dir);
	if (fd < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EROFS)) {
		/* The apps are worth more than our log, which is tried again every now and then. */
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	if (fd < 0) {
		err_sys(err, "open %s/pmctld.log", p->log);
	}
	return fd;
}

/* The launcher waits for the word of the keeper. Our exit status. */
static int wait_ready(int fd, pid_t keeper)
{
	char why[512], name[SIGNALS_NAME];
	int status = 0;
	if (tell_wait(fd, why, sizeof(why))) {
		return 0;
	}
	if (!why[0] && waitpid(keeper, &status, 0) == keeper) {
		snprintf(why, sizeof(why), "the keeper ended before it was ready%s%s",
			 WIFSIGNALED(status) ? ", killed by " : "; pmctld.log may say why",
			 WIFSIGNALED(status) ? signals_name(WTERMSIG(status), name) : "");
	}
	fprintf(stderr, "pmctld: %s\n", why);
	return 1;
}

/* Returns in the child; the parent waits and exits. */
static bool go_background(int *ready_fd, struct err *err)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC) != 0) {
		return err_sys(err, "pipe");
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0) {
		return err_sys(err, "fork");
	}
	if (pid > 0) {
		close(p[1]);
		_exit(wait_ready(p[0], pid));
	}
	close(p[0]);
	setsid();
	*ready_fd = p[1];
	return true;
}

static void detach_stdio(bool keep_output)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	if (!keep_output) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	if (fd > STDERR_FILENO) {
		close(fd);
	}
}

/* Closed ones would be taken by the lock or the log, and be lost when stdio is detached. */
static void hold_std_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			(void)!open("/dev/null", O_RDWR);
		}
	}
}

/* What the caller left open is not ours. */
static void close_inherited(void)
{
	close_range(3, ~0u, 0);
}

static int end_keeper(int status)
{
	foreground_end();
	return status;
}

/* f NULL = into the background. */
static int run(const struct foreground *f)
{
	bool foreground = f != NULL;
	struct keeper_options opt = {.foreground = foreground, .ready_fd = -1};
	struct paths paths;
	struct err err;
	struct rlimit rl;
	umask(077);
	close_inherited();
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max < FILES_LEAST && geteuid() != 0) {
		err_set(&err, ERR_FAILED,
			"the limit of open files is %llu, and %d are needed at least (ulimit -Hn)",
			(unsigned long long)rl.rlim_max, FILES_LEAST);
		return complain(&err);
	}
	if (!paths_resolve(&paths, &err)) {
		return complain(&err);
	}
	int runtime = paths_open_dir(paths.runtime, 0700, &err);
	int state = runtime < 0 ? -1 : paths_open_dir(paths.state, 0700, &err);
	opt.lock_fd = state < 0 ? -1 : lock(state, &paths, &err);
	opt.notify_socket = getenv("NOTIFY_SOCKET");
	if (opt.lock_fd < 0 && state >= 0 && foreground && opt.notify_socket &&
	    hand_over_service(paths.lock, opt.notify_socket)) {
		return 0;
	}
	if (opt.lock_fd == -1) {
		return complain(&err);
	}
	if (opt.lock_fd == LOCK_WOKEN) {
		if (!foreground) {
			return 0;
		}
		err_set(&err, ERR_FAILED,
			"a pmctld that was left running took over in the background");
		return complain(&err);
	}
	opt.log_fd = open_log(&paths, &err);
	if (opt.log_fd < 0 || (!foreground && !go_background(&opt.ready_fd, &err))) {
		return complain(&err);
	}
	if (opt.notify_socket) {
		opt.notify_socket = strdup(opt.notify_socket);
		unsetenv("NOTIFY_SOCKET");
	}
	if (foreground && !foreground_begin(f, &opt, &err)) {
		return complain(&err);
	}
	if (chdir("/") != 0) {
		return 1;
	}
	detach_stdio(foreground);
	return end_keeper(keeper_run(&opt));
}

/* How many words stand behind --, which getopt_long(3) moves; -1 = there is none. */
static int count_behind(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			return argc - i - 1;
		}
	}
	return -1;
}

/* What stands before -- is an app list, what stands behind it a command. */
static bool read_operands(struct foreground *f, int argc, char **argv, int behind, struct err *err)
{
	int nfiles = argc - optind - (behind > 0 ? behind : 0);
	if (nfiles > 1) {
		return err_set(err, ERR_USAGE,
			       "\"%.100s\" is one word too many; a command stands behind --",
			       argv[optind + 1]);
	}
	f->file = nfiles > 0 ? argv[optind] : NULL;
	f->words = behind >= 0 ? argv + optind + nfiles : NULL;
	return foreground_check(f, err);
}

/* The options that are something else than a start. -1 if it is none of them. */
static int run_special(int c)
{
	switch (c) {
	case 'S':
		return daemon_run(); /* the keeper's way in, see keeper/shared.h */
	case 'K':
		return end_keeper(keeper_take_over(atoi(optarg))); /* see keeper/handover.h */
	case 'C':
		return selfcheck_run(); /* a daemon to be upgraded asks this first */
	case 'M':
		methods_print(stdout); /* for pmctl-protocol(7) and its test */
		return 0;
	case 'X':
		metrics_print(stdout); /* for pmctld(8) and its test */
		return 0;
	case 'V':
		printf("pmctld %s\n", PMCTL_VERSION);
		return 0;
	case 'h':
		fputs(usage, stdout);
		return 0;
	case '?':
		fputs("pmctld --help says what there is\n", stderr);
		return 2;
	default:
		return -1;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"foreground", no_argument, NULL, 'f'}, {"exit-on", required_argument, NULL, 'E'},
		{"logs", no_argument, NULL, 'L'},	{"pass-env", no_argument, NULL, 'P'},
		{"supervisor", no_argument, NULL, 'S'}, {"keeper", required_argument, NULL, 'K'},
		{"self-check", no_argument, NULL, 'C'}, {"methods", no_argument, NULL, 'M'},
		{"metrics", no_argument, NULL, 'X'},	{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},	{NULL, 0, NULL, 0}};
	struct foreground f = {0};
	struct err err;
	bool foreground = false;
	int behind = count_behind(argc, argv);
	hold_std_descriptors();
	for (int c; (c = getopt_long(argc, argv, "fVh", options, NULL)) != -1;) {
		int status = run_special(c);
		if (status >= 0) {
			return status;
		}
		foreground |= c == 'f';
		f.logs |= c == 'L';
		f.pass_env |= c == 'P';
		f.exit_on = c == 'E' ? optarg : f.exit_on;
	}
	if (!read_operands(&f, argc, argv, behind, &err)) {
		return complain(&err);
	}
	if (!foreground && f.file) {
		fprintf(stderr,
			"pmctld: \"%s\" is one word too many; apps are given to pmctl(1), or with "
			"--foreground\n",
			f.file);
		return 2;
	}
	if (!foreground && (f.logs || f.pass_env || f.exit_on || f.words)) {
		fputs("pmctld: --exit-on, --logs, --pass-env and a command need --foreground\n",
		      stderr);
		return 2;
	}
	return run(foreground ? &f : NULL);
}
