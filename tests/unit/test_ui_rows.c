/* SPDX-License-Identifier: MIT */
/* The lines of the list: order, filter, open and closed, selection; and what needs eyes. */
#include "ui/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "ui/listtext.h"
#include "uifake.h"

static struct ui u;

static int setup(void **s)
{
	(void)s;
	uifake_make(&u, true);
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	ui_finish(&u);
	return 0;
}

/* The lines as words: "web web:0 flaky". */
static void lines(const char *want)
{
	char got[600] = "";
	size_t n = 0;
	ui_refresh(&u);
	for (int i = 0; i < u.rows.n; i++) {
		const struct row *r = &u.rows.v[i];
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s", i ? " " : "",
				      r->app ? r->app->name : "@");
		if (!r->app || r->proc) {
			n += (size_t)snprintf(got + n, sizeof(got) - n, r->app ? ":%d" : "",
					      r->app ? r->proc->slot : 0);
		}
		if (!r->app) {
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s", r->ns);
		}
	}
	assert_string_equal(got, want);
}

static void filter(const char *text, const char *want)
{
	PUT(u.rows.filter, text);
	lines(want);
}

static void close_all(void)
{
	for (int i = 0; i < u.model.napps; i++) {
		u.model.app[i]->open = false;
	}
}

/* The order may be held otherwise. */
static void later(int64_t ms)
{
	u.model.now_ms += ms;
}

/* --- forms --- */

static void instances_stand_under_their_app(void **s)
{
	(void)s;
	lines("web web:0 web:1 web:2 web:3 worker mailer flaky cron-report");
	assert_true(u.rows.v[4].last);
	assert_false(u.rows.v[3].last);
}

static void flat_is_instances_only(void **s)
{
	(void)s;
	u.form_chosen = true;
	u.rows.form = ROWS_FLAT;
	u.rows.sort = SORT_MEM;
	lines("worker:1 web:3 web:1 web:0 web:2 mailer:0 worker:0 mailer:1 flaky:0 cron-report:0");
}

static void namespaces_are_roots(void **s)
{
	(void)s;
	close_all();
	u.form_chosen = true;
	u.rows.form = ROWS_NAMESPACES;
	lines("@shop web worker @ mailer flaky cron-report");
	rows_set_open(&u.rows, &u.rows.v[0], false);
	lines("@shop @ mailer flaky cron-report");
	rows_select(&u.rows, 0);
	ui_refresh(&u);
	assert_int_equal(u.rows.sel, 0);
	char sel[100];
	ui_selector(&u, sel, sizeof(sel));
	assert_string_equal(sel, "@shop");
	rows_set_open(&u.rows, &u.rows.v[0], true);
	lines("@shop web worker @ mailer flaky cron-report");
}

/* --- order --- */

static void every_column_sorts(void **s)
{
	static const struct {
		enum rows_sort sort;
		const char *down, *up;
	} all[] = {{SORT_ORDER, "web worker mailer flaky cron-report",
		    "cron-report flaky mailer worker web"},
		   {SORT_APP, "cron-report flaky mailer web worker",
		    "worker web mailer flaky cron-report"},
		   {SORT_STATE, "flaky mailer worker cron-report web",
		    "web cron-report worker mailer flaky"},
		   {SORT_UP, "web mailer worker flaky cron-report",
		    "flaky cron-report worker mailer web"},
		   {SORT_RESTARTS, "flaky mailer web worker cron-report",
		    "worker cron-report web mailer flaky"},
		   {SORT_CPU, "web worker mailer flaky cron-report",
		    "flaky cron-report mailer worker web"},
		   {SORT_MEM, "web worker mailer flaky cron-report",
		    "flaky cron-report mailer worker web"}};
	(void)s;
	close_all();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		u.rows.sort = all[i].sort;
		u.rows.reverse = false;
		lines(all[i].down);
		u.rows.reverse = true;
		lines(all[i].up);
	}
}

static void nothing_moves_under_the_cursor(void **s)
{
	(void)s;
	close_all();
	lines("web worker mailer flaky cron-report");
	rows_select(&u.rows, 1);
	u.model.app[2]->fig.cpu_pct = 90;
	lines("web worker mailer flaky cron-report");
	later(ROWS_HOLD_MS - 1);
	lines("web worker mailer flaky cron-report");
	later(1);
	lines("mailer web worker flaky cron-report");
	assert_string_equal(u.rows.sel_app, "worker");
	assert_int_equal(u.rows.sel, 2);
}

static void what_the_user_sorts_by_counts_at_once(void **s)
{
	(void)s;
	close_all();
	lines("web worker mailer flaky cron-report");
	rows_touch(&u.rows);
	u.rows.sort = SORT_APP;
	lines("cron-report flaky mailer web worker");
}

