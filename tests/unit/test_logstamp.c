/* SPDX-License-Identifier: MIT */
#include "client/logstamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "client/logsrc.h"
#include "common/mem.h"

#define T "2026-11-22T14:03:01.118Z"

/* What is left of the line; NULL = it is not one of ours. */
static void expect(enum logstamp form, const char *text, const char *left)
{
	struct buf room = {0};
	struct logline l = {.data = text, .len = strlen(text), .t_ns = 5};
	bool ok = logstamp_take(form, &l, &room);
	if (ok != (left != NULL)) {
		fail_msg("%s: %s", text, ok ? "taken" : "not taken");
	}
	const char *want = left ? left : text;
	assert_int_equal(l.len, strlen(want));
	assert_memory_equal(l.data, want, l.len);
	assert_int_equal(l.t_ns, left ? INT64_C(1795356181118000000) : 5);
	assert_int_equal(l.pid, left && form == LOGSTAMP_JSON ? 71 : 0);
	buf_finish(&room);
}

static void time_in_front(void **state)
{
	(void)state;
	expect(LOGSTAMP_TIME, T " text", "text");
	expect(LOGSTAMP_TIME, T " ", "");
	expect(LOGSTAMP_TIME, T " " T " text", T " text"); /* the second one is the app's */
	static const char *const others[] = {"",
					     "text",
					     T,
					     T "\ttext",
					     "2026-11-22T14:03:01Z text",
					     "2026-11-22T14:03:01.118+01 text",
					     "2026-11-22 14:03:01.118Z text",
					     "x026-11-22T14:03:01.118Z text",
					     " " T " text"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		expect(LOGSTAMP_TIME, others[i], NULL);
		expect(LOGSTAMP_JSON, others[i], NULL);
	}
	expect(LOGSTAMP_NONE, T " text", NULL);
}

#define HEAD "{\"t\":\"" T "\",\"app\":\"web\",\"slot\":0,\"pid\":71,\"stream\":\"out\",\"msg\":\""

static void an_object(void **state)
{
	(void)state;
	expect(LOGSTAMP_JSON, HEAD "text\"}", "text");
	expect(LOGSTAMP_JSON, HEAD "\"}", "");
	expect(LOGSTAMP_JSON, HEAD "a \\\"b\\\" \\u00e4\\u001b{\\\"t\\\":1}\"}",
	       "a \"b\" ä\033{\"t\":1}");
	static const char *const others[] = {
		HEAD, /* cut */
		HEAD "text\"} more",
		HEAD "text\",\"more\":1}",
		HEAD "text\",\"msg\":\"twice\"}",
		"{\"t\":\"" T "\",\"app\":\"web\",\"msg\":\"text\"}",
		"{\"t\":\"" T
		"\",\"app\":\"web\",\"slot\":0,\"pid\":71,\"stream\":\"out\",\"msg\":1}",
		"{\"app\":\"web\",\"t\":\"" T
		"\",\"slot\":0,\"pid\":71,\"stream\":\"out\",\"msg\":\"a\"}"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		expect(LOGSTAMP_JSON, others[i], NULL);
	}
	expect(LOGSTAMP_TIME, HEAD "text\"}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_in_front),
		cmocka_unit_test(an_object),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
