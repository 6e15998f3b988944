/* SPDX-License-Identifier: MIT */
/* Lines of real files in the log pane: whatever one does, they follow one another without a gap. */
#include "client/monitfill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/logindex.h"
#include "ui/logscroll.h"

#define SLOTS 2
#define LATER INT64_MAX /* no deadline */
#define NOW   INT64_MIN

static char dir[] = "/tmp/pmctl-test-XXXXXX";
static struct ui ui;
static struct monitfiles files;
static struct monitwant want;
static struct monitfill fill;
static int written[SLOTS]; /* number of the last line */
static int64_t clock_ms = 1000000;
static uint64_t generation; /* of the pane as it was filled */

static const char *path_of(int slot, int number)
{
	static char path[2][128];
	static int next;
	next = !next;
	snprintf(path[next], sizeof(path[next]), number ? "%s/%d.log.%d" : "%s/%d.log", dir, slot,
		 number);
	return path[next];
}

/* Append n lines "SLOT NUMBER", all of one moment. */
static void say(int slot, int n)
{
	const char *path = path_of(slot, 0);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	int index = logindex_open(AT_FDCWD, path, 0600);
	assert_true(fd >= 0 && index >= 0);
	for (int i = 0; i < n; i++) {
		dprintf(fd, "%d %d\n", slot, ++written[slot]);
	}
	clock_ms += 3;
	assert_true(logindex_mark(index, (uint64_t)lseek(fd, 0, SEEK_END), clock_ms * 1000000));
	close(fd);
	close(index);
}

static void rotate(int slot)
{
	for (int k = access(path_of(slot, 0), F_OK) == 0 ? 40 : -1; k >= 0; k--) {
		char *from = xasprintf("%s.idx", path_of(slot, k));
		char *to = xasprintf("%s.idx", path_of(slot, k + 1));
		rename(path_of(slot, k), path_of(slot, k + 1));
		rename(from, to);
		free(from);
		free(to);
	}
}

static int setup(void **state)
{
	(void)state;
	ui_init(&ui, true);
	ui.logs.rows = 10;
	ui.logs.cols = 80;
	logpane_choose(&ui.logs, "web", "web");
	generation = ui.logs.generation;
	monitwant_parse(&want, "web");
	files.v = xcalloc(SLOTS, sizeof(*files.v));
	for (int i = 0; i < SLOTS; i++) {
		unlink(path_of(i, 0));
		files.v[files.n++] = (struct monitfile){xstrdup("web"), xstrdup(path_of(i, 0)), i,
							LOG_OUT, LOGSTAMP_NONE};
		written[i] = 0;
	}
	monitfill_init(&fill, &ui, &files, &want);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	monitfill_finish(&fill);
	monitfiles_finish(&files);
	monitwant_finish(&want);
	ui_finish(&ui);
	char *command = xasprintf("rm -rf %s/*", dir);
	int r = system(command);
	free(command);
	return r;
}

/* Every slot's lines are consecutive. Returns how many lines there are. */
static int check(int first[SLOTS], int last[SLOTS])
{
	const struct logpane *p = &ui.logs;
	int n = 0;
	memset(first, 0, sizeof(int) * SLOTS);
	memset(last, 0, sizeof(int) * SLOTS);
	for (uint64_t i = p->first; i < p->end; i++) {
		const struct logpane_line *l = logpane_get(p, i);
		int slot, number;
		if (l->event) {
			continue;
		}
		assert_int_equal(sscanf(l->text, "%d %d", &slot, &number), 2);
		assert_int_equal(slot, l->slot);
		if (last[slot] && number != last[slot] + 1) {
			fail_msg("%d:%d comes after %d", slot, number, last[slot]);
		}
		first[slot] = first[slot] ? first[slot] : number;
		last[slot] = number;
		n++;
	}
	return n;
}

static void read_on(void)
{
	if (generation != ui.logs.generation) {
		generation = ui.logs.generation;
		monitfill_place(&fill, LATER);
	}
	do {
		logset_refresh(&fill.fwd);
	} while (monitfill_newer(&fill, LATER));
}

/* What client/monitlogs.c does between keys. */
static void serve(void)
{
	struct logpane *p = &ui.logs;
	if ((p->want_older && p->head_cut) || (p->want_newer && p->tail_cut)) {
		p->want_older = p->want_newer = false;
		monitfill_around_current(&fill, LATER);
	}
	if (p->want_older && !fill.back_ended) {
		fill.older_left = 100;
	}
	p->want_older = p->want_newer = false;
	monitfill_older(&fill, rand() % 2 ? NOW : LATER);
	if (rand() % 8 == 0) {
		return;
	}
	monitfill_older(&fill, LATER);
	read_on();
}

