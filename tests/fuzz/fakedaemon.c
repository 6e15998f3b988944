/* SPDX-License-Identifier: MIT */
#include "fakedaemon.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/reap.h"
#include "daemon/resume.h"
#include "daemon/runner.h"
#include "scratch.h"
#include "sys/logfile.h"
#include "sys/sock.h"
#include "sys/spawn.h"

#define FIRST_PID 0x3f000000 /* above what the kernel gives out */
#define TURNS	  8

static struct fake *current;
static int64_t passed_ns;

/* --- what is replaced --- */

int __wrap_kill(pid_t pid, int sig);
long __wrap_syscall(long n, ...);
long __real_syscall(long n, ...);
bool __wrap_proc_table_read(struct proc_table *t);
bool __wrap_proc_for_each_pid(bool (*fn)(pid_t pid, void *arg), void *arg);
bool __wrap_spawn_start(const struct spawn_req *req, struct spawn_child *out, struct err *err);
int __wrap_sock_listen(const struct sock_req *req, struct err *err, int *error);
void __real_logfile_init(struct logfile *f, const char *path, int64_t max_size, int keep,
			 bool compress);
void __wrap_logfile_init(struct logfile *f, const char *path, int64_t max_size, int keep,
			 bool compress);
void __wrap_watch_update(struct app *app);
int __wrap_nanosleep(const struct timespec *want, struct timespec *left);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
bool __wrap_link_fetch(struct link *l, void (*item)(void *ctx, const char *name, int fd), void *ctx,
		       struct err *err);

int __wrap_kill(pid_t pid, int sig)
{
	(void)pid;
	(void)sig;
	errno = ESRCH;
	return -1;
}

/* All six are handed on, though few calls have as many. */
__attribute__((no_sanitize("address"))) long __wrap_syscall(long n, ...)
{
	va_list ap;
	long a[6];
	va_start(ap, n);
	for (int i = 0; i < 6; i++) {
		a[i] = va_arg(ap, long);
	}
	va_end(ap);
	if (n == SYS_pidfd_send_signal || n == SYS_pidfd_open || n == SYS_kill) {
		errno = ESRCH;
		return -1;
	}
	return __real_syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Also libev's: the dynamic linker takes the program's own before the one of libc. What the wall
 * clock says is left alone: libFuzzer watches over us by it. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = __real_syscall(SYS_clock_gettime, id, ts);
	int64_t ns = ts->tv_nsec + (id == CLOCK_MONOTONIC ? passed_ns : 0);
	ts->tv_sec += ns / 1000000000;
	ts->tv_nsec = ns % 1000000000;
	return (int)r;
}

bool __wrap_proc_table_read(struct proc_table *t)
{
	t->n = 0; /* nobody is there */
	return true;
}

bool __wrap_proc_for_each_pid(bool (*fn)(pid_t pid, void *arg), void *arg)
{
	(void)fn;
	(void)arg;
	return true;
}

static int copy_of(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

bool __wrap_spawn_start(const struct spawn_req *req, struct spawn_child *out, struct err *err)
{
	int report[2];
	if (current->no_room || current->nchildren == FAKE_CHILDREN) {
		current->no_room = false;
		return err_set(err, ERR_LIMIT, "cannot fork: %s", strerror(EAGAIN));
	}
	if (current->no_program) {
		current->no_program = false;
		return err_set(err, ERR_SYSTEM, "exec %s: %s", req->argv[0], strerror(ENOEXEC));
	}
	struct fake_child *c = &current->child[current->nchildren];
	*c = (struct fake_child){.pid = FIRST_PID + (pid_t)current->nchildren,
				 .pidfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				 .channel = copy_of(req->channel_fd),
				 .out = copy_of(req->out_fd)};
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) {
		abort();
	}
	close(report[1]);
	current->nchildren++;
	*out = (struct spawn_child){c->pid, copy_of(c->pidfd), report[0]};
	return true;
}

/* Where the kernel finds room, whatever was asked for. */
int __wrap_sock_listen(const struct sock_req *req, struct err *err, int *error)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int type = req->kind == SOCK_KIND_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (req->port == 1 || fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 8) != 0)) {
		close(fd);
		*error = EADDRINUSE;
		err_set(err, ERR_FAILED, "cannot listen");
		return -1;
	}
	return fd;
}

void __wrap_logfile_init(struct logfile *f, const char *path, int64_t max_size, int keep,
			 bool compress)
{
	char here[200];
	unsigned sum = 5381;
	for (const char *s = path; *s; s++) {
		sum = sum * 33 + (unsigned char)*s;
	}
	snprintf(here, sizeof(here), "%s/log/%08x", scratch_dir(), sum);
	/* No rotation to a thousand files, each with a few system calls. */
	__real_logfile_init(f, here, max_size, keep > 3 ? 3 : keep, compress);
}