static void a_clock_set_back_holds_nothing_for_long(void **s)
{
	(void)s;
	close_all();
	rows_touch(&u.rows);
	lines("web worker mailer flaky cron-report");
	later(-1000000);
	u.model.app[2]->fig.cpu_pct = 90;
	lines("mailer web worker flaky cron-report");
}

/* --- selection --- */

static void the_selection_follows_the_item(void **s)
{
	(void)s;
	assert_string_equal(u.rows.sel_app, "web");
	assert_int_equal(u.rows.sel_slot, 2);
	u.rows.sort = SORT_APP;
	ui_refresh(&u);
	assert_int_equal(rows_selected(&u.rows)->proc->slot, 2);
	u.model.app[0]->open = false; /* its line goes: the app takes it */
	ui_refresh(&u);
	assert_null(rows_selected(&u.rows)->proc);
	assert_string_equal(rows_selected(&u.rows)->app->name, "web");
}

static void beyond_the_ends_is_the_end(void **s)
{
	(void)s;
	rows_select(&u.rows, 1000);
	assert_int_equal(u.rows.sel, u.rows.n - 1);
	rows_select(&u.rows, -7);
	assert_int_equal(u.rows.sel, 0);
	filter("nosuch", "");
	assert_int_equal(u.rows.sel, -1);
	assert_null(rows_selected(&u.rows));
}

static void scrolling_keeps_it_on_the_screen(void **s)
{
	(void)s;
	for (int i = 0; i < 9; i++) {
		rows_select(&u.rows, i);
		rows_scroll(&u.rows, 3);
		assert_in_range(u.rows.sel, u.rows.top, u.rows.top + 2);
	}
	rows_scroll(&u.rows, 100);
	assert_int_equal(u.rows.top, 0);
}

/* --- filter --- */

static void words_are_found_in_name_namespace_and_state(void **s)
{
	(void)s;
	close_all();
	filter("WEB", "web");
	filter("shop", "web worker");
	filter("degraded", "mailer");
	filter("backoff", "mailer");
	filter("er shop", "worker");
	filter("cron-", "cron-report");
}

static void a_word_may_be_an_expression(void **s)
{
	(void)s;
	close_all();
	filter("^w", "web worker");
	filter("^(flaky|web)$", "web flaky");
	filter("!^w", "mailer flaky cron-report");
	filter("!shop !done", "mailer flaky");
}

static void figures_are_asked(void **s)
{
	(void)s;
	close_all();
	filter("cpu>5", "web");
	filter("cpu<5", "web worker mailer"); /* an instance of web, too */
	filter("mem>=200M", "web");
	filter("rst>3", "mailer flaky");
	filter("rst=10", "flaky");
	filter("up<1h", "web worker");
	filter("!rst>3 !done", "web worker mailer");
	filter("fd>100 cpu>1%", "web");
}

static void only_what_passes_is_below_an_open_app(void **s)
{
	(void)s;
	filter("rst=0 web", "web web:0 web:1 web:3");
	filter("web:2", "web web:2");
}

static void a_bad_filter_says_so_and_hides_by_its_text(void **s)
{
	(void)s;
	close_all();
	filter("we[", "");
	assert_true(u.rows.compiled.error[0]);
	filter("cpu>", "web worker mailer flaky cron-report");
	assert_true(u.rows.compiled.error[0]);
	filter("cpu>much web", "web");
	filter("a b c d e f g h i", "");
	assert_true(u.rows.compiled.error[0]);
	filter("", "web worker mailer flaky cron-report");
	assert_false(u.rows.compiled.error[0]);
	filter("!", "web worker mailer flaky cron-report");
}

static void only_the_unhealthy(void **s)
{
	(void)s;
	u.model.app[1]->open = u.model.app[2]->open = true;
	u.rows.unhealthy = true;
	lines("worker worker:1 mailer mailer:1 flaky");
}

/* --- alerts --- */

static const struct alert *alert_of(enum alert_kind kind)
{
	for (int i = 0; i < u.alerts.n; i++) {
		if (u.alerts.v[i].kind == kind) {
			return &u.alerts.v[i];
		}
	}
	return NULL;
}

static void sample(int64_t ms)
{
	u.model.now_ms += ms;
	u.model.sampled_ms += ms;
	ui_refresh(&u);
}