static void history_then_what_is_written(void **state)
{
	(void)state;
	int first[SLOTS], last[SLOTS];
	say(0, 400);
	say(1, 300);
	rotate(0);
	say(0, 5);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	assert_int_equal(check(first, last), 500);
	assert_int_equal(last[0], 405);
	assert_int_equal(last[1], 300);
	assert_true(ui.logs.several);
	say(1, 7);
	rotate(1);
	say(1, 8);
	serve();
	assert_int_equal(check(first, last), 515);
	assert_int_equal(last[1], 315);
	/* To the beginning of all. */
	for (int i = 0; i < 30; i++) {
		logpane_edge(&ui.logs, -1);
		serve();
	}
	check(first, last);
	assert_int_equal(first[0], 1);
	assert_int_equal(first[1], 1);
	assert_string_equal(logpane_current(&ui.logs)->text, "0 1");
}

/* The texts of the pane's lines, as many as there are. */
static void pane_has(const char *first, const char *last, int n)
{
	const struct logpane *p = &ui.logs;
	assert_int_equal(p->end - p->first, n);
	assert_string_equal(logpane_get(p, p->first)->text, first);
	assert_string_equal(logpane_get(p, p->end - 1)->text, last);
}

static void a_filter_looks_through_all_files(void **state)
{
	(void)state;
	int first[SLOTS], last[SLOTS];
	char why[80];
	say(0, 3000);
	rotate(0);
	say(0, 3000);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	assert_true(logpane_filter(&ui.logs, "0 12[34]", why, sizeof(why)));
	while (logscroll_is_sparse(&ui.logs) && !fill.back_ended) {
		fill.older_left = 10;
		monitfill_older(&fill, rand() % 2 ? NOW : LATER);
	}
	assert_int_equal(logpane_current(&ui.logs)->len, 6);
	assert_string_equal(logpane_current(&ui.logs)->text, "0 1249");
	fill.older_left = 100;
	while (fill.older_left > 0) {
		monitfill_older(&fill, NOW);
	}
	say(0, 5);
	read_on();
	assert_string_equal(logpane_current(&ui.logs)->text, "0 1249");
	/* Another one finds what this one left out; none brings all. */
	assert_true(logpane_filter(&ui.logs, "0 599", why, sizeof(why)));
	assert_true(ui.logs.refill);
	monitfill_refill(&fill, LATER);
	read_on();
	fill.older_left = 100;
	monitfill_older(&fill, LATER);
	pane_has("0 599", "0 5999", 11);
	assert_true(logpane_filter(&ui.logs, "", why, sizeof(why)));
	assert_true(ui.logs.refill);
	monitfill_refill(&fill, LATER);
	read_on();
	assert_int_equal(check(first, last), 500);
	assert_int_equal(last[0], 6005);
}

/* Those that were there before the filter was go when room is needed. */
static void a_filter_makes_room(void **state)
{
	(void)state;
	char why[80];
	say(0, 20000);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	fill.older_left = LOGPANE_LINES;
	monitfill_older(&fill, LATER);
	assert_true(logpane_filter(&ui.logs, "!7", why, sizeof(why)));
	fill.older_left = LOGPANE_LINES;
	ui.logs.head_cut = false;
	monitfill_older(&fill, LATER);
	assert_int_equal(ui.logs.end - ui.logs.first, LOGPANE_LINES);
	for (uint64_t i = ui.logs.first; i < ui.logs.end; i++) {
		assert_null(strchr(logpane_get(&ui.logs, i)->text, '7'));
	}
	assert_string_equal(logpane_current(&ui.logs)->text, "0 20000");
}

static enum monitfill_seek find(const char *what, int way)
{
	char why[80];
	enum monitfill_seek r = SEEK_FOUND;
	if (what) {
		assert_true(logpane_search(&ui.logs, what, why, sizeof(why)));
	}
	if (logpane_next(&ui.logs, way)) {
		return r;
	}
	monitfill_seek(&fill, way, LATER);
	while (fill.seeking && (r = monitfill_seek_on(&fill, NOW)) == SEEK_GOES_ON) {
	}
	return r;
}

static void at(const char *text)
{
	assert_string_equal(logpane_current(&ui.logs)->text, text);
}

/* Both ways, and none of those that are brought along with a place is missed. */
static void a_search_finds_each_hit(void **state)
{
	(void)state;
	say(0, 9000);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	for (int i = 8; i >= 0; i--) {
		char want_text[16];
		assert_int_equal(find(i == 8 ? "0 .?111" : NULL, -1), SEEK_FOUND);
		snprintf(want_text, sizeof(want_text), i ? "0 %d111" : "0 111", i);
		if (i == 1) {
			int more = 0; /* 1110 to 1119 */
			for (; strcmp(logpane_current(&ui.logs)->text, "0 1110") != 0; more++) {
				assert_int_equal(find(NULL, -1), SEEK_FOUND);
			}
			assert_int_equal(more, 9);
			continue;
		}
		at(want_text);
	}
	assert_int_equal(find(NULL, -1), SEEK_NOTHING);
	at("0 111");
	assert_int_equal(find(NULL, 1), SEEK_FOUND);
	at("0 1110");
	assert_int_equal(find("0 7777", 1), SEEK_FOUND);
	at("0 7777");
	assert_int_equal(find("nowhere", 1), SEEK_NOTHING);
	at("0 7777");
	assert_int_equal(find("0 9000$", 1), SEEK_FOUND);
	at("0 9000");
}

