/* SPDX-License-Identifier: MIT */
#include "sys/portowner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

static uint16_t port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	/* The port lies at the same place in both families. */
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

/* Wait until the kernel shows what a program was started with: it closes the descriptors of the old
 * program before that (begin_new_exec() and create_elf_tables() of Linux). */
static void await_environ(pid_t pid)
{
	char path[64];
	char byte;
	ssize_t n = 0;
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	for (int tries = 0; n <= 0 && tries < 10000; tries++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		n = read(fd, &byte, 1);
		close(fd);
		if (n <= 0) {
			poll(NULL, 0, 1);
		}
	}
	assert_int_equal(n, 1);
}

/* Run `sleep` under another name with fd, which we give up. It has this variable in front. */
static pid_t start_holder(int fd, const char *variable)
{
	char *argv[] = {(char *)(uintptr_t) "hold\033er", (char *)(uintptr_t) "60", NULL};
	char *env[] = {(char *)(uintptr_t)variable, NULL};
	int run[2];
	char byte;
	assert_int_equal(pipe2(run, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		fcntl(fd, F_SETFD, 0);
		execve("/bin/sleep", argv, env);
		_exit(127);
	}
	close(run[1]);
	assert_int_equal(read(run[0], &byte, 1), 0); /* closed by the exec */
	close(run[0]);
	close(fd);
	await_environ(pid);
	return pid;
}

static void end_holder(pid_t pid)
{
	int status;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static int open_listener(const char *host, enum sock_kind kind, unsigned flags)
{
	int error;
	return sock_listen(&(struct sock_req){.kind = kind, .host = host, .flags = flags}, NULL,
			   &error);
}

static void who_it_is(void **state)
{
	(void)state;
	static const char *const variables[] = {"PMCTL_APP=web", "PMCTL_APPS=web", "PMCTL_APP="};
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		struct portowner o;
		char text[300], want[300];
		int fd = open_listener("127.0.0.1", SOCK_KIND_TCP, 0);
		struct sock_req req = {.host = "127.0.0.1", .port = port_of(fd)};
		pid_t pid = start_holder(fd, variables[i]);
		bool found = portowner_find(&req, &o);
		end_holder(pid);
		assert_true(found);
		assert_int_equal(o.pid, pid);
		assert_int_equal(o.uid, geteuid());
		assert_null(strchr(o.cmd, '\033'));
		assert_string_equal(o.app, i == 0 ? "web" : "");
		portowner_describe(&o, text, sizeof(text));
		snprintf(want, sizeof(want), "in use by pid %d (%s, uid %u), %s", (int)pid, o.cmd,
			 (unsigned)geteuid(), i == 0 ? "the app web" : "not one of ours");
		assert_string_equal(text, want);
		assert_non_null(strstr(text, "60"));
		/* It is free again. */
		assert_false(portowner_find(&req, &o));
		assert_int_equal(o.pid, 0);
	}
}

/* Where we cannot listen because of somebody, we find him; where we can, there is nobody. */
static void assert_as_the_kernel_says(const char *held, unsigned held_flags)
{
	static const char *const hosts[] = {NULL, "0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1"};
	int fd = open_listener(held, SOCK_KIND_TCP, held_flags);
	if (fd < 0) {
		return; /* no IPv6 here */
	}
	uint16_t port = port_of(fd);
	pid_t pid = start_holder(fd, "A=1");
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct portowner o;
		struct sock_req req = {.host = hosts[i], .port = port};
		int error = 0;
		int got = sock_listen(&req, NULL, &error);
		if (got >= 0) {
			close(got);
		}
		bool found = portowner_find(&req, &o);
		if (error == EADDRINUSE && (!found || o.pid != pid)) {
			end_holder(pid);
			fail_msg("%s is in the way of %s: %d, pid %d", held ? held : "any",
				 hosts[i] ? hosts[i] : "any", found, (int)o.pid);
		}
		/* It is asked after a failure only, so every address may stand for both families.
		 */
		bool any = !held || !hosts[i] || strcmp(held, "0.0.0.0") == 0 ||
			   strcmp(held, "::") == 0 || strcmp(hosts[i], "0.0.0.0") == 0;
		if (got >= 0 && found && !any) {
			end_holder(pid);
			fail_msg("%s is not in the way of %s", held ? held : "any",
				 hosts[i] ? hosts[i] : "any");
		}
	}
	end_holder(pid);
}

