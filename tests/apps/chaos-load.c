/* SPDX-License-Identifier: MIT */
/*
 * chaos-load NAME:PORT:CONNECTIONS:MS[c]...: HTTP requests to 127.0.0.1 until standard input ends.
 * On each connection the next request MS after the answer; with "c" a new connection for each.
 *
 * An answer's body begins with the pid of who served it, bare or as {"pid":N. For each line on
 * standard input it prints "failed NAME PID AFTER_MS REASON" for all that failed since, PID being
 * the one that served this connection before (0 = nobody yet), then "served NAME ANSWERS
 * SLOWEST_MS" for each target, and "end".
 *
 * Not a failure: an answer that says "Connection: close", and a connection closed while no request
 * is on it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TARGETS	   16
#define CONNS	   256
#define TIMEOUT_MS 20000

struct target {
	char name[48];
	int port, conns;
	long think_ms;
	bool anew; /* a connection for each request */
	unsigned long answers;
	int64_t slowest_ms;
};

struct conn {
	struct target *to;
	int fd;	     /* -1 = the next request opens one */
	bool asked;  /* a request is under way */
	int64_t at;  /* when it was sent, or when the next one is due */
	long served; /* pid of the last answer on this connection */
	size_t have;
	char text[2048];
};

static struct target target[TARGETS];
static struct conn conn[CONNS];
static int ntargets, nconns, epoll;

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void drop(struct conn *c)
{
	if (c->fd >= 0) {
		close(c->fd);
	}
	c->fd = -1;
	c->served = 0;
}

static void rest(struct conn *c)
{
	c->asked = false;
	c->at = now_ms() + c->to->think_ms;
}

static void fail(struct conn *c, const char *why)
{
	printf("failed %s %ld %lld %s\n", c->to->name, c->served, (long long)(now_ms() - c->at),
	       why);
	drop(c);
	rest(c);
}

static bool open_conn(struct conn *c)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->to->port)};
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	int one = 1;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	       epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) == 0;
}

static void ask(struct conn *c)
{
	static const char keep[] = "GET / HTTP/1.1\r\nHost: chaos\r\n\r\n";
	static const char close[] = "GET / HTTP/1.1\r\nHost: chaos\r\nConnection: close\r\n\r\n";
	const char *text = c->to->anew ? close : keep;
	c->asked = true;
	c->at = now_ms();
	c->have = 0;
	if ((c->fd < 0 && !open_conn(c)) || send(c->fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
		fail(c, strerror(errno));
	}
}

/* True once the answer is complete. */
static bool is_complete(const struct conn *c, const char **body)
{
	const char *end = strstr(c->text, "\r\n\r\n");
	const char *length = end ? strcasestr(c->text, "\r\ncontent-length:") : NULL;
	if (!length || length > end) {
		return false;
	}
	*body = end + 4;
	return c->have >= (size_t)(*body - c->text) + (size_t)atol(length + 17);
}

static void on_answer(struct conn *c, const char *body)
{
	int64_t took = now_ms() - c->at;
	const char *pid = strncmp(body, "{\"pid\":", 7) == 0 ? body + 7 : body;
	bool closes = strcasestr(c->text, "\r\nconnection: close\r\n") || c->to->anew ||
		      strncmp(c->text, "HTTP/1.0", 8) == 0;
	if (strncmp(c->text + 8, " 200", 4) != 0) {
		fail(c, "the answer is not 200");
		return;
	}
	c->to->answers++;
	c->to->slowest_ms = took > c->to->slowest_ms ? took : c->to->slowest_ms;
	c->served = atol(pid);
	if (closes) {
		drop(c);
	}
	rest(c);
}

static void on_readable(struct conn *c)
{
	const char *body;
	ssize_t n = recv(c->fd, c->text + c->have, sizeof(c->text) - 1 - c->have, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		return;
	}
	if (n <= 0 && !c->asked) {
		drop(c);
		return;
	}
	if (n <= 0) {
		fail(c, n < 0 ? strerror(errno) : c->have ? "half an answer" : "closed");
		return;
	}
	c->have += (size_t)n;
	c->text[c->have] = '\0';
	if (!c->asked) {
		fail(c, "more than the answer");
	} else if (is_complete(c, &body)) {
		on_answer(c, body);
	}
}

static void look_at_clock(void)
{
	int64_t now = now_ms();
	for (struct conn *c = conn; c < conn + nconns; c++) {
		if (c->asked && now - c->at > TIMEOUT_MS) {
			fail(c, "no answer in time");
		} else if (!c->asked && c->at <= now) {
			ask(c);
		}
	}
}

static void report(void)
{
	for (struct target *t = target; t < target + ntargets; t++) {
		printf("served %s %lu %lld\n", t->name, t->answers, (long long)t->slowest_ms);
		t->slowest_ms = 0;
	}
	printf("end\n");
	fflush(stdout);
}

/* False at the end of standard input. */
static bool read_input(void)
{
	char text[64];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			report();
		}
	}
	return n > 0;
}

static bool add_target(const char *arg)
{
	struct target *t = &target[ntargets];
	char c = 0;
	if (ntargets == TARGETS || sscanf(arg, "%47[^:]:%d:%d:%ld%c", t->name, &t->port, &t->conns,
					  &t->think_ms, &c) < 4) {
		return false;
	}
	t->anew = c == 'c';
	for (int i = 0; i < t->conns && nconns < CONNS; i++) {
		/* Spread, not all at one moment. */
		conn[nconns++] = (struct conn){
			.to = t, .fd = -1, .at = now_ms() + t->think_ms * i / t->conns};
	}
	ntargets++;
	return true;
}

int main(int argc, char **argv)
{
	struct epoll_event ev[64], input = {.events = EPOLLIN};
	for (int i = 1; i < argc; i++) {
		if (!add_target(argv[i])) {
			return 2;
		}
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	for (;;) {
		look_at_clock();
		int n = epoll_wait(epoll, ev, 64, 2);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr) {
				on_readable(ev[i].data.ptr);
			} else if (!read_input()) {
				return 0;
			}
		}
	}
}
