/* SPDX-License-Identifier: MIT */
#include "daemon/httpd.h"

#include "daemon/mhd.h"

#ifdef PMCTL_HAVE_MICROHTTPD
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/loopfd.h"
#include "daemon/looptimer.h"
#include "version.h"

#define SWEEP	 0.25
#define FRESH_MS 250 /* a text this old is good for the next one who asks */
#define POOL	 (16 * 1024)

/* One client. */
struct hconn {
	struct list node; /* httpd.conns, oldest first */
	struct httpd *owner;
	int fd; /* libmicrohttpd's */
	int64_t since_mono_ms;
	bool asked; /* its request is complete */
};

/* A text that is sent to one or several. */
struct body {
	struct httpd *owner;
	size_t len;
	char text[];
};

/* --- running it --- */

static void run(struct httpd *h)
{
	MHD_UNSIGNED_LONG_LONG ms;
	h->lib->run(h->mhd);
	if (h->lib->get_timeout(h->mhd, &ms) == MHD_YES) {
		looptimer_arm(h->daemon->loop, &h->due, (double)ms / 1000.);
	} else {
		ev_timer_stop(h->daemon->loop, &h->due);
	}
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	run(container_of(w, struct httpd, io));
}

static void on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	run(container_of(w, struct httpd, due));
}

static bool is_over_time(const struct hconn *c, int64_t now)
{
	int64_t age = now - c->since_mono_ms;
	bool slow = !c->asked &&
		    age > (c->owner->crowded ? LIMIT_SCRAPE_CROWDED_MS : LIMIT_SCRAPE_REQUEST_MS);
	return slow || age > LIMIT_SCRAPE_MS;
}

/* Whoever had its time: libmicrohttpd finds the connection closed, and frees it. */
static void on_sweep(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct httpd *h = container_of(w, struct httpd, sweep);
	struct hconn *c, *next;
	int64_t now = clock_mono_ms();
	list_for_each(c, next, &h->conns, node)
	{
		if (is_over_time(c, now)) {
			shutdown(c->fd, SHUT_RDWR);
		}
	}
	if (h->nconns == 0) {
		ev_timer_stop(loop, w);
	}
	looptimer_soon(loop, &h->due);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct httpd *h = ctx;
	struct hconn *c = *socket_context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = xcalloc(1, sizeof(*c));
		c->owner = h;
		c->fd = h->lib->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd;
		c->since_mono_ms = clock_mono_ms();
		list_add(&h->conns, &c->node);
		*socket_context = c;
		h->nconns++;
		return;
	}
	list_remove(&c->node);
	free(c);
	*socket_context = NULL;
	h->nconns--;
	if (h->crowded) {
		h->crowded = false;
		h->on_room(h->ctx);
	}
}

/* --- answers --- */

static void free_body(void *text)
{
	struct body *b = container_of(text, struct body, text);
	b->owner->bytes -= b->len;
	free(b);
}

static struct MHD_Response *finish_response(struct httpd *h, struct MHD_Response *r,
					    const char *type)
{
	if (r) {
		h->lib->add_response_header(r, "Content-Type", type);
		h->lib->add_response_header(r, "Connection", "close");
	}
	return r;
}

static struct MHD_Response *make_metrics(struct httpd *h, enum om_format format)
{
	struct buf text = {0};
	metrics_write(h->daemon, format, &text);
	struct body *b = xcalloc(1, sizeof(*b) + text.len);
	b->owner = h;
	b->len = text.len;
	memcpy(b->text, text.data, text.len);
	buf_finish(&text);
	struct MHD_Response *r = h->lib->create_freed_response(b->len, b->text, free_body);
	if (!r) {
		free(b);
		return NULL;
	}
	h->bytes += b->len;
	return finish_response(h, r, om_content_type(format));
}

static void drop_last(struct httpd *h, enum om_format format)
{
	if (h->last[format].response) {
		h->lib->destroy_response(h->last[format].response);
		h->last[format].response = NULL;
	}
}

/* A moment old, and nothing has happened since. */
static bool is_fresh(const struct httpd *h, enum om_format format)
{
	return h->last[format].response &&
	       h->last[format].event == h->daemon->events.ring.last_seq &&
	       clock_mono_ms() - h->last[format].made_mono_ms < FRESH_MS;
}

/* NULL: too much is under way to others already. */
static struct MHD_Response *get_metrics(struct httpd *h, enum om_format format)
{
	if (is_fresh(h, format)) {
		return h->last[format].response;
	}
	drop_last(h, format);
	if (h->bytes > LIMIT_SCRAPE_BYTES) {
		return NULL;
	}
	h->last[format].event = h->daemon->events.ring.last_seq;
	h->last[format].made_mono_ms = clock_mono_ms();
	h->last[format].response = make_metrics(h, format);
	return h->last[format].response;
}