/* All of one moment: the place is that of the line, not of the time. */
static void a_search_among_lines_of_one_moment(void **state)
{
	(void)state;
	int first[SLOTS], last[SLOTS];
	say(0, 50000);
	say(1, 5);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	assert_int_equal(find("0 25777", -1), SEEK_FOUND);
	at("0 25777");
	assert_int_equal(find("0 49777", 1), SEEK_FOUND);
	at("0 49777");
	read_on();
	check(first, last);
	assert_int_equal(last[0], 50000);
	assert_true(first[0] < 49777);
}

static void a_place_of_each_kind(void **state)
{
	(void)state;
	int first[SLOTS], last[SLOTS];
	int64_t t[100];
	for (int i = 0; i < 100; i++) {
		say(0, 50);
		say(1, 1);
		t[i] = clock_ms;
	}
	ui.logs.from = LOGPANE_HEAD;
	monitfill_place(&fill, LATER);
	check(first, last);
	assert_int_equal(first[0], 1);
	assert_false(ui.logs.follow);
	ui.logs.from = LOGPANE_SINCE;
	ui.logs.at_ms = t[89];
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	assert_int_equal(check(first, last), 511); /* the line of slot 1 of that moment, too */
	assert_int_equal(first[0], 4501);
	assert_int_equal(first[1], 90);
	assert_true(ui.logs.follow);
	ui.logs.from = LOGPANE_AT;
	ui.logs.at_ms = t[49];
	monitfill_place(&fill, LATER);
	check(first, last);
	assert_true(first[0] < 2451 && last[0] > 2600);
	assert_string_equal(logpane_current(&ui.logs)->text, "1 50");
	assert_false(ui.logs.counts);
}

/* Until it is over. */
static enum monitfill_seek seek(int to, int64_t deadline)
{
	enum monitfill_seek r = SEEK_GOES_ON;
	if (logpane_next(&ui.logs, to)) {
		return SEEK_FOUND;
	}
	monitfill_seek(&fill, to, LATER);
	if (!fill.seeking) {
		return SEEK_NOTHING;
	}
	while (r == SEEK_GOES_ON) {
		r = monitfill_seek_on(&fill, deadline);
	}
	assert_false(ui.logs.seeking);
	return r;
}

static void searches_in_slices(void **state)
{
	(void)state;
	int first[SLOTS], last[SLOTS];
	char why[64];
	for (int i = 0; i < 20; i++) {
		say(0, 997);
		say(1, 10);
		if (i % 5 == 4) {
			rotate(0);
		}
	}
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	static const char *const patterns[] = {"5555", "^[01] 5555$", "0 (5|1)5555"};
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		logpane_follow(&ui.logs, true);
		serve();
		assert_true(logpane_search(&ui.logs, patterns[i], why, sizeof(why)));
		assert_int_equal(seek(-1, NOW), SEEK_FOUND);
		assert_string_equal(logpane_current(&ui.logs)->text, i == 1 ? "0 5555" : "0 15555");
		check(first, last);
		enum monitfill_seek r = seek(-1, NOW);
		assert_int_equal(r, i == 0 ? SEEK_FOUND : SEEK_NOTHING);
		assert_string_equal(logpane_current(&ui.logs)->text, i == 2 ? "0 15555" : "0 5555");
		check(first, last);
		r = seek(1, NOW);
		assert_int_equal(r, i == 0 ? SEEK_FOUND : SEEK_NOTHING);
		check(first, last);
		assert_string_equal(logpane_current(&ui.logs)->text, i == 1 ? "0 5555" : "0 15555");
	}
}

/* One that somebody ends, at any place. */
static void seek_a_while(void)
{
	monitfill_seek(&fill, rand() % 2 ? -1 : 1, LATER);
	for (int left = rand() % 6; fill.seeking && left > 0; left--) {
		monitfill_seek_on(&fill, NOW);
	}
	monitfill_seek_return(&fill, LATER);
}