void __wrap_watch_update(struct app *app)
{
	(void)app;
}

int __wrap_nanosleep(const struct timespec *want, struct timespec *left)
{
	(void)want;
	(void)left;
	return 0;
}

/* Nobody waits for the disk. */
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	(void)t;
	(void)attr;
	(void)fn;
	(void)arg;
	return EAGAIN;
}

/* A descriptor of the kind its name promises. */
static int held_fd(const char *name)
{
	int p[2];
	if (strncmp(name, "sock.", 5) == 0) {
		struct err err;
		int error;
		return __wrap_sock_listen(&(struct sock_req){.kind = SOCK_KIND_TCP}, &err, &error);
	}
	if (strncmp(name, "pipe.", 5) == 0 ? pipe2(p, O_CLOEXEC | O_NONBLOCK)
					   : socketpair(AF_UNIX, SOCK_STREAM, 0, p)) {
		abort();
	}
	close(p[1]);
	return p[0];
}

bool __wrap_link_fetch(struct link *l, void (*item)(void *ctx, const char *name, int fd), void *ctx,
		       struct err *err)
{
	char name[KEEPER_NAME];
	int n = 0;
	(void)l;
	(void)err;
	for (const char *s = current->held; s && *s && n < 64; n++) {
		size_t len = strcspn(s, "\n");
		snprintf(name, sizeof(name), "%.*s", (int)len, s);
		if (strcmp(name, "control") != 0) { /* that one is ours */
			item(ctx, name, held_fd(name));
		}
		s += len + (s[len] == '\n');
	}
	return true;
}

/* --- its life --- */

static void on_event(void *ctx, const struct event *ev)
{
	server_publish(&((struct daemon *)ctx)->server, ev);
}

static void on_sock(void *ctx, const char *name, int fd)
{
	link_deposit(&((struct daemon *)ctx)->link, name, fd);
}

static void on_sock_drop(void *ctx, const char *name)
{
	link_drop(&((struct daemon *)ctx)->link, name);
}

void fake_fresh(void)
{
	scratch_fresh("run");
	scratch_fresh("state");
	scratch_fresh("log");
}