static enum MHD_Result answer_text(struct httpd *h, struct MHD_Connection *connection,
				   unsigned status, const char *text)
{
	struct MHD_Response *r = h->lib->create_response(strlen(text), (void *)(uintptr_t)text,
							 MHD_RESPMEM_PERSISTENT);
	if (!finish_response(h, r, "text/plain; charset=utf-8")) {
		return MHD_NO;
	}
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		h->lib->add_response_header(r, "Allow", "GET, HEAD");
	}
	enum MHD_Result result = h->lib->queue_response(connection, status, r);
	h->lib->destroy_response(r);
	return result;
}

/* OpenMetrics, unless somebody says what it wants and that is only the older format. */
static enum om_format wanted_format(struct httpd *h, struct MHD_Connection *connection)
{
	const char *accept = h->lib->lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
	bool old = accept && strstr(accept, "text/plain") && !strstr(accept, "openmetrics");
	return old ? OM_PROMETHEUS : OM_OPENMETRICS;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request_context)
{
	struct httpd *h = ctx;
	struct hconn *c =
		h->lib->get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			->socket_context;
	(void)version;
	(void)upload;
	(void)upload_size;
	(void)request_context;
	c->asked = true;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		return answer_text(h, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				   "only GET and HEAD\n");
	}
	if (strcmp(url, "/") == 0) {
		return answer_text(h, connection, MHD_HTTP_OK,
				   "pmctld " PMCTL_VERSION ": see /metrics\n");
	}
	if (strcmp(url, "/metrics") != 0) {
		return answer_text(h, connection, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
	}
	struct MHD_Response *r = get_metrics(h, wanted_format(h, connection));
	return r ? h->lib->queue_response(connection, MHD_HTTP_OK, r)
		 : answer_text(h, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			       "too many slow readers\n");
}

/* --- outside --- */

void httpd_init(struct httpd *h, struct daemon *d, void (*on_room)(void *ctx), void *ctx)
{
	*h = (struct httpd){.daemon = d, .on_room = on_room, .ctx = ctx};
	list_init(&h->conns);
	ev_init(&h->due, on_due);
	ev_timer_init(&h->sweep, on_sweep, SWEEP, SWEEP);
}

bool httpd_start(struct httpd *h, struct err *err)
{
	if (h->mhd) {
		return true;
	}
	h->lib = mhd_get(err);
	if (!h->lib) {
		return false;
	}
	h->mhd = h->lib->start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, h,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_SCRAPES + 1,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_SCRAPE_MS / 1000,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		h->mhd ? h->lib->get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		httpd_stop(h);
		return err_set(err, ERR_FAILED,
			       "metrics are not served: libmicrohttpd did not "
			       "start");
	}
	loopfd_ignore(info->epoll_fd);
	ev_io_init(&h->io, on_io, info->epoll_fd, EV_READ);
	ev_io_start(h->daemon->loop, &h->io);
	return true;
}

void httpd_stop(struct httpd *h)
{
	if (!h->daemon) {
		return;
	}
	ev_timer_stop(h->daemon->loop, &h->due);
	ev_timer_stop(h->daemon->loop, &h->sweep);
	for (int i = 0; i < OM_FORMATS; i++) {
		drop_last(h, (enum om_format)i);
	}
	if (h->mhd) {
		ev_io_stop(h->daemon->loop, &h->io);
		h->crowded = false;
		h->lib->stop_daemon(h->mhd);
		h->mhd = NULL;
		loopfd_ignore(-1);
	}
}

bool httpd_has_room(struct httpd *h)
{
	h->crowded |= h->nconns >= LIMIT_SCRAPES;
	return !h->crowded;
}

void httpd_add(struct httpd *h, int fd)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(sa);
	if (getpeername(fd, (struct sockaddr *)&sa, &len) != 0) {
		close(fd);
		return;
	}
	/* It closes fd itself, also on failure. */
	h->lib->add_connection(h->mhd, fd, (struct sockaddr *)&sa, len);
	if (!ev_is_active(&h->sweep)) {
		ev_timer_again(h->daemon->loop, &h->sweep);
	}
	looptimer_soon(h->daemon->loop, &h->due);
}

#else

void httpd_init(struct httpd *h, struct daemon *d, void (*on_room)(void *ctx), void *ctx)
{
	*h = (struct httpd){.daemon = d, .on_room = on_room, .ctx = ctx};
}

bool httpd_start(struct httpd *h, struct err *err)
{
	(void)h;
	return err_set(err, ERR_FAILED,
		       "metrics are not served: this pmctld was built without libmicrohttpd");
}

void httpd_stop(struct httpd *h)
{
	(void)h;
}

bool httpd_has_room(struct httpd *h)
{
	(void)h;
	return false;
}

void httpd_add(struct httpd *h, int fd)
{
	(void)h;
	(void)fd;
}
#endif
