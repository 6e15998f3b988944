/* SPDX-License-Identifier: MIT */
#include "client/startup/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct buf text_of(const struct unit *u)
{
	struct buf out = {0};
	unit_add(&out, u);
	return out;
}

static void words_are_quoted(void **state)
{
	(void)state;
	struct unit u = {.pmctld = "/opt/a b/100%/$x/pmctld",
			 .pmctl = "/usr/bin/pmctl",
			 .pmctl_home = "/srv/it's \"$HOME\" 5% \\"};
	struct buf text = text_of(&u);
	assert_non_null(
		strstr(text.data, "\nExecStart=\"/opt/a b/100%%/$$x/pmctld\" --foreground\n"));
	assert_non_null(strstr(text.data, "\nExecReload=/usr/bin/pmctl daemon upgrade\n"));
	assert_non_null(strstr(text.data,
			       "\nEnvironment=\"PMCTL_HOME=/srv/it's \\\"$HOME\\\" 5%% \\\\\"\n"));
	assert_null(strstr(text.data, "PATH="));
	buf_finish(&text);
}

static void restrictions_are_for_the_system(void **state)
{
	(void)state;
	struct unit u = {.pmctld = "/usr/bin/pmctld", .pmctl = "/usr/bin/pmctl"};
	struct buf system = text_of(&u);
	u.user = true;
	struct buf user = text_of(&u);
	assert_non_null(strstr(system.data, "\nCapabilityBoundingSet="));
	assert_null(strstr(user.data, "CapabilityBoundingSet="));
	assert_null(strstr(system.data, "\nNoNewPrivileges="));
	buf_finish(&system);
	buf_finish(&user);
}

static void whose_a_unit_is(void **state)
{
	(void)state;
	const char *text = "[Service]\nExecStart=/new\n";
	struct buf old = {0}, now = {0}, edited = {0};
	unit_add_mark(&old, "[Service]\nExecStart=/old\n");
	buf_add(&edited, old.data, old.len);
	buf_adds(&old, "[Service]\nExecStart=/old\n");
	buf_adds(&edited, "[Service]\nExecStart=/old --more\n");
	unit_add_mark(&now, text);
	buf_adds(&now, text);
	assert_int_equal(unit_judge(now.data, text), UNIT_SAME);
	assert_int_equal(unit_judge(text, text), UNIT_SAME); /* as a package ships it */
	assert_int_equal(unit_judge(old.data, text), UNIT_OURS);
	assert_int_equal(unit_judge(edited.data, text), UNIT_EDITED);
	assert_int_equal(unit_judge("", text), UNIT_EDITED);
	assert_int_equal(unit_judge("[Service]\nExecStart=/own\n", text), UNIT_EDITED);
	assert_int_equal(unit_judge("# Written by pmctl startup, checksum", text), UNIT_EDITED);
	buf_finish(&old);
	buf_finish(&now);
	buf_finish(&edited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_quoted),
		cmocka_unit_test(restrictions_are_for_the_system),
		cmocka_unit_test(whose_a_unit_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
