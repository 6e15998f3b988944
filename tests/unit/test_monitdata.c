/* SPDX-License-Identifier: MIT */
/* The daemon's answers as the dashboard's model. */
#include "client/monitdata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "jsonquote.h"

#define NOW 1795356187000LL

static struct ui u;

static int setup(void **s)
{
	(void)s;
	ui_init(&u, true);
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	ui_finish(&u);
	return 0;
}

static void take_list(const char *text, int64_t now_ms)
{
	json_t *v = json(text);
	monitdata_list(&u, v, now_ms);
	json_decref(v);
}

static const char two[] =
	"{'daemon': {'pid': 9, 'version': '0.1.0', 'up_ms': 60000,"
	"  'host': {'name': 'shop-1', 'cpus': 8, 'cpu_pct': 18.5, 'mem_used_bytes': 3,"
	"           'mem_total_bytes': 7, 'load1': 0.71},"
	"  'self': {'cpu_pct': 0.25, 'mem_bytes': 5},"
	"  'alerts': [{'kind': 'disk-logs', 'fail': true, 'text': '0.5M left for /l', 'fix': "
	"'f'}]},"
	" 'apps': [{'name': 'web', 'namespace': 'shop', 'state': 'degraded', 'instances': 2,"
	"   'online': 1, 'cpu_pct': 3.5, 'mem_bytes': 100, 'note': 'n', 'user': 'ada', 'procs': ["
	"   {'slot': 1, 'id': 7, 'pid': null, 'state': 'backoff', 'restarts': 4, 'cpu_pct': null,"
	"    'mem_bytes': null, 'fds': null, 'up_ms': null, 'leak': null, 'ready': false,"
	"    'last_exit': {'code': 3, 'at': '2026-11-22T14:03:01.500Z'}},"
	"   {'slot': 0, 'id': 6, 'pid': 11, 'state': 'online', 'restarts': 0, 'cpu_pct': 3.5,"
	"    'mem_bytes': 100, 'memory_max': 268435456, 'fds': 9, 'fds_most': 9, 'fds_max': 10, "
	"'fds_near': true, 'threads': 2, 'up_ms': 5000,"
	"    'ready': true, 'ready_ms': 400, 'last_exit': null, 'io_bps': 12,"
	"    'leak': {'bytes_per_min': 2202010, 'left_ms': 5100000}}]}]}";

static void a_list_becomes_the_model(void **s)
{
	(void)s;
	take_list(two, NOW);
	const struct ui_app *a = model_find(&u.model, "web");
	assert_int_equal(u.model.link, UI_LINK_UP);
	assert_int_equal(u.model.online, 1);
	assert_int_equal(u.model.wanted, 2);
	assert_string_equal(u.model.host.name, "shop-1");
	assert_true(fabs(u.model.host.load1 - 0.71) < 1e-9);
	assert_string_equal(a->user, "ada");
	assert_int_equal(a->fig.fds, 9);
	assert_int_equal(a->fig.up_ms, 5000);
	assert_true(a->leak);
	const struct ui_proc *p = a->proc[0];
	assert_int_equal(p->slot, 0);
	assert_int_equal(p->ready_ms, 400);
	assert_true(p->fds_near && p->fds_most == 9 && p->fds_max == 10);
	assert_int_equal(u.model.nnotices, 1);
	assert_string_equal(u.model.notice[0].text, "0.5M left for /l");
	assert_true(u.model.notice[0].fail);
	assert_string_equal(p->leak_text, "+2.1M/min");
	assert_string_equal(p->leak_left, "256M in ~1h25m");
	p = a->proc[1];
	assert_int_equal(p->pid, 0);
	assert_true(isnan(p->fig.cpu_pct));
	assert_int_equal(p->fig.mem_bytes, -1);
	assert_string_equal(p->exit, "exit 3");
	assert_int_equal(p->exit_ms, 1795356181500LL);
}

