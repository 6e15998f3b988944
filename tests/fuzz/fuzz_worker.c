/* SPDX-License-Identifier: MIT */
/*
 * What two workers of one cluster may send on their channels: the first byte chooses the balance,
 * then each chunk begins with a byte that says how long it is, whose it is and whether a descriptor
 * comes with it. What goes back must be lines as
 * the primary of a cluster writes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/cluster.h"
#include "proto/node.h"
#include "sys/fdpass.h"

#define WORKERS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	struct worker *worker;
	int fd; /* the program's end */
	struct lines back;
	bool told_eof;
};

static void on_plain(void *ctx, struct worker *w)
{
	(void)ctx;
	(void)w;
}

static void on_text(void *ctx, struct worker *w, const char *text)
{
	(void)ctx;
	(void)w;
	if (memchr(text, '\0', 1)) {
		abort(); /* always a name or a sentence */
	}
}

static void on_message(void *ctx, struct worker *w, const char *raw, size_t len)
{
	(void)ctx;
	(void)w;
	if (memchr(raw, '\n', len)) {
		abort();
	}
}

static void on_offered(void *ctx, struct worker *w, int64_t seq, bool accepted)
{
	(void)ctx;
	(void)w;
	(void)seq;
	(void)accepted;
}

static void on_eof(void *ctx, struct worker *w)
{
	struct peer *p = ctx;
	(void)w;
	if (p->told_eof) {
		abort();
	}
	p->told_eof = true;
}

static const struct worker_events events = {.online = on_plain,
					    .listening = on_text,
					    .message = on_message,
					    .listen_failed = on_text,
					    .offered = on_offered,
					    .intended_exit = on_plain,
					    .eof = on_eof,
					    .problem = on_text};

static void on_deposit(void *ctx, const char *name, int fd)
{
	(void)ctx;
	(void)name;
	(void)fd;
}

static void on_drop(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
}

static struct lsock *no_inherited(void *ctx, size_t i, int slot, struct err *err, int *error)
{
	(void)ctx;
	(void)i;
	(void)slot;
	*error = EBADF;
	err_set(err, ERR_FAILED, "none");
	return NULL;
}

/* Saved and read again at any time, it says the same of its keys. */
static void check_saved(const struct cluster *c)
{
	struct buf text = {0};
	struct jw w;
	jw_init(&w, &text);
	cluster_save(c, &w);
	json_t *v = json_loadb(text.data, text.len, 0, NULL);
	if (!json_is_object(v)) {
		abort();
	}
	json_decref(v);
	buf_finish(&text);
}

static void read_back(struct peer *p)
{
	char chunk[8192], *line;
	ssize_t n;
	size_t len;
	int fd;
	while (p->fd >= 0 &&
	       (n = fdpass_recv(p->fd, chunk, sizeof(chunk), &fd, MSG_DONTWAIT)) > 0) {
		if (fd >= 0) {
			close(fd);
		}
		lines_feed(&p->back, chunk, (size_t)n);
		while (lines_next(&p->back, &line, &len)) {
			struct node_msg m;
			if (!node_is_internal(line, len) || !node_parse(&m, line, len)) {
				abort();
			}
			node_msg_finish(&m);
		}
	}
}

static void turn(struct ev_loop *loop, struct peer *peer)
{
	for (int i = 0; i < 4; i++) {
		ev_run(loop, EVRUN_NOWAIT);
	}
	for (int i = 0; i < WORKERS; i++) {
		read_back(&peer[i]);
	}
}

/* One chunk; returns what it took. */
static size_t give(struct peer *peer, const uint8_t *data, size_t size)
{
	struct peer *p = &peer[data[0] & 1];
	size_t n = (size_t)(data[0] >> 2) * 8;
	int fd = data[0] & 2 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	n = n == 0 || n > size - 1 ? size - 1 : n;
	if (p->fd >= 0 && n > 0) {
		(void)!fdpass_send(p->fd, data + 1, n, fd);
	}
	if (fd >= 0) {
		close(fd);
	}
	return n + 1;
}

static void begin(struct peer *p, int slot, struct ev_loop *loop, struct cluster *cluster)
{
	int fds[2];
	struct worker_conf conf = {.loop = loop,
				   .cluster = cluster,
				   .id = (uint64_t)slot + 1,
				   .slot = slot,
				   .events = &events,
				   .ctx = p};
	if (!channel_pair(fds)) {
		abort();
	}
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	*p = (struct peer){.worker = worker_new(&conf, fds[0]), .fd = fds[1]};
	lines_init(&p->back, 1 << 24);
}

static void finish(struct peer *p)
{
	worker_drain(p->worker);
	worker_free(p->worker);
	lines_finish(&p->back);
	close(p->fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockets sockets;
	struct peer peer[WORKERS];
	if (size < 2 || size > 100000) {
		return 0;
	}
	struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
	sockets_init(&sockets, &(struct sockets_hooks){on_deposit, on_drop, NULL});
	struct cluster_conf conf = {.app = "web",
				    .loop = loop,
				    .sockets = &sockets,
				    .balance = (enum conf_balance)(data[0] % 3),
				    .inherited = no_inherited};
	struct cluster *cluster = cluster_new(&conf);
	for (int i = 0; i < WORKERS; i++) {
		begin(&peer[i], i, loop, cluster);
	}
	for (size_t at = 1; at < size;) {
		at += give(peer, data + at, size - at);
		turn(loop, peer);
	}
	check_saved(cluster);
	worker_disconnect(peer[1].worker);
	turn(loop, peer);
	for (int i = 0; i < WORKERS; i++) {
		finish(&peer[i]);
	}
	cluster_trim(cluster);
	cluster_free(cluster);
	sockets_finish(&sockets);
	ev_loop_destroy(loop);
	return 0;
}
