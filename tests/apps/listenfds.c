/* SPDX-License-Identifier: MIT */
/*
 * listenfds [block]: a program written for systemd's protocol, as the libraries of Go and Rust do
 * it.
 *
 * Takes the sockets only if LISTEN_PID is its own, looks at each one by itself instead of trusting
 * a name, prints a line per socket, and answers "PID SLOT NAME KIND\n" on all of them; a datagram's
 * text comes back behind that. SIGTERM ends it after the answer it is at. With `block` it serves
 * the first socket alone, in a plain accept() loop that takes every error for the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 3
#define MAX   32

struct sock {
	const char *name;
	int type;
	char kind[24];
};

static struct sock socks[MAX];
static int count;
static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static int option(int fd, int what)
{
	int v = -1;
	socklen_t len = sizeof(v);
	return getsockopt(fd, SOL_SOCKET, what, &v, &len) == 0 ? v : -1;
}

/* What a descriptor is, found out from itself: "tcp4", "tcp6", "udp4", "udp6", "unix". */
static void look(int fd, struct sock *s)
{
	int domain = option(fd, SO_DOMAIN);
	s->type = option(fd, SO_TYPE);
	if (domain == AF_UNIX) {
		snprintf(s->kind, sizeof(s->kind), "unix");
	} else {
		snprintf(s->kind, sizeof(s->kind), "%s%s", s->type == SOCK_DGRAM ? "udp" : "tcp",
			 domain == AF_INET6 ? "6" : "4");
	}
}

static const char *take_name(char **rest)
{
	char *name = *rest ? strsep(rest, ":") : NULL;
	return name ? name : "unknown";
}

/* As sd_listen_fds(3), and strict where a library would be lenient. */
static bool take_sockets(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	char *names = getenv("LISTEN_FDNAMES") ? strdup(getenv("LISTEN_FDNAMES")) : NULL;

	if (!pid || !n || strtol(pid, NULL, 10) != (long)getpid()) {
		fprintf(stderr, "LISTEN_PID %s is not mine\n", pid ? pid : "(none)");
		return false;
	}
	count = atoi(n);
	if (count < 1 || count > MAX) {
		fprintf(stderr, "LISTEN_FDS %s\n", n);
		return false;
	}
	for (int i = 0; i < count; i++) {
		int fd = FIRST + i, flags = fcntl(fd, F_GETFD);
		socks[i].name = take_name(&names);
		look(fd, &socks[i]);
		if (socks[i].type < 0 || flags < 0) {
			fprintf(stderr, "descriptor %d is no socket\n", fd);
			return false;
		}
		printf("fd %d name %s kind %s accepting %d cloexec %d nonblock %d\n", fd,
		       socks[i].name, socks[i].kind, option(fd, SO_ACCEPTCONN),
		       (flags & FD_CLOEXEC) != 0, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	printf("behind them %s, names left %s\n",
	       fcntl(FIRST + count, F_GETFD) < 0 ? "nothing" : "a descriptor",
	       names ? names : "none");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return true;
}

static int answer(char *out, size_t cap, const struct sock *s)
{
	const char *slot = getenv("PMCTL_SLOT");
	return snprintf(out, cap, "%d %s %s %s", (int)getpid(), slot ? slot : "-", s->name,
			s->kind);
}

static void serve_stream(int fd, const struct sock *s)
{
	char text[256];
	int n = answer(text, sizeof(text), s);

	text[n++] = '\n';
	if (write(fd, text, (size_t)n) < 0) {
		perror("write");
	}
	close(fd);
}

static void serve_datagram(int fd, const struct sock *s)
{
	char text[1024];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int n = answer(text, sizeof(text), s);

	text[n++] = ' ';
	ssize_t got =
		recvfrom(fd, text + n, sizeof(text) - (size_t)n, 0, (struct sockaddr *)&from, &len);
	if (got >= 0 && sendto(fd, text, (size_t)(n + got), 0, (struct sockaddr *)&from, len) < 0) {
		perror("sendto");
	}
}

static void serve_ready(struct pollfd *polls)
{
	for (int i = 0; i < count; i++) {
		if (!(polls[i].revents & POLLIN)) {
			continue;
		}
		if (socks[i].type == SOCK_DGRAM) {
			serve_datagram(polls[i].fd, &socks[i]);
			continue;
		}
		int fd = accept4(polls[i].fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) { /* else another instance was faster */
			serve_stream(fd, &socks[i]);
		}
	}
}

static int serve_all(void)
{
	struct pollfd polls[MAX];
	sigset_t term, normal;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &normal);
	for (int i = 0; i < count; i++) {
		polls[i] = (struct pollfd){.fd = FIRST + i, .events = POLLIN};
		fcntl(FIRST + i, F_SETFL, fcntl(FIRST + i, F_GETFL) | O_NONBLOCK);
	}
	while (!ended) {
		if (ppoll(polls, (nfds_t)count, NULL, &normal) > 0) {
			serve_ready(polls);
		}
	}
	return 0;
}

static int serve_blocking(void)
{
	while (!ended) {
		int fd = accept4(FIRST, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			if (ended) {
				break;
			}
			perror("accept");
			return 5;
		}
		serve_stream(fd, &socks[0]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_term};

	if (!take_sockets()) {
		return 3;
	}
	fflush(stdout);
	sigaction(SIGTERM, &sa, NULL);
	return argc > 1 && strcmp(argv[1], "block") == 0 ? serve_blocking() : serve_all();
}
