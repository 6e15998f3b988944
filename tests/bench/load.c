/* SPDX-License-Identifier: MIT */
/*
 * load PORT CONNECTIONS MILLISECONDS: keep-alive requests to 127.0.0.1, the next one on each
 * connection as soon as the answer is there. Prints answers, failures, and the mean and the 99th
 * percentile of the latency in microseconds. A failed connection is opened again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define SAMPLES 4000000

struct conn {
	int fd;
	int64_t asked;
	size_t have, want; /* bytes of the answer; want 0 = its header is not complete yet */
	char head[1024];
};

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static struct sockaddr_in server = {.sin_family = AF_INET};
static int32_t latency_us[SAMPLES];
static long answers, failures;
static int epoll;

static void ask(struct conn *c)
{
	c->asked = now_ns();
	c->have = c->want = 0;
	if (send(c->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
		failures++;
	}
}

static void open_conn(struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof(server)) != 0) {
		die("connect");
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev);
	ask(c);
}

/* The length of the whole answer once its header is there, from Content-Length; else 0. */
static size_t answer_length(const struct conn *c)
{
	const char *end = memmem(c->head, c->have, "\r\n\r\n", 4);
	const char *field = end ? strcasestr(c->head, "\r\ncontent-length:") : NULL;
	if (!end) {
		return 0;
	}
	size_t body = field && field < end ? (size_t)atol(field + 17) : 0;
	return (size_t)(end + 4 - c->head) + body;
}

static void on_readable(struct conn *c)
{
	ssize_t n = recv(c->fd, c->head + c->have, sizeof(c->head) - 1 - c->have, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		return;
	}
	if (n <= 0) {
		failures++;
		close(c->fd);
		open_conn(c);
		return;
	}
	c->have += (size_t)n;
	c->head[c->have] = '\0';
	c->want = c->want ? c->want : answer_length(c);
	if (c->want && c->have >= c->want) {
		if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) {
			failures++;
		} else if (answers < SAMPLES) {
			latency_us[answers++] = (int32_t)((now_ns() - c->asked) / 1000);
		}
		ask(c);
	}
}

static int compare(const void *a, const void *b)
{
	return *(const int32_t *)a - *(const int32_t *)b;
}

static void report(void)
{
	double sum = 0;
	for (long i = 0; i < answers; i++) {
		sum += latency_us[i];
	}
	qsort(latency_us, (size_t)answers, sizeof(*latency_us), compare);
	printf("%ld %ld %.0f %d\n", answers, failures, answers ? sum / (double)answers : 0,
	       answers ? latency_us[answers * 99 / 100] : 0);
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[2]) : 0;
	struct conn *conn = calloc((size_t)n + 1, sizeof(*conn));
	struct epoll_event ev[64];
	if (n < 1 || !conn) {
		return 2;
	}
	server.sin_port = htons((uint16_t)atoi(argv[1]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < n; i++) {
		open_conn(&conn[i]);
	}
	int64_t end = now_ns() + (int64_t)atol(argv[3]) * 1000000;
	while (now_ns() < end) {
		int k = epoll_wait(epoll, ev, 64, 10);
		for (int i = 0; i < k; i++) {
			on_readable(ev[i].data.ptr);
		}
	}
	report();
	return 0;
}