static void what_needs_eyes_is_found(void **s)
{
	(void)s;
	assert_int_equal(u.alerts.n, 3);
	assert_string_equal(alert_of(ALERT_FAILED)->text,
			    "flaky gave up after 10 restarts (exit 1)");
	assert_string_equal(alert_of(ALERT_FAILED)->brief, "flaky gave up: exit 1");
	assert_string_equal(alert_of(ALERT_BACKOFF)->text, "mailer:1 backoff (exit 75)");
	assert_int_equal(alert_of(ALERT_BACKOFF)->slot, 1);
	assert_string_equal(alert_of(ALERT_LEAK)->brief, "worker:1 leak?");
	assert_null(alert_of(ALERT_DEGRADED)); /* told by its cause */
}

static void near_a_limit_late_and_restarted(void **s)
{
	struct ui_proc *p = u.model.app[0]->proc[1];
	(void)s;
	p->fig.mem_bytes = p->fig.limit_bytes / 100 * 94;
	sample(1000);
	assert_string_equal(alert_of(ALERT_LIMIT)->text, "web:1 uses 93% of 512M memory");
	p->fds_near = true;
	p->fds_most = 973;
	sample(1000);
	assert_string_equal(alert_of(ALERT_FDS)->text, "web:1 has 973 of 1024 descriptors");
	assert_string_equal(alert_of(ALERT_FDS)->brief, "web:1 descriptors 95%");
	p->fds_near = false;
	p->fig.mem_bytes = 0;
	p->restarted_ms = u.model.sampled_ms;
	sample(1000);
	assert_null(alert_of(ALERT_LIMIT));
	assert_string_equal(alert_of(ALERT_RESTARTED)->brief, "web:1 restarted");
	sample(ALERTS_RECENT_MS);
	assert_null(alert_of(ALERT_RESTARTED));
	PUT(p->state, "starting");
	p->fig.up_ms = ALERTS_LATE_MS + 1;
	sample(1000);
	assert_string_equal(alert_of(ALERT_NOT_READY)->text, "web:1 not ready (10s)");
}

static void notice(const char *key, bool fail, const char *text)
{
	struct ui_notice *n = model_notice(&u.model, NOTICE_DAEMON, key);
	n->fail = fail;
	PUT(n->brief, text);
	PUT(n->text, text);
	PUT(n->fix, "make room");
}

static void what_is_wrong_with_no_app(void **s)
{
	(void)s;
	notice("disk-logs", false, "30.0M left for /log");
	sample(1000);
	assert_string_equal(alert_of(ALERT_NOTICE)->text, "30.0M left for /log");
	assert_int_equal(alerts_style(alert_of(ALERT_NOTICE)), UI_WARN);
	alerts_acknowledge(&u.alerts, NULL);
	model_notices_clear(&u.model, NOTICE_DRIFT);
	model_notices_clear(&u.model, NOTICE_DAEMON);
	notice("disk-logs", false, "29.0M left for /log"); /* the same matter */
	sample(1000);
	assert_true(alert_of(ALERT_NOTICE)->acked);
	model_notices_clear(&u.model, NOTICE_DAEMON);
	notice("disk-logs", true, "1.0M left for /log"); /* worse */
	sample(1000);
	assert_false(alert_of(ALERT_NOTICE)->acked);
	assert_int_equal(alerts_style(&u.alerts.v[0]), UI_FAIL);
	assert_string_equal(u.alerts.v[0].fix, "make room");
	model_notices_clear(&u.model, NOTICE_DAEMON);
	sample(1000);
	assert_null(alert_of(ALERT_NOTICE));
	for (int i = 0; i < MODEL_NOTICES; i++) {
		assert_non_null(model_notice(&u.model, NOTICE_DRIFT, "x"));
	}
	assert_null(model_notice(&u.model, NOTICE_DAEMON, "x"));
}

static void the_same_trouble_of_many_is_one(void **s)
{
	(void)s;
	for (int i = 0; i < 3; i++) {
		PUT(u.model.app[0]->proc[i]->state, "backoff");
	}
	sample(1000);
	assert_int_equal(u.alerts.n, 4);
	assert_string_equal(u.alerts.v[2].app, "web");
	assert_string_equal(u.alerts.v[2].brief, "web 3 of 4 backoff");
}

static void acknowledged_until_it_changes(void **s)
{
	struct ui_proc *p = u.model.app[2]->proc[1];
	(void)s;
	alerts_acknowledge(&u.alerts, "mailer");
	assert_int_equal(u.alerts.fresh, 2);
	alerts_acknowledge(&u.alerts, NULL);
	assert_int_equal(u.alerts.fresh, 0);
	p->fig.restarts++; /* the same trouble again */
	sample(1000);
	assert_int_equal(u.alerts.fresh, 0);
	PUT(p->exit, "SIGKILL");
	sample(1000);
	assert_int_equal(u.alerts.fresh, 1);
	assert_false(alert_of(ALERT_BACKOFF)->acked);
	assert_true(alert_of(ALERT_LEAK)->acked);
}