static void as_the_kernel_says(void **state)
{
	(void)state;
	assert_as_the_kernel_says(NULL, 0);
	assert_as_the_kernel_says("0.0.0.0", 0);
	assert_as_the_kernel_says("127.0.0.1", 0);
	assert_as_the_kernel_says("::1", 0);
	assert_as_the_kernel_says("::", SOCK_V6ONLY);
}

static void what_holds_no_port(void **state)
{
	(void)state;
	struct portowner o = {.pid = 9};
	int fd = open_listener("127.0.0.1", SOCK_KIND_TCP, 0);
	struct sock_req req = {.host = "127.0.0.1", .port = port_of(fd)};
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(req.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	/* The connection's own port is not one somebody listens on. */
	int c = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&sa, sizeof(sa)), 0);
	struct sock_req other = {.host = "127.0.0.1", .port = port_of(c)};
	assert_false(portowner_find(&other, &o));
	assert_int_equal(o.pid, 0);
	/* TCP and UDP do not see each other; neither do names in the file system. */
	struct sock_req udp = {.kind = SOCK_KIND_UDP, .host = "127.0.0.1", .port = req.port};
	assert_false(portowner_find(&udp, &o));
	struct sock_req path = {.kind = SOCK_KIND_UNIX, .path = "/x", .port = req.port};
	assert_false(portowner_find(&path, &o));
	req.port = 0;
	assert_false(portowner_find(&req, &o));
	close(c);
	close(fd);
}

static void never_ourselves(void **state)
{
	(void)state;
	struct portowner o;
	int fd = open_listener("127.0.0.1", SOCK_KIND_TCP, 0);
	struct sock_req req = {.host = "127.0.0.1", .port = port_of(fd)};
	portowner_find(&req, &o);
	assert_int_equal(o.pid, 0);
	/* But one that has the socket from us. */
	int copy = dup(fd);
	pid_t pid = start_holder(copy, "PMCTL_APP=a");
	bool found = portowner_find(&req, &o);
	end_holder(pid);
	assert_true(found);
	assert_int_equal(o.pid, pid);
	close(fd);
}

static void udp_too(void **state)
{
	(void)state;
	struct portowner o;
	int fd = open_listener("127.0.0.1", SOCK_KIND_UDP, 0);
	struct sock_req req = {.kind = SOCK_KIND_UDP, .host = "127.0.0.1", .port = port_of(fd)};
	pid_t pid = start_holder(fd, "PMCTL_APP=dns");
	bool found = portowner_find(&req, &o);
	req.kind = SOCK_KIND_TCP;
	bool as_tcp = portowner_find(&req, &(struct portowner){0});
	end_holder(pid);
	assert_true(found);
	assert_int_equal(o.pid, pid);
	assert_string_equal(o.app, "dns");
	assert_false(as_tcp);
}

static void descriptions(void **state)
{
	(void)state;
	struct portowner o = {.uid = 33, .inode = 5};
	char text[200], tiny[16];
	portowner_describe(&o, text, sizeof(text));
	assert_string_equal(text, "in use by a process of uid 33 that we may not look at");
	o.pid = 4711;
	snprintf(o.cmd, sizeof(o.cmd), "node old.js");
	portowner_describe(&o, text, sizeof(text));
	assert_string_equal(text, "in use by pid 4711 (node old.js, uid 33), not one of ours");
	snprintf(o.app, sizeof(o.app), "web");
	portowner_describe(&o, text, sizeof(text));
	assert_string_equal(text, "in use by pid 4711 (node old.js, uid 33), the app web");
	portowner_describe(&o, tiny, sizeof(tiny));
	assert_string_equal(tiny, "in use by pid 4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_it_is),
		cmocka_unit_test(as_the_kernel_says),
		cmocka_unit_test(what_holds_no_port),
		cmocka_unit_test(never_ourselves),
		cmocka_unit_test(udp_too),
		cmocka_unit_test(descriptions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
