/* SPDX-License-Identifier: MIT */
/* progress and block: what notifications make of the rows, and how they are drawn. */
#include "client/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"

static void take(struct progress *p, int64_t now, const char *json)
{
	json_t *v = json_loads(json, 0, NULL);
	assert_non_null(v);
	progress_take(p, v, now);
	json_decref(v);
}

/* The reload of the manual: two are new, one waits for its probe, one has not begun. */
static void half_way(struct progress *p)
{
	progress_init(p, "reload", 0);
	take(p, 0,
	     "{\"op\":7,\"phase\":\"begin\",\"apps\":[{\"app\":\"web\",\"serving\":4,\"total\":4,"
	     "\"parallel\":1,\"ready\":\"http://127.0.0.1:4100/healthz\",\"ready_timeout_ms\":"
	     "30000}],\"targets\":[{\"app\":\"web\",\"slot\":0,\"pid\":48213},{\"app\":\"web\","
	     "\"slot\":1,\"pid\":48214},{\"app\":\"web\",\"slot\":2,\"pid\":48215},{\"app\":"
	     "\"web\",\"slot\":3,\"pid\":48216}]}");
	for (int slot = 0; slot < 2; slot++) {
		char text[400];
		static const char *const steps[] = {
			"\"phase\":\"starting\",\"ms\":null,\"over\":false",
			"\"phase\":\"ready\",\"ms\":1203,\"over\":false",
			"\"phase\":\"draining\",\"ms\":null,\"over\":false",
			"\"phase\":\"drained\",\"ms\":801,\"over\":true,\"ok\":true"};
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			snprintf(text, sizeof(text),
				 "{\"op\":7,\"app\":\"web\",\"slot\":%d,\"pid\":%d,\"old_pid\":%d,"
				 "\"serving\":4,\"total\":4,\"text\":\"some words\",%s}",
				 slot, 51877 + slot, 48213 + slot, steps[i]);
			take(p, 1000, text);
		}
	}
	take(p, 4000,
	     "{\"op\":7,\"phase\":\"starting\",\"app\":\"web\",\"slot\":2,\"pid\":51930,"
	     "\"old_pid\":48215,\"serving\":4,\"total\":4,\"over\":false,\"text\":\"\"}");
	take(p, 4100,
	     "{\"op\":7,\"phase\":\"waiting\",\"app\":\"web\",\"slot\":2,\"pid\":51930,"
	     "\"old_pid\":48215,\"serving\":4,\"total\":4,\"over\":false,"
	     "\"text\":\"GET /healthz gave 503\"}");
}

static void expect(const struct progress *p, const struct block_look *look, const char *want)
{
	struct buf out = {0};
	size_t lines = block_draw(p, look, &out);
	assert_string_equal(out.data, want);
	for (const char *s = out.data; *s; s++) {
		lines -= *s == '\n';
	}
	assert_int_equal(lines, 0);
	buf_finish(&out);
}

static void the_frame_of_the_manual(void **state)
{
	struct progress p;
	struct block_look look = {.width = 100,
				  .height = 12,
				  .utf8 = true,
				  .now_mono_ms = 7300,
				  .hint = "Ctrl-C: stop after this one"};
	(void)state;
	half_way(&p);
	assert_int_equal(p.op, 7);
	expect(&p, &look,
	       "reload web: 4 instances, 1 at a time, ready = http://127.0.0.1:4100/healthz within "
	       "30s\n"
	       "  ✔ web:0  48213 → 51877   ready 1.2s   old drained 0.8s\n"
	       "  ✔ web:1  48214 → 51878   ready 1.2s   old drained 0.8s\n"
	       "  ◐ web:2  48215 → 51930   waiting 3s of 30s: GET /healthz gave 503\n"
	       "  · web:3  48216\n"
	       "  ██████████░░░░░░░░░░  2/4  7s   serving 4 of 4   Ctrl-C: stop after this one\n");
	look.utf8 = false;
	look.width = 60;
	look.note = "stopping after web:2; 2 of 4 are new. Ctrl-C again leaves it running";
	expect(&p, &look,
	       "reload web: 4 instances, 1 at a time, ready = http://127.0~\n"
	       "  + web:0  48213 -> 51877   ready 1.2s   old drained 0.8s\n"
	       "  + web:1  48214 -> 51878   ready 1.2s   old drained 0.8s\n"
	       "  ~ web:2  48215 -> 51930   waiting 3s of 30s: GET /health~\n"
	       "  . web:3  48216\n"
	       "  ##########----------  2/4  7s   serving 4 of 4\n"
	       "  stopping after web:2; 2 of 4 are new. Ctrl-C again leaves\n"
	       "  it running\n");
	progress_finish(&p);
}

static void how_rows_end(void **state)
{
	struct progress p;
	struct block_look look = {
		.width = 100, .height = 12, .utf8 = true, .now_mono_ms = 9000, .last = true};
	(void)state;
	half_way(&p);
	take(&p, 5000,
	     "{\"op\":7,\"phase\":\"failed\",\"app\":\"web\",\"slot\":2,\"pid\":51930,\"old_pid\":"
	     "48215,\"over\":true,\"ok\":false,\"kept\":true,\"text\":\"exited 1 after 0.4s\"}");
	take(&p, 5000,
	     "{\"op\":7,\"phase\":\"left\",\"app\":\"web\",\"slot\":3,\"pid\":48216,\"old_pid\":"
	     "48216,\"over\":true,\"ok\":true,\"text\":\"left as it was\"}");
	take(&p, 5000,
	     "{\"op\":7,\"phase\":\"stopped\",\"app\":\"web\",\"slot\":1,\"pid\":51878,\"old_pid\":"
	     "48214,\"over\":true,\"ok\":true,\"killed\":true,\"ms\":10000,\"text\":\"\"}");
	expect(&p, &look,
	       "reload web: 4 instances, 1 at a time, ready = http://127.0.0.1:4100/healthz within "
	       "30s\n"
	       "  ✔ web:0  48213 → 51877   ready 1.2s   old drained 0.8s\n"
	       "  ✔ web:1  48214 → 51878   ready 1.2s   old killed after 10s\n"
	       "  ✖ web:2  48215 kept   new 51930 exited 1 after 0.4s\n"
	       "  · web:3  48216   left as it was\n");
	assert_int_equal(progress_done(&p), 2);
	progress_finish(&p);
}