static int open_dir(const char *path)
{
	struct err err;
	int fd = paths_open_dir(path, 0700, &err);
	if (fd < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	return fd;
}

static void find_paths(struct daemon *d)
{
	struct err err;
	struct paths_env env = {.pmctl_home = scratch_dir(), .uid = geteuid()};
	if (!paths_resolve_from(&env, &d->paths, &err)) {
		abort();
	}
	d->runtime_fd = open_dir(d->paths.runtime);
	d->state_fd = open_dir(d->paths.state);
	d->log_fd = open_dir(d->paths.log);
}

/* As begin() of daemon.c, without what needs the keeper or is of the whole process. */
static bool begin(struct fake *f, bool resume)
{
	struct daemon *d = &f->daemon;
	struct err err;
	ev_init(&d->collect, apps_on_collect);
	outputs_init(&d->outputs, d->loop, &d->link);
	sockets_init(&d->sockets, &(struct sockets_hooks){on_sock, on_sock_drop, d});
	events_init(&d->events, d->state_fd, on_event, d);
	ops_init(&d->ops, d);
	applists_init(&d->lists, d);
	turns_init(&d->turns, d);
	pasts_init(&d->pasts, d);
	tally_init(&d->tally, d);
	metrics_init(&d->metrics, d);
	turntime_init(&d->turntime, d->loop);
	sampler_init(&d->sampler, d);
	schedule_init(&d->schedule, d);
	exporter_init(&d->exporter, d);
	if (!store_init(&d->store, d, &f->err)) {
		return false;
	}
	if (resume) {
		resume_adopt(d);
	}
	d->store.resuming = false;
	if (!server_init(&d->server, d, d->paths.socket, -1, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	if (resume) {
		resume_start(d);
	}
	return true;
}

bool fake_begin(struct fake *f, bool resume)
{
	struct daemon *d = &f->daemon;
	static int null = -1;
	if (null < 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		log_init("fuzz", null);
		signal(SIGPIPE, SIG_IGN);
	}
	*d = (struct daemon){.control_fd = -1, .own_log_fd = -1};
	f->nchildren = 0;
	f->conn = -1;
	f->no_room = f->no_program = false;
	current = f;
	passed_ns = 0;
	list_init(&d->apps);
	for (size_t i = 0; i < ARRAY_LEN(d->by_pid); i++) {
		list_init(&d->by_pid[i]);
	}
	d->loop = ev_loop_new(EVFLAG_NOENV);
	f->ring = (struct ring){.protocol = KEEPER_PROTOCOL, .keeper_pid = FIRST_PID - 1};
	d->link = (struct link){.loop = d->loop, .ring = &f->ring, .event_fd = -1, .sock = -1};
	d->started_mono_ms = 1;
	find_paths(d);
	return begin(f, resume);
}

static void close_dirs(struct daemon *d)
{
	close(d->runtime_fd);
	close(d->state_fd);
	close(d->log_fd);
}

void fake_end(struct fake *f)
{
	struct daemon *d = &f->daemon;
	fake_disconnect(f);
	server_finish(&d->server, true);
	exporter_finish(&d->exporter, true);
	schedule_finish(&d->schedule);
	sampler_finish(&d->sampler);
	turntime_finish(&d->turntime);
	ops_finish(&d->ops);
	applists_finish(&d->lists);
	apps_free_all(d); /* some run still, and have their outputs */
	outputs_finish(&d->outputs);
	/* Probes that were called off wait for a process that is not there. */
	for (size_t i = 0; i < f->nchildren; i++) {
		fake_lose(f, i);
	}
	fake_turn(f);
	turns_finish(&d->turns);
	pasts_finish(&d->pasts);
	tally_finish(&d->tally);
	ev_timer_stop(d->loop, &d->collect);
	store_finish(&d->store);
	if (d->store.sync_fd >= 0) {
		close(d->store.sync_fd);
	}
	sockets_finish(&d->sockets);
	events_finish(&d->events);
	proc_table_finish(&d->processes);
	json_decref(d->saved_sockets);
	json_decref(d->stop_call.id);
	ev_loop_destroy(d->loop);
	paths_finish(&d->paths);
	close_dirs(d);
	for (size_t i = 0; i < f->nchildren; i++) {
		close(f->child[i].pidfd);
		close(f->child[i].channel);
		close(f->child[i].out);
	}
	buf_finish(&f->reply);
	passed_ns = 0;
}

/* --- what happens to it --- */

/* Whatever was asked for, the answer is a JSON object a line. */
static void read_replies(struct fake *f)
{
	char chunk[16384];
	ssize_t n;
	while (f->conn >= 0 && (n = recv(f->conn, chunk, sizeof(chunk), MSG_DONTWAIT)) >= 0) {
		if (n == 0) {
			fake_disconnect(f);
			return;
		}
		buf_add(&f->reply, chunk, (size_t)n);
		for (char *nl; (nl = memchr(f->reply.data, '\n', f->reply.len));) {
			size_t len = (size_t)(nl - f->reply.data) + 1;
			json_t *v = json_loadb(f->reply.data, len, JSON_ALLOW_NUL, NULL);
			if (!json_is_object(v)) {
				abort();
			}
			json_decref(v);
			buf_consume(&f->reply, len);
		}
	}
	if (f->conn >= 0 && errno != EAGAIN) {
		fake_disconnect(f);
	}
}

void fake_turn(struct fake *f)
{
	for (int i = 0; i < TURNS; i++) {
		ev_run(f->daemon.loop, EVRUN_NOWAIT);
	}
	read_replies(f);
}

void fake_pass(struct fake *f, long ms)
{
	passed_ns += (int64_t)ms * 1000000;
	fake_turn(f);
}

static bool connect_client(struct fake *f)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", f->daemon.paths.socket);
	f->conn = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(f->conn, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		abort();
	}
	return true;
}

void fake_client(struct fake *f, const char *data, size_t len)
{
	if (f->conn < 0) {
		connect_client(f);
	}
	while (len > 0 && f->conn >= 0) {
		ssize_t n = send(f->conn, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN) {
			fake_disconnect(f);
			return;
		}
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		fake_turn(f);
	}
}

void fake_disconnect(struct fake *f)
{
	if (f->conn >= 0) {
		close(f->conn);
		f->conn = -1;
		buf_finish(&f->reply);
	}
}

struct fake_child *fake_child(struct fake *f, size_t i)
{
	return f->nchildren ? &f->child[i % f->nchildren] : NULL;
}

void fake_exit(struct fake *f, size_t i, int status)
{
	struct fake_child *c = fake_child(f, i);
	if (c) {
		struct ring_record rec = {
			.pid = c->pid, .status = status, .mono_ms = clock_mono_ms()};
		reap_record(&f->daemon, &rec);
		fake_turn(f);
	}
}

void fake_lose(struct fake *f, size_t i)
{
	struct fake_child *c = fake_child(f, i);
	if (c) {
		eventfd_write(c->pidfd, 1);
		fake_turn(f);
	}
}
