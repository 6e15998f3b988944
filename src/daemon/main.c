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
#include <unistd.h>

#include "common/err.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "keeper/keeper.h"
#include "sys/paths.h"
#include "sys/proc.h"
#include "version.h"

#define OTHER_MS    10000
#define FILES_LEAST 256

static const char usage[] =
	"usage: pmctld [--foreground]\n"
	"\n"
	"The supervisor daemon of pmctl. It goes to the background and exits 0 once its control\n"
	"socket answers; apps are given to it with pmctl(1).\n"
	"\n"
	"  -f, --foreground  stay in the foreground, for systemd (Type=notify) and containers\n"
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

static void write_pid(int dirfd)
{
	int fd = openat(dirfd, PATHS_LOCK_NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		if (ftruncate(fd, 0) == 0) {
			dprintf(fd, "%d\n", (int)getpid());
		}
		close(fd);
	}
}

static int open_log(const struct paths *p, struct err *err)
{
	int dir = paths_open_dir(p->log, 0750, err);
	if (dir < 0) {
		return -1;
	}
	int fd = openat(dir, "pmctld.log",
			O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	close(dir);
	if (fd < 0) {
		err_sys(err, "open %s/pmctld.log", p->log);
	}
	return fd;
}

/* The launcher waits for the word of the keeper: nothing = ready, else the reason. */
static int wait_ready(int fd)
{
	char why[512];
	size_t len = 0;
	for (ssize_t n; len < sizeof(why) - 1; len += (size_t)n) {
		n = read(fd, why + len, sizeof(why) - 1 - len);
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0) {
			break;
		}
	}
	why[len] = '\0';
	if (!len) {
		return 0;
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
		_exit(wait_ready(p[0]));
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

/* What the caller left open is not ours. */
static void close_inherited(void)
{
	close_range(3, ~0u, 0);
}

static int run(bool foreground)
{
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
	write_pid(state);
	opt.notify_socket = getenv("NOTIFY_SOCKET");
	if (opt.notify_socket) {
		opt.notify_socket = strdup(opt.notify_socket);
		unsetenv("NOTIFY_SOCKET");
	}
	if (chdir("/") != 0) {
		return 1;
	}
	detach_stdio(foreground);
	return keeper_run(&opt);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"foreground", no_argument, NULL, 'f'}, {"supervisor", no_argument, NULL, 'S'},
		{"methods", no_argument, NULL, 'M'},	{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},	{NULL, 0, NULL, 0}};
	bool foreground = false;
	for (int c; (c = getopt_long(argc, argv, "fVh", options, NULL)) != -1;) {
		switch (c) {
		case 'f':
			foreground = true;
			break;
		case 'S':
			return daemon_run(); /* the keeper's way in, see keeper/shared.h */
		case 'M':
			methods_print(stdout); /* for pmctl-protocol(7) and its test */
			return 0;
		case 'V':
			printf("pmctld %s\n", PMCTL_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs("pmctld --help says what there is\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "pmctld: \"%s\" is one word too many; apps are given to pmctl(1)\n",
			argv[optind]);
		return 2;
	}
	return run(foreground);
}
