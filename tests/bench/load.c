/* SPDX-License-Identifier: MIT */
/*
 * load [-c] [-t MS] PORT CONNECTIONS MILLISECONDS: HTTP requests to 127.0.0.1, the next one on each
 * connection as soon as the answer is there, or MS later (-t). -c: a connection for each request.
 * MILLISECONDS 0: until standard input ends. Prints answers, failures, and of the latency the mean,
 * the 99th percentile and the longest in microseconds; the first failures on standard error.
 *
 * Each failed request counts, none is repeated. Not a failure: an answer that says "Connection:
 * close", or a connection that is closed while no request is on it; the next request opens another
 * one. A server that says "close" is let close first, so that no port of ours stays in TIME_WAIT.
 * Requests under way at the end are waited for, and count only if they fail.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define MS		    INT64_C(1000000)
#define ANSWER_TIMEOUT	    (10000 * MS)
#define CLOSE_TIMEOUT	    (1000 * MS)
#define PAUSE_AFTER_REFUSAL (10 * MS)
#define SLOWEST_US	    1000000 /* all above are counted as this */
#define TOLD		    20	    /* failures */

enum conn_state { CONN_RESTING, CONN_ASKED, CONN_LEAVING };

struct conn {
	int fd; /* -1 = the next request opens one */
	enum conn_state state;
	int64_t since, due; /* due: resting until then */
	size_t have, want;  /* bytes of the answer; want 0 = its header is not complete yet */
	bool closes;
	char head[1024];
};

static const char request_keep[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char request_close[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
static const char *request = request_keep;
static struct sockaddr_in server = {.sin_family = AF_INET};
static long histogram[SLOWEST_US + 1]; /* answers by microseconds */
static long answers, failures, longest_us;
static double sum_us;
static int64_t begin, think;
static int epoll;
static bool over; /* no new requests */

static void set_state(struct conn *c, enum conn_state state)
{
	c->state = state;
	c->since = now_ns();
}

static void drop(struct conn *c)
{
	if (c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
}

static void rest(struct conn *c, int64_t ns)
{
	set_state(c, CONN_RESTING);
	c->due = c->since + ns;
}

static void fail(struct conn *c, const char *what)
{
	if (failures++ < TOLD) {
		int64_t now = now_ns();
		fprintf(stderr, "at %lld ms, %lld ms after the request: %s\n",
			(long long)((now - begin) / MS), (long long)((now - c->since) / MS), what);
	}
	drop(c);
	rest(c, PAUSE_AFTER_REFUSAL);
}

static bool open_conn(struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT / MS / 1000};
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		die("socket");
	}
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(c->fd, (struct sockaddr *)&server, sizeof(server)) == 0 &&
	       epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) == 0;
}

static void ask(struct conn *c)
{
	set_state(c, CONN_ASKED);
	c->have = c->want = 0;
	if ((c->fd < 0 && !open_conn(c)) ||
	    send(c->fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
		fail(c, strerror(errno));
	}
}

static void next(struct conn *c)
{
	if (over || think) {
		rest(c, think);
	} else {
		ask(c);
	}
}

/* The length of the whole answer once its header is there, from Content-Length; else 0. */
static size_t answer_length(struct conn *c)
{
	const char *end = memmem(c->head, c->have, "\r\n\r\n", 4);
	const char *field = end ? strcasestr(c->head, "\r\ncontent-length:") : NULL;
	const char *closes = end ? strcasestr(c->head, "\r\nconnection: close\r\n") : NULL;
	if (!end) {
		return 0;
	}
	c->closes = closes && closes < end;
	size_t body = field && field < end ? (size_t)atol(field + 17) : 0;
	return (size_t)(end + 4 - c->head) + body;
}

static void on_answer(struct conn *c)
{
	long us = (long)((now_ns() - c->since) / 1000);
	if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) {
		fail(c, "the answer is not 200");
		return;
	}
	if (!over) {
		answers++;
		sum_us += (double)us;
		longest_us = us > longest_us ? us : longest_us;
		histogram[us < SLOWEST_US ? us : SLOWEST_US]++;
	}
	if (c->closes) {
		set_state(c, CONN_LEAVING);
	} else {
		next(c);
	}
}