/* An older or newer daemon: no beginning, words and members that are not known. */
static void without_a_beginning(void **state)
{
	struct progress p;
	struct block_look look = {.width = 80, .height = 12, .now_mono_ms = 1000};
	(void)state;
	progress_init(&p, "stop", 0);
	expect(&p, &look, "stop: 0 instances\n  ####################  0/0  1s\n");
	take(&p, 0,
	     "{\"op\":9,\"phase\":\"stopped\",\"app\":\"a\",\"slot\":1,\"id\":4,\"pid\":17,"
	     "\"over\":true,\"text\":\"stopped\"}");
	take(&p, 0, "{\"op\":9,\"phase\":\"polishing\",\"app\":\"a\\u001b[1mb\",\"slot\":0}");
	take(&p, 0, "{\"op\":9,\"phase\":\"serving\",\"app\":\"a\",\"serving\":1,\"total\":2}");
	take(&p, 0, "{\"phase\":7,\"app\":[],\"slot\":{}}");
	take(&p, 0, "{}");
	assert_int_equal(p.nrows, 3);
	struct buf out = {0};
	block_draw(&p, &look, &out);
	assert_null(strchr(out.data, '\033'));
	assert_non_null(strstr(out.data, "+ a:1          17   stopped\n"));
	buf_finish(&out);
	progress_finish(&p);
}

/* Columns of a line without its colours. */
static size_t width_of(const char *s, size_t len)
{
	struct buf plain = {0};
	buf_add_escaped(&plain, s, len, -1);
	size_t w = plain.data ? utf8_width(plain.data) : 0;
	buf_finish(&plain);
	return w;
}

static void check_size(const struct progress *p, const struct block_look *look)
{
	struct buf out = {0};
	size_t lines = block_draw(p, look, &out);
	if (lines > look->height) {
		fail_msg("%zu lines where %zu fit:\n%s", lines, look->height, out.data);
	}
	for (const char *s = out.data; *s;) {
		size_t len = strcspn(s, "\n");
		if (width_of(s, len) + 1 > look->width) {
			fail_msg("%zu columns where %zu fit: %.*s", width_of(s, len),
				 look->width - 1, (int)len, s);
		}
		s += len + 1;
	}
	buf_finish(&out);
}

static void it_always_fits(void **state)
{
	static const size_t counts[] = {1, 10, 11, 30};
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		struct progress p;
		progress_init(&p, "reload", 0);
		half_way(&p);
		for (size_t slot = 4; slot < counts[k]; slot++) {
			char text[300];
			snprintf(text, sizeof(text),
				 "{\"op\":7,\"phase\":\"%s\",\"app\":\"web\",\"slot\":%zu,\"pid\":"
				 "4194303,\"old_pid\":4194302,\"over\":%s,\"text\":\"\u4e2d\u6587 "
				 "wide and long and longer than anything\"}",
				 slot % 3 ? "waiting" : "failed", slot,
				 slot % 3 ? "false" : "true");
			take(&p, 0, text);
		}
		for (unsigned n = 0; n < 8; n++) {
			struct block_look look = {
				.color = n & 1,
				.utf8 = n & 2,
				.last = n & 4,
				.now_mono_ms = 100000,
				.hint = "Ctrl-C: stop after this one",
				.note = "a sentence with averyveryverylongword in "
					"it that is wrapped"};
			for (look.width = 4; look.width < 160;
			     look.width += look.width < 50 ? 1 : 9) {
				for (look.height = 3; look.height <= 12; look.height++) {
					check_size(&p, &look);
				}
			}
		}
		progress_finish(&p);
	}
}

/* Where the rows do not fit, those that move are shown. */
static void only_what_moves(void **state)
{
	struct progress p;
	struct block_look look = {.width = 80, .height = 6, .utf8 = true, .now_mono_ms = 7300};
	(void)state;
	half_way(&p);
	for (int slot = 4; slot < 40; slot++) {
		char text[200];
		snprintf(text, sizeof(text),
			 "{\"op\":7,\"phase\":\"left\",\"app\":\"web\",\"slot\":%d,\"pid\":1,"
			 "\"old_pid\":1,\"over\":true}",
			 slot);
		take(&p, 0, text);
	}
	expect(&p, &look,
	       "reload web: 40 instances, 1 at a time, ready = http://127.0.0.1:4100/healthz w…\n"
	       "  ◐ web:2  48215 → 51930   waiting 3s of 30s: GET /healthz gave 503\n"
	       "  █░░░░░░░░░░░░░░░░░░░  2/40  7s   serving 4 of 4\n");
	progress_finish(&p);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_of_the_manual), cmocka_unit_test(how_rows_end),
		cmocka_unit_test(without_a_beginning),	   cmocka_unit_test(only_what_moves),
		cmocka_unit_test(it_always_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
