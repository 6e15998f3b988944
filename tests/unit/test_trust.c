/* SPDX-License-Identifier: MIT */
/* trust and asuser: who could lead root elsewhere, and working as that user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/asuser.h"
#include "sys/trust.h"

#define SOMEBODY 12345

static char dir[] = "/tmp/pmctl-test-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned next;
	next = (next + 1) % ARRAY_LEN(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static void make(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	assert_int_equal(mkdir(in_dir(name), 0700), 0);
	if (chmod(in_dir(name), mode) != 0 || chown(in_dir(name), uid, gid) != 0) {
		skip();
	}
}

static void assert_distrusted(const char *name, const struct asuser *user, const char *why)
{
	struct err err = {0};
	assert_false(trust_path(in_dir(name), user, &err));
	assert_int_equal(err.code, ERR_PERMISSION);
	if (!strstr(err.msg, why)) {
		fail_msg("\"%s\" lacks \"%s\"", err.msg, why);
	}
}

static void directories(void **state)
{
	(void)state;
	gid_t group = SOMEBODY;
	struct asuser member = {.uid = 1, .gid = 1, .groups = &group, .ngroups = 1};
	struct asuser other = {.uid = 1, .gid = 1};
	make("ours", 0755, geteuid(), getegid());
	assert_true(trust_path(in_dir("ours/x"), NULL, NULL));
	assert_true(trust_path(in_dir("none/of/these"), NULL, NULL));
	make("open", 0777, geteuid(), getegid());
	assert_distrusted("open/x", NULL, "writable by others");
	assert_int_equal(chmod(in_dir("open"), 01777), 0);
	assert_true(trust_path(in_dir("open/x"), NULL, NULL));
	make("theirs", 0755, SOMEBODY, SOMEBODY);
	assert_distrusted("theirs/x", NULL, "belongs to uid 12345");
	assert_distrusted("theirs/deeper/x", NULL, "belongs to uid 12345");
	make("group", 0775, geteuid(), SOMEBODY);
	assert_true(trust_path(in_dir("group/x"), &other, NULL));
	assert_distrusted("group/x", &member, "writable by group 12345");
}

static void links(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(symlink("theirs", in_dir("link")), 0);
	assert_distrusted("link/x", NULL, "belongs to uid 12345");
	assert_int_equal(symlink(in_dir("theirs"), in_dir("absolute")), 0);
	assert_distrusted("absolute/x", NULL, "belongs to uid 12345");
	assert_int_equal(symlink("ours/../ours", in_dir("good")), 0);
	assert_true(trust_path(in_dir("good/x"), NULL, NULL));
	assert_int_equal(symlink("turn", in_dir("turn")), 0);
	assert_distrusted("turn/x", NULL, strerror(ELOOP));
	/* A link at the very end is for whoever opens it. */
	assert_true(trust_path(in_dir("link"), NULL, NULL));
}

static void rights_of_a_user(void **state)
{
	(void)state;
	struct asuser a;
	struct stat st;
	gid_t groups[] = {SOMEBODY, 54321};
	if (geteuid() != 0) {
		skip();
	}
	asuser_init(&a, SOMEBODY, SOMEBODY, groups, 2);
	assert_true(asuser_begin(&a));
	assert_int_equal(open(in_dir("ours/x"), O_CREAT | O_WRONLY, 0600), -1);
	assert_int_equal(errno, EACCES);
	int fd = open(in_dir("theirs/x"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(getgroups(0, NULL), 2);
	errno = ENOENT;
	asuser_end();
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(st.st_gid, SOMEBODY);
	close(fd);
	fd = open(in_dir("ours/x"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0); /* we are root again */
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, 0);
	close(fd);
	asuser_finish(&a);
	asuser_finish(&a);
}

static int begin_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int end_dir(void **state)
{
	(void)state;
	static const char *const names[] = {"ours/x",	"theirs/x", "link",
					    "absolute", "good",	    "turn"};
	static const char *const dirs[] = {"ours", "open", "theirs", "group", ""};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unlink(in_dir(names[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		rmdir(in_dir(dirs[i]));
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories),
		cmocka_unit_test(links),
		cmocka_unit_test(rights_of_a_user),
	};
	return cmocka_run_group_tests(tests, begin_dir, end_dir);
}
