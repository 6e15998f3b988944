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
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "daemon/daemon.h"
#include "daemon/methods.h"
#include "keeper/keeper.h"
#include "sys/paths.h"
#include "version.h"

#define ENDING_MS 1000

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

/* The lock is held by the keeper for its whole life, through this descriptor. */
static bool lock(int dirfd, const struct paths *p, struct err *err)
{
	char text[24] = "";
	int fd = openat(dirfd, PATHS_LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return err_sys(err, "open %s", p->lock);
	}
	/* One that is just ending has taken its socket away already: it is waited for. */
	int taken = flock(fd, LOCK_EX | LOCK_NB);
	for (int i = 0; taken != 0 && i < ENDING_MS && access(p->socket, F_OK) != 0; i++) {
		usleep(1000);
		taken = flock(fd, LOCK_EX | LOCK_NB);
	}
	if (taken != 0) {
		ssize_t n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		text[strcspn(text, "\n")] = '\0';
		close(fd);
		return err_set(err, ERR_FAILED, "a pmctld runs already (pid %s, %s)", text,
			       p->socket);
	}
	return true; /* fd stays open on purpose */
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
	umask(077);
	close_inherited();
	if (!paths_resolve(&paths, &err)) {
		return complain(&err);
	}
	int runtime = paths_open_dir(paths.runtime, 0700, &err);
	if (runtime < 0 || !lock(runtime, &paths, &err)) {
		return complain(&err);
	}
	opt.log_fd = open_log(&paths, &err);
	if (opt.log_fd < 0 || (!foreground && !go_background(&opt.ready_fd, &err))) {
		return complain(&err);
	}
	write_pid(runtime);
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