static void what_is_over_goes(void **s)
{
	(void)s;
	PUT(u.model.app[2]->proc[1]->state, "online");
	PUT(u.model.app[2]->state, "online");
	sample(1000);
	assert_null(alert_of(ALERT_BACKOFF));
}

static void away_they_stay(void **s)
{
	(void)s;
	u.model.link = UI_LINK_AWAY;
	PUT(u.model.app[2]->proc[1]->state, "online");
	sample(1000);
	assert_non_null(alert_of(ALERT_BACKOFF));
}

static void the_newest_comes_first_after_what_failed(void **s)
{
	(void)s;
	u.model.app[0]->proc[0]->leak = true;
	sample(5000);
	assert_string_equal(u.alerts.v[0].app, "flaky");
	assert_string_equal(u.alerts.v[1].app, "web");
	assert_int_equal(u.alerts.v[1].since_ms, UIFAKE_NOW + 5000);
	assert_string_equal(u.alerts.v[2].app, "mailer");
	assert_string_equal(u.alerts.v[3].app, "worker");
}

static void all_of_them_as_text(void **s)
{
	struct buf b = {0};
	(void)s;
	alerts_acknowledge(&u.alerts, "worker");
	alerts_list(&u.alerts, &b);
	assert_string_equal(b.data, "14:02:11  flaky gave up after 10 restarts (exit 1)\n"
				    "14:03:04  mailer:1 backoff (exit 75)\n"
				    "          worker:1 leak? (+2.1M/min)  (seen)\n");
	buf_finish(&b);
}

static void more_than_can_be_told_are_no_harm(void **s)
{
	(void)s;
	for (int i = 0; i < 3 * ALERTS_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), "app%d", i);
		uifake_proc(uifake_app(&u, name, "", "failed", 0, 1), 0, 0, "failed");
	}
	sample(1000);
	assert_int_equal(u.alerts.n, ALERTS_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void note_is(int width, bool utf8, const char *want)
{
	char text[MODEL_NOTE];
	struct ui_app *a = model_find(&u.model, "web");
	listtext_note(&u.model, &u.rows, &(struct row){.app = a}, width, utf8, text, sizeof(text));
	assert_string_equal(text, want);
}

/* While a command replaces instances its app says how far it is. */
static void progress_in_the_row(void **s)
{
	(void)s;
	struct ui_app *a = model_find(&u.model, "web");
	for (int i = 0; i < a->nprocs; i++) {
		model_act(a, a->proc[i], 77, "reload");
	}
	note_is(20, true, "reload 0/4 ░░░░");
	a->proc[0]->pid += 100;
	a->proc[1]->pid += 100;
	note_is(20, true, "reload 2/4 ██░░");
	note_is(15, false, "reload 2/4 ##..");
	note_is(12, true, "reload 2/4");
	note_is(7, true, "2/4");
	model_act_end(&u.model, 78);
	note_is(7, true, "2/4");
	/* Another command about one of them. */
	model_act(a, a->proc[3], 79, "restart");
	note_is(16, true, "restart 0/1 ░░░░");
	note_is(15, true, "restart 0/1");
	model_act_end(&u.model, 79);
	note_is(20, true, "");
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {TEST(progress_in_the_row),
					   TEST(instances_stand_under_their_app),
					   TEST(flat_is_instances_only),
					   TEST(namespaces_are_roots),
					   TEST(every_column_sorts),
					   TEST(nothing_moves_under_the_cursor),
					   TEST(what_the_user_sorts_by_counts_at_once),
					   TEST(a_clock_set_back_holds_nothing_for_long),
					   TEST(the_selection_follows_the_item),
					   TEST(beyond_the_ends_is_the_end),
					   TEST(scrolling_keeps_it_on_the_screen),
					   TEST(words_are_found_in_name_namespace_and_state),
					   TEST(a_word_may_be_an_expression),
					   TEST(figures_are_asked),
					   TEST(only_what_passes_is_below_an_open_app),
					   TEST(a_bad_filter_says_so_and_hides_by_its_text),
					   TEST(only_the_unhealthy),
					   TEST(what_needs_eyes_is_found),
					   TEST(near_a_limit_late_and_restarted),
					   TEST(what_is_wrong_with_no_app),
					   TEST(the_same_trouble_of_many_is_one),
					   TEST(acknowledged_until_it_changes),
					   TEST(what_is_over_goes),
					   TEST(away_they_stay),
					   TEST(the_newest_comes_first_after_what_failed),
					   TEST(all_of_them_as_text),
					   TEST(more_than_can_be_told_are_no_harm)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
