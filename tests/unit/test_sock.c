/* SPDX-License-Identifier: MIT */
#include "sys/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"

static char dir[] = "/tmp/pmctl-test-XXXXXX";

static void descriptions(void **state)
{
	(void)state;
	static const struct {
		struct sock_req req;
		const char *want;
	} rows[] = {
		{{.kind = SOCK_KIND_TCP, .port = 3000}, "0.0.0.0:3000"},
		{{.kind = SOCK_KIND_TCP, .host = "127.0.0.1", .port = 1}, "127.0.0.1:1"},
		{{.kind = SOCK_KIND_UDP, .host = "::1", .port = 65535}, "[::1]:65535"},
		{{.kind = SOCK_KIND_TCP, .host = "localhost"}, "localhost:0"},
		{{.kind = SOCK_KIND_UNIX, .path = "/run/x.sock"}, "/run/x.sock"},
		{{.kind = SOCK_KIND_UNIX}, ""},
	};
	char out[SOCK_NAME], host[400];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sock_describe(&rows[i].req, out);
		assert_string_equal(out, rows[i].want);
	}
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	sock_describe(&(struct sock_req){.host = host}, out);
	assert_int_equal(strlen(out), SOCK_NAME - 1);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	/* The port lies at the same place in both families. */
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

static int open_ok(const struct sock_req *req)
{
	struct err err = {0};
	int error = -5;
	int fd = sock_listen(req, &err, &error);
	if (fd < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(error, -5); /* untouched */
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(sock_is_listener(fd));
	return fd;
}

static void assert_fails(const struct sock_req *req, int want)
{
	struct err err = {0};
	int error = 0;
	char what[SOCK_NAME], says[SOCK_NAME + 40];
	errno = 0;
	assert_int_equal(sock_listen(req, &err, &error), -1);
	assert_int_equal(error, want);
	sock_describe(req, what);
	snprintf(says, sizeof(says),
		 "cannot listen on %s%s: ", req->kind == SOCK_KIND_UDP ? "udp " : "", what);
	assert_memory_equal(err.msg, says, strlen(says));
	assert_string_equal(err.msg + strlen(says), strerror(want));
}

static void assert_name(int fd, const char *fmt, unsigned port)
{
	char got[SOCK_NAME], want[SOCK_NAME];
	snprintf(want, sizeof(want), "%s%u", fmt, port);
	assert_true(sock_name(fd, got));
	assert_string_equal(got, want);
}

static bool have_v6(void)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool have = fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	close(fd);
	return have;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void every_address(void **state)
{
	(void)state;
	bool v6 = have_v6();
	int fd = open_ok(&(struct sock_req){.kind = SOCK_KIND_TCP});
	uint16_t port = port_of(fd);
	assert_true(port > 0);
	assert_name(fd, v6 ? "tcp:[::]:" : "tcp:0.0.0.0:", port);
	close(connect_to(port)); /* IPv4 gets there either way */
	/* It is taken in both families. */
	assert_fails(&(struct sock_req){.port = port}, EADDRINUSE);
	assert_fails(&(struct sock_req){.host = "127.0.0.1", .port = port}, EADDRINUSE);
	if (v6) {
		assert_fails(&(struct sock_req){.host = "::1", .port = port}, EADDRINUSE);
	}
	close(fd);
}

static void blocking(void **state)
{
	(void)state;
	struct err err = {0};
	int error = 0;
	struct sock_req req = {.host = "127.0.0.1", .flags = SOCK_BLOCKING};
	int fd = sock_listen(&req, &err, &error);
	assert_true(fd >= 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void one_address(void **state)
{
	(void)state;
	int fd = open_ok(&(struct sock_req){.host = "127.0.0.1"});
	uint16_t port = port_of(fd);
	assert_name(fd, "tcp:127.0.0.1:", port);
	int other = open_ok(&(struct sock_req){.host = "127.0.0.2", .port = port});
	close(other);
	close(fd);
	fd = open_ok(&(struct sock_req){.host = "localhost"});
	close(fd);
	/* An address of somebody else (RFC 5737). */
	assert_fails(&(struct sock_req){.host = "203.0.113.7"}, EADDRNOTAVAIL);
}

static void v6_only(void **state)
{
	(void)state;
	if (!have_v6()) {
		skip();
	}
	int six = open_ok(&(struct sock_req){.host = "::", .flags = SOCK_V6ONLY});
	uint16_t port = port_of(six);
	assert_name(six, "tcp:[::]:", port);
	int four = open_ok(&(struct sock_req){.host = "0.0.0.0", .port = port});
	assert_name(four, "tcp:0.0.0.0:", port);
	close(six);
	/* Without the flag it would be both. */
	assert_fails(&(struct sock_req){.host = "::", .port = port}, EADDRINUSE);
	close(four);
	six = open_ok(&(struct sock_req){.host = "::1"});
	assert_name(six, "tcp:[::1]:", port_of(six));
	close(six);
}

static void several_on_one_port(void **state)
{
	(void)state;
	struct sock_req req = {.host = "127.0.0.1", .flags = SOCK_REUSEPORT};
	int one = open_ok(&req);
	req.port = port_of(one);
	int two = open_ok(&req);
	req.flags = 0;
	assert_fails(&req, EADDRINUSE);
	close(one);
	close(two);
	/* UDP needs its own flag, and then all of them. */
	req = (struct sock_req){.kind = SOCK_KIND_UDP, .host = "127.0.0.1"};
	one = open_ok(&req);
	req.port = port_of(one);
	assert_name(one, "udp:127.0.0.1:", req.port);
	assert_fails(&req, EADDRINUSE);
	req.flags = SOCK_UDP_REUSEADDR;
	assert_fails(&req, EADDRINUSE);
	close(one);
	one = open_ok(&req);
	two = open_ok(&req);
	close(one);
	close(two);
}

/* A connection we ended lingers in TIME_WAIT; the port is ours again at once all the same. */
static void again_after_a_connection(void **state)
{
	(void)state;
	struct sock_req req = {.host = "127.0.0.1"};
	int fd = open_ok(&req);
	char byte;
	req.port = port_of(fd);
	int c = connect_to(req.port);
	int a = accept(fd, NULL, NULL);
	assert_true(a >= 0);
	close(a);
	assert_int_equal(read(c, &byte, 1), 0);
	close(c);
	close(fd);
	close(open_ok(&req));
}

static void queues(void **state)
{
	(void)state;
	unsigned waiting = 9, backlog = 9;
	int fd = open_ok(&(struct sock_req){.host = "127.0.0.1", .backlog = 3});
	assert_true(sock_queue(fd, &waiting, &backlog));
	assert_int_equal(waiting, 0);
	assert_int_equal(backlog, 3);
	int c[] = {connect_to(port_of(fd)), connect_to(port_of(fd))};
	assert_true(sock_queue(fd, &waiting, &backlog));
	assert_int_equal(waiting, 2);
	int a = accept(fd, NULL, NULL);
	assert_true(sock_queue(fd, &waiting, &backlog));
	assert_int_equal(waiting, 1);
	/* Others have none, and leave what we had. */
	waiting = backlog = 9;
	assert_false(sock_queue(a, &waiting, &backlog));
	assert_false(sock_queue(c[0], &waiting, &backlog));
	assert_false(sock_queue(0, &waiting, &backlog));
	int udp = open_ok(&(struct sock_req){.kind = SOCK_KIND_UDP, .host = "127.0.0.1"});
	assert_false(sock_queue(udp, &waiting, &backlog));
	assert_false(sock_queue(-1, &waiting, &backlog));
	assert_int_equal(waiting, 9);
	assert_int_equal(backlog, 9);
	int all[] = {fd, c[0], c[1], a, udp};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		close(all[i]);
	}
	fd = open_ok(&(struct sock_req){.host = "127.0.0.1"});
	assert_true(sock_queue(fd, &waiting, &backlog));
	assert_true(backlog > 0 && backlog <= 511);
	close(fd);
}

static const char *in_dir(const char *name)
{
	static char path[2][150];
	static unsigned next;
	next ^= 1;
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static void unix_modes(void **state)
{
	(void)state;
	static const struct {
		unsigned flags;
		mode_t mode;
	} rows[] = {{0, 0600},
		    {SOCK_READABLE_ALL, 0644},
		    {SOCK_WRITABLE_ALL, 0622},
		    {SOCK_READABLE_ALL | SOCK_WRITABLE_ALL, 0666}};
	for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
		struct stat st;
		char name[SOCK_NAME];
		struct sock_req req = {
			.kind = SOCK_KIND_UNIX, .path = in_dir("s"), .flags = rows[i / 2].flags};
		mode_t mask = i % 2 ? 0077 : 0;
		mode_t old = umask(mask);
		int fd = open_ok(&req);
		assert_int_equal(umask(old), mask); /* as it was */
		assert_int_equal(stat(req.path, &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i / 2].mode);
		assert_true(sock_name(fd, name));
		assert_memory_equal(name, "unix:", 5);
		assert_string_equal(name + 5, req.path);
		close(fd); /* leaves the file, as a killed process does: the next replaces it */
	}
}

static void unix_paths_in_the_way(void **state)
{
	(void)state;
	struct stat st;
	struct sock_req req = {.kind = SOCK_KIND_UNIX, .path = in_dir("live")};
	char *live = xstrdup(req.path);
	req.path = live;
	int fd = open_ok(&req);
	assert_fails(&req, EADDRINUSE); /* somebody answers */
	assert_int_equal(stat(live, &st), 0);
	/* A link to a dead socket is not ours to remove, nor is a file. */
	close(fd);
	req.path = in_dir("link");
	assert_int_equal(symlink("live", req.path), 0);
	assert_fails(&req, EADDRINUSE);
	assert_int_equal(lstat(req.path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	req.path = in_dir("file");
	close(open(req.path, O_CREAT | O_WRONLY, 0600));
	assert_fails(&req, EADDRINUSE);
	assert_int_equal(stat(req.path, &st), 0);
	/* Somebody else's kind of socket, which cannot answer. */
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", in_dir("dgram"));
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	req.path = sa.sun_path;
	assert_fails(&req, EADDRINUSE);
	assert_int_equal(stat(req.path, &st), 0);
	close(fd);
	req.path = in_dir("no/such");
	assert_fails(&req, ENOENT);
	req.path = NULL;
	assert_fails(&req, ENAMETOOLONG);
	free(live);
}

static void unix_path_lengths(void **state)
{
	(void)state;
	char path[120];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s/", dir);
	memset(path + n, 'p', sizeof(path) - n);
	path[108] = '\0';
	assert_fails(&(struct sock_req){.kind = SOCK_KIND_UNIX, .path = path}, ENAMETOOLONG);
	path[107] = '\0';
	int fd = open_ok(&(struct sock_req){.kind = SOCK_KIND_UNIX, .path = path});
	char name[SOCK_NAME];
	assert_true(sock_name(fd, name));
	assert_string_equal(name + 5, path);
	close(fd);
	unlink(path);
}

static void unix_as_a_user(void **state)
{
	(void)state;
	struct stat st;
	char *locked = xstrdup(in_dir("locked"));
	char *theirs = xstrdup(in_dir("theirs"));
	struct sock_req req = {.kind = SOCK_KIND_UNIX, .as_user = true, .uid = 12345, .gid = 54321};
	if (geteuid() != 0 || mkdir(theirs, 0700) != 0 || chown(theirs, 12345, 54321) != 0) {
		free(locked);
		free(theirs);
		skip();
	}
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(mkdir(locked, 0700), 0);
	char *path = xasprintf("%s/s", theirs);
	req.path = path;
	int fd = open_ok(&req);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
	close(fd);
	free(path);
	/* Root's rights are of no use there, and are back afterwards. */
	path = xasprintf("%s/s", locked);
	req.path = path;
	assert_fails(&req, EACCES);
	req.as_user = false;
	fd = open_ok(&req);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	close(fd);
	unlink(path);
	free(path);
	path = xasprintf("%s/s", theirs);
	unlink(path);
	free(path);
	rmdir(locked);
	rmdir(theirs);
	free(locked);
	free(theirs);
}

static void names_are_safe(void **state)
{
	(void)state;
	char name[SOCK_NAME];
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int p[2];
	int fd = open_ok(&(struct sock_req){.kind = SOCK_KIND_UNIX, .path = in_dir("\033[2J")});
	assert_true(sock_name(fd, name));
	assert_non_null(strstr(name, "/\\x1b[2J"));
	close(fd);
	/* One without a name, one in the abstract namespace, and what is no socket. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_false(sock_name(p[0], name));
	assert_false(sock_is_listener(p[0]));
	close(p[0]);
	close(p[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%cpmctl-test-%d", 0, (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_true(sock_name(fd, name));
	assert_memory_equal(name, "unix:", 5);
	assert_false(sock_is_listener(fd));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(sock_is_listener(fd));
	close(fd);
	assert_int_equal(pipe(p), 0);
	assert_false(sock_name(p[0], name));
	assert_false(sock_is_listener(p[0]));
	close(p[0]);
	close(p[1]);
	assert_false(sock_is_listener(p[0]));
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"s", "live", "link", "file", "dgram", "\033[2J"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unlink(in_dir(names[i]));
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptions),
		cmocka_unit_test(every_address),
		cmocka_unit_test(one_address),
		cmocka_unit_test(blocking),
		cmocka_unit_test(v6_only),
		cmocka_unit_test(several_on_one_port),
		cmocka_unit_test(again_after_a_connection),
		cmocka_unit_test(queues),
		cmocka_unit_test(unix_modes),
		cmocka_unit_test(unix_paths_in_the_way),
		cmocka_unit_test(unix_path_lengths),
		cmocka_unit_test(unix_as_a_user),
		cmocka_unit_test(names_are_safe),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