static void press_something(void)
{
	struct logpane *p = &ui.logs;
	char why[64], text[16];
	switch (rand() % 9) {
	case 0:
		logpane_edge(p, -1);
		break;
	case 1:
		logpane_follow(p, rand() % 4 > 0);
		break;
	case 2:
	case 3:
		logpane_page(p, -2);
		break;
	case 4:
	case 5:
		logpane_page(p, 2);
		break;
	case 6:
		say(rand() % SLOTS, rand() % 300);
		break;
	case 7:
		if (rand() % 4 == 0) {
			rotate(rand() % SLOTS);
		}
		break;
	default:
		snprintf(text, sizeof(text), "%d$", rand() % 5000);
		logpane_search(p, text, why, sizeof(why));
		if (rand() % 2) {
			seek_a_while();
		} else {
			seek(rand() % 2 ? -1 : 1, rand() % 2 ? NOW : LATER);
		}
	}
}

static void whatever_one_does_no_line_is_missing(void **state)
{
	(void)state;
	int first[SLOTS], last[SLOTS];
	srand(3);
	say(0, 3000);
	say(1, 500);
	monitfill_place(&fill, LATER);
	for (int i = 0; i < 600; i++) {
		press_something();
		if (rand() % 3) {
			serve();
		}
		int n = check(first, last);
		assert_true(n <= LOGPANE_LINES);
		if (ui.logs.follow && !ui.logs.more) {
			read_on();
			check(first, last);
			assert_true(last[0] == written[0] || last[1] == written[1]);
		}
	}
}

static void long_lines_come_once(void **state)
{
	(void)state;
	char *big = xmalloc(300001);
	memset(big, 'x', 300000);
	big[300000] = '\0';
	FILE *f = fopen(path_of(0, 0), "w");
	fprintf(f, "0 1\n%s\n0 2\n", big);
	fclose(f);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	assert_int_equal(ui.logs.end - ui.logs.first, 3);
	assert_true(logpane_get(&ui.logs, ui.logs.first + 1)->cut);
	f = fopen(path_of(0, 0), "a");
	fprintf(f, "%s\n0 3\n", big);
	fclose(f);
	read_on();
	assert_int_equal(ui.logs.end - ui.logs.first, 5);
	assert_true(logpane_get(&ui.logs, ui.logs.first + 3)->cut);
	assert_string_equal(logpane_get(&ui.logs, ui.logs.first + 4)->text, "0 3");
	free(big);
}

static void events_stand_where_they_belong(void **state)
{
	(void)state;
	struct feed_event e = {.seq = 1, .app = "web", .slot = 0, .text = "started"};
	say(0, 1);
	e.t_ms = clock_ms + 1;
	feed_add(&ui.feed, &e);
	say(0, 1);
	monitfill_place(&fill, LATER);
	monitfill_newer(&fill, LATER);
	assert_int_equal(ui.logs.end - ui.logs.first, 3);
	assert_string_equal(logpane_get(&ui.logs, ui.logs.first + 1)->text, "started");
	e.t_ms = clock_ms + 1;
	snprintf(e.text, sizeof(e.text), "killed");
	feed_add(&ui.feed, &e);
	snprintf(e.app, sizeof(e.app), "other");
	feed_add(&ui.feed, &e);
	say(0, 1);
	read_on();
	assert_string_equal(logpane_get(&ui.logs, ui.logs.first + 3)->text, "killed");
	assert_string_equal(logpane_get(&ui.logs, ui.logs.first + 4)->text, "0 3");
	/* And without a line after it, once none can come before it any more. */
	snprintf(e.app, sizeof(e.app), "web");
	e.t_ms = clock_ms + 1;
	feed_add(&ui.feed, &e);
	assert_true(monitfill_has_event(&fill));
	assert_false(monitfill_events(&fill, clock_ms));
	assert_true(monitfill_events(&fill, clock_ms + 1));
	assert_int_equal(ui.logs.end - ui.logs.first, 6);
}

static void without_files(void **state)
{
	(void)state;
	monitfiles_finish(&files);
	monitfill_place(&fill, LATER);
	assert_string_equal(ui.logs.note, "no log files");
	read_on();
	ui.logs.from = LOGPANE_HEAD;
	monitfill_place(&fill, LATER);
	ui.logs.from = LOGPANE_AT;
	monitfill_place(&fill, LATER);
	char why[64];
	logpane_search(&ui.logs, "x", why, sizeof(why));
	assert_int_equal(seek(-1, NOW), SEEK_NOTHING);
	assert_int_equal(seek(1, NOW), SEEK_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		ONE(history_then_what_is_written),
		ONE(a_filter_looks_through_all_files),
		ONE(a_filter_makes_room),
		ONE(a_search_finds_each_hit),
		ONE(a_search_among_lines_of_one_moment),
		ONE(a_place_of_each_kind),
		ONE(searches_in_slices),
		ONE(whatever_one_does_no_line_is_missing),
		ONE(long_lines_come_once),
		ONE(events_stand_where_they_belong),
		ONE(without_files),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!mkdtemp(dir)) {
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
