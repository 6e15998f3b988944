/* SPDX-License-Identifier: MIT */
#include "sys/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

struct row {
	struct paths_env env;
	const char *runtime, *state, *log; /* runtime NULL = refused */
	const char *error;
};

static const struct row rows[] = {
	{{.uid = 0}, "/run/pmctl", "/var/lib/pmctl", "/var/log/pmctl", NULL},
	{{.uid = 0, .xdg_state_home = "/x", .home = "/root"},
	 "/run/pmctl",
	 "/var/lib/pmctl",
	 "/var/log/pmctl",
	 NULL},
	{{.uid = 0, .pmctl_home = "/srv/p//"}, "/srv/p/run", "/srv/p/state", "/srv/p/log", NULL},
	{{.uid = 77777, .home = "/home/a"},
	 "/home/a/.local/state/pmctl/run",
	 "/home/a/.local/state/pmctl",
	 "/home/a/.local/state/pmctl/log",
	 NULL},
	{{.uid = 77777, .home = "/home/a", .xdg_state_home = "/s", .xdg_runtime_dir = "/not/there"},
	 "/not/there/pmctl",
	 "/s/pmctl",
	 "/s/pmctl/log",
	 NULL},
	{{.uid = 77777, .home = "/home/a", .xdg_state_home = "rel", .xdg_runtime_dir = "rel"},
	 "/home/a/.local/state/pmctl/run",
	 "/home/a/.local/state/pmctl",
	 "/home/a/.local/state/pmctl/log",
	 NULL},
	/* somebody else's runtime directory is not ours */
	{{.uid = 77777, .home = "/home/a", .xdg_runtime_dir = "/proc"},
	 "/home/a/.local/state/pmctl/run",
	 "/home/a/.local/state/pmctl",
	 "/home/a/.local/state/pmctl/log",
	 NULL},
	{{.pmctl_home = "rel"}, NULL, NULL, NULL, "must be an absolute path"},
};

static void test_resolve(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct paths p = {0};
		struct err err = {0};
		assert_int_equal(paths_resolve_from(&r->env, &p, &err), r->runtime != NULL);
		if (r->error) {
			assert_non_null(strstr(err.msg, r->error));
			assert_int_equal(err.code, ERR_USAGE);
			assert_null(p.socket);
			continue;
		}
		assert_string_equal(p.runtime, r->runtime);
		assert_string_equal(p.state, r->state);
		assert_string_equal(p.log, r->log);
		char want[200];
		snprintf(want, sizeof(want), "%s/control.sock", r->runtime);
		assert_string_equal(p.socket, want);
		paths_finish(&p);
		paths_finish(&p);
	}
}

/* "/aaa...": the socket path is exactly len bytes long. */
static bool resolve_with_socket_len(size_t len, struct err *err)
{
	char home[200] = "/";
	size_t n = len - strlen("/run/control.sock");
	memset(home + 1, 'a', n - 1);
	home[n] = '\0';
	struct paths p = {0};
	bool ok = paths_resolve_from(&(struct paths_env){.pmctl_home = home}, &p, err);
	assert_true(!ok || strlen(p.socket) == len);
	paths_finish(&p);
	return ok;
}

static void test_socket_length(void **state)
{
	(void)state;
	struct err err = {0};
	assert_true(resolve_with_socket_len(107, &err));
	assert_false(resolve_with_socket_len(108, &err));
	assert_non_null(strstr(err.msg, "108 bytes are too long"));
	assert_non_null(strstr(err.msg, "PMCTL_HOME"));
}

static void test_environment(void **state)
{
	(void)state;
	setenv("PMCTL_HOME", "/some/where", 1);
	struct paths p = {0};
	assert_true(paths_resolve(&p, NULL));
	assert_string_equal(p.lock, "/some/where/state/pmctld.lock");
	paths_finish(&p);
	unsetenv("PMCTL_HOME");
	assert_true(paths_resolve(&p, NULL));
	assert_true(p.runtime[0] == '/' && p.state[0] == '/');
	paths_finish(&p);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void assert_refused(const char *path, mode_t mode, const char *why)
{
	struct err err = {0};
	assert_int_equal(paths_open_dir(path, mode, &err), -1);
	if (!strstr(err.msg, why)) {
		fail_msg("\"%s\" lacks \"%s\"", err.msg, why);
	}
}

static void test_open_dir(void **state)
{
	const char *base = *state;
	char deep[200], link[200], file[200];
	snprintf(deep, sizeof(deep), "%s/a/b/run", base);
	snprintf(link, sizeof(link), "%s/link", base);
	snprintf(file, sizeof(file), "%s/file", base);
	mode_t old = umask(0);
	int fd = paths_open_dir(deep, 0700, NULL);
	umask(old);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(mode_of(deep), 0700);

	assert_int_equal(chmod(deep, 0777), 0);
	assert_refused(deep, 0700, "is writable by others (mode 0777); fix: chmod 700 ");
	assert_refused(deep, 0750, "fix: chmod 750 ");
	assert_int_equal(chmod(deep, 0750), 0);
	assert_refused(deep, 0700, "is readable by others");
	fd = paths_open_dir(deep, 0750, NULL);
	assert_true(fd >= 0);
	close(fd);

	assert_int_equal(symlink(deep, link), 0);
	assert_refused(link, 0750, "is a symbolic link");
	close(open(file, O_CREAT | O_WRONLY, 0600));
	assert_refused(file, 0700, "Not a directory");
	assert_refused("/proc/nothing/there", 0700, "create directory /proc/nothing");
}

static void test_foreign_owner(void **state)
{
	const char *base = *state;
	char dir[200];
	snprintf(dir, sizeof(dir), "%s/foreign", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	if (geteuid() != 0 || chown(dir, 12345, 12345) != 0) {
		skip();
	}
	assert_refused(dir, 0700, "belongs to uid 12345, not to us");
}

static int setup(void **state)
{
	char *dir = xstrdup("/tmp/pmctl-test-XXXXXX");
	*state = dir;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"a/b/run", "a/b", "a", "link", "file", "foreign", "."};
	char path[200];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
		if (rmdir(path) != 0) {
			unlink(path);
		}
	}
	rmdir(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),	      cmocka_unit_test(test_socket_length),
		cmocka_unit_test(test_environment),   cmocka_unit_test(test_open_dir),
		cmocka_unit_test(test_foreign_owner),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