static void on_end(struct conn *c, const char *why)
{
	if (c->state == CONN_ASKED) {
		fail(c, why);
		return;
	}
	drop(c);
	if (c->state == CONN_LEAVING) {
		next(c);
	}
}

static void on_readable(struct conn *c)
{
	ssize_t n = recv(c->fd, c->head + c->have, sizeof(c->head) - 1 - c->have, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		return;
	}
	if (n <= 0) {
		on_end(c, n < 0 ? strerror(errno) : c->have ? "half an answer" : "no answer");
		return;
	}
	if (c->state != CONN_ASKED) {
		fail(c, "more than the answer");
		return;
	}
	c->have += (size_t)n;
	c->head[c->have] = '\0';
	c->want = c->want ? c->want : answer_length(c);
	if (c->want && c->have >= c->want) {
		on_answer(c);
	}
}

/* Those whose time has come. Returns how many requests are under way. */
static int look_at_clock(struct conn *conn, int n)
{
	int64_t now = now_ns();
	int asked = 0;
	for (struct conn *c = conn; c < conn + n; c++) {
		if (c->state == CONN_RESTING && c->due <= now && !over) {
			ask(c);
		} else if (c->state == CONN_ASKED && now - c->since > ANSWER_TIMEOUT) {
			fail(c, "no answer in time");
		} else if (c->state == CONN_LEAVING && now - c->since > CLOSE_TIMEOUT) {
			on_end(c, NULL);
		}
		asked += c->state == CONN_ASKED;
	}
	return asked;
}

static void serve(struct conn *conn, int n, int64_t end)
{
	struct epoll_event ev[64];
	int64_t looked = 0;
	while (look_at_clock(conn, n) > 0 || !over) {
		for (looked = now_ns(); now_ns() - looked < MS;) {
			int k = epoll_wait(epoll, ev, 64, 1);
			for (int i = 0; i < k; i++) {
				if (ev[i].data.ptr) {
					on_readable(ev[i].data.ptr);
				} else {
					over = true;
					epoll_ctl(epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
				}
			}
		}
		over = over || now_ns() >= end;
	}
}

static void report(void)
{
	long left = answers / 100;
	int p99 = SLOWEST_US;
	while (p99 > 0 && left >= histogram[p99]) {
		left -= histogram[p99--];
	}
	printf("%ld %ld %.0f %d %ld\n", answers, failures, answers ? sum_us / (double)answers : 0,
	       p99, longest_us);
}

int main(int argc, char **argv)
{
	struct epoll_event input = {.events = EPOLLIN};
	int opt;
	while ((opt = getopt(argc, argv, "ct:")) != -1) {
		if (opt == 'c') {
			request = request_close;
		} else if (opt == 't') {
			think = atol(optarg) * MS;
		} else {
			return 2;
		}
	}
	int n = argc - optind == 3 ? atoi(argv[optind + 1]) : 0;
	struct conn *conn = calloc((size_t)n + 1, sizeof(*conn));
	if (n < 1 || !conn) {
		return 2;
	}
	server.sin_port = htons((uint16_t)atoi(argv[optind]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < n; i++) {
		conn[i].fd = -1;
		conn[i].due = think * i / n; /* spread, not all at one moment */
	}
	begin = now_ns();
	for (int i = 0; i < n; i++) {
		conn[i].due += begin;
	}
	int64_t end = begin + atol(argv[optind + 2]) * MS;
	if (end == begin) {
		end = INT64_MAX;
		epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	}
	serve(conn, n, end);
	report();
	return 0;
}