static void what_is_not_in_the_next_one_is_gone(void **s)
{
	(void)s;
	take_list(two, NOW);
	u.model.app[0]->open = true;
	take_list("{'apps': [{'name': 'web', 'procs': [{'slot': 1}]}, {'name': 'new'}]}",
		  NOW + 1000);
	assert_int_equal(u.model.napps, 2);
	assert_true(u.model.app[0]->open); /* the user's choice stays */
	assert_int_equal(u.model.app[0]->nprocs, 1);
	assert_int_equal(u.model.app[0]->proc[0]->slot, 1);
	assert_false(u.model.app[0]->leak);
	assert_int_equal(u.model.nnotices, 0);
}

static void restarts_are_news_only_if_we_saw_them(void **s)
{
	static const char *const more = "{'apps': [{'name': 'web', 'procs': [{'slot': 1,"
					" 'state': 'online', 'restarts': 5}]}]}";
	(void)s;
	take_list(two, NOW);
	assert_int_equal(u.model.app[0]->proc[1]->restarted_ms, 0);
	take_list(more, NOW + 1000);
	assert_int_equal(u.model.app[0]->proc[0]->restarted_ms, NOW + 1000);
	take_list(more, NOW + 2000);
	assert_int_equal(u.model.app[0]->proc[0]->restarted_ms, NOW + 1000);
}

static void an_answer_of_nonsense_is_no_harm(void **s)
{
	(void)s;
	take_list("{'daemon': 7, 'apps': [{'name': 3, 'procs': {'slot': 1}}, 4, null,"
		  " {'name': 'x', 'cpu_pct': 'much', 'procs': [{'slot': 'a', 'last_exit': 3}]}]}",
		  NOW);
	assert_true(isnan(model_find(&u.model, "x")->fig.cpu_pct));
}

static const char shown[] = "{'apps': [{'name': 'web', 'file': '/srv/shop/pmctl.ini', 'line': 24, "
			    "'command': 'node a.js',"
			    " 'cwd': '/srv', 'user': 'ada', 'next_cron': null, 'applied_at': "
			    "'2026-11-22T13:00:00.000Z',"
			    " 'applied_by': {'uid': 0}, 'logs': ['/l/web-0.log'], 'settings': ["
			    " {'key': 'ready', 'value': 'http', 'from': 'default'},"
			    " {'key': 'stop_signal', 'value': 'SIGINT', 'from': 'x:2'},"
			    " {'key': 'stop_timeout', 'value': '10s', 'from': 'default'},"
			    " {'key': 'memory_max', 'value': '512M', 'from': 'x:3'},"
			    " {'key': 'nice', 'value': '0', 'from': 'default'}]}]}";

static const char *row(const char *key)
{
	for (int i = 0; i < u.detail.n; i++) {
		if (strcmp(u.detail.row[i].key, key) == 0) {
			return u.detail.row[i].value;
		}
	}
	return "(none)";
}

static void show_fills_the_detail(void **s)
{
	json_t *v = json(shown);
	(void)s;
	detail_clear(&u.detail, "web:2");
	monitdata_show(&u, v);
	monitdata_show(&u, v); /* again: the rows are not twice there */
	assert_string_equal(row("file"), "shop/pmctl.ini:24");
	assert_string_equal(row("command"), "node a.js");
	assert_string_equal(row("ready"), "http");
	assert_string_equal(row("stop"), "SIGINT, SIGKILL after 10s");
	assert_string_equal(row("applied"), "13:00:00 by root");
	assert_string_equal(row("set"), "memory_max = 512M");
	assert_string_equal(row("cron"), "(none)");
	assert_int_equal(u.detail.n, 9);
	json_decref(v);
}

static void what_was_shown_for_another_is_left_out(void **s)
{
	json_t *v = json(shown);
	(void)s;
	detail_clear(&u.detail, "webber");
	monitdata_show(&u, v);
	assert_int_equal(u.detail.n, 0);
	json_decref(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	const struct CMUnitTest tests[] = {TEST(a_list_becomes_the_model),
					   TEST(what_is_not_in_the_next_one_is_gone),
					   TEST(restarts_are_news_only_if_we_saw_them),
					   TEST(an_answer_of_nonsense_is_no_harm),
					   TEST(show_fills_the_detail),
					   TEST(what_was_shown_for_another_is_left_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
