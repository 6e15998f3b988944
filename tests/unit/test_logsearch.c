/* SPDX-License-Identifier: MIT */
/* A search in many lines finds what a look at each of them finds: both ways, over rotated and
 * compressed files, whatever the size of blocks; and it can be stopped and goes on. */
#include "client/logset.h"

#include <zlib.h>

#include "logdir.h"

#define LINES 3000

static char lines[LINES][64];

/* Lines of some kinds, over four files, of which two are compressed. */
static void make_files(void)
{
	static const char *const words[] = {"error", "GET /api", "x", "", "\xc3\xa4rger", "a.b"};
	unsigned seed = 11;
	for (int i = 0; i < LINES; i++) {
		snprintf(lines[i], sizeof(lines[i]), "%d %s %d", i,
			 words[(size_t)rand_r(&seed) % ARRAY_LEN(words)], rand_r(&seed) % 50);
		char text[80];
		snprintf(text, sizeof(text), "%.63s\n", lines[i]);
		log_put_at("x.log", text, 1000 + i / 10);
		if (i % (LINES / 4) == LINES / 4 - 1 && i + 1 < LINES) {
			log_rotate();
		}
	}
}

static void zip(const char *name)
{
	char text[65536], zipped[140];
	int fd = open(log_path(name), O_RDONLY);
	ssize_t n;
	snprintf(zipped, sizeof(zipped), "%s.gz", log_path(name));
	gzFile gz = gzopen(zipped, "wb");
	while ((n = read(fd, text, sizeof(text))) > 0) {
		assert_int_equal(gzwrite(gz, text, (unsigned)n), n);
	}
	assert_int_equal(gzclose(gz), Z_OK);
	close(fd);
	unlink(log_path(name));
}

struct search {
	const char *pattern;
	unsigned flags;
};

static const struct search searches[] = {
	{"error", 0},
	{"ERROR 4", LOGMATCH_IGNORE_CASE},
	{"error", LOGMATCH_INVERT},
	{"^2[0-9]+ x", 0},
	{"[0-9]{4}", 0},
	{"\xc3\x84R", LOGMATCH_IGNORE_CASE},
	{"^1 |^2999 ", 0},
	{"no such thing", 0},
	{"a\\.b 7$", 0},
};

static bool wanted(const struct logmatch *m, int i)
{
	return logmatch_line(m, lines[i], strlen(lines[i]));
}

static void is_line(const struct logline *l, int i)
{
	if (l->len != strlen(lines[i]) || memcmp(l->data, lines[i], l->len) != 0) {
		fail_msg("\"%.*s\" instead of \"%s\"", (int)l->len, l->data, lines[i]);
	}
	assert_int_equal(l->t_ns, (1000 + i / 10) * SECOND);
}

static void both_ways(const struct search *q, size_t block)
{
	struct logmatch m;
	struct err err;
	struct logsrc s;
	struct logline l;
	size_t seg;
	uint64_t at;
	int i;
	assert_true(logmatch_init(&m, q->pattern, q->flags, &err));
	log_open(&s, block);
	s.match = &m;
	for (i = LINES; logsrc_prev(&s, false, &l, &seg, &at);) {
		while (i-- > 0 && !wanted(&m, i)) {
		}
		assert_true(i >= 0);
		is_line(&l, i);
	}
	while (i-- > 0) {
		assert_false(wanted(&m, i));
	}
	logsrc_start_since(&s, 0);
	for (i = 0; logsrc_next(&s, false, &l); i++) {
		for (; i < LINES && !wanted(&m, i); i++) {
		}
		assert_true(i < LINES);
		is_line(&l, i);
	}
	for (; i < LINES; i++) {
		assert_false(wanted(&m, i));
	}
	logsrc_finish(&s);
	logmatch_finish(&m);
}

static void as_a_look_at_each_line(void **state)
{
	(void)state;
	static const size_t blocks[] = {7, 100, 65536};
	make_files();
	zip("x.log.2");
	zip("x.log.3");
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		for (size_t b = 0; b < ARRAY_LEN(blocks); b++) {
			both_ways(&searches[i], blocks[b]);
		}
	}
}

static void begin(struct logset *s, const struct logmatch *m)
{
	logset_init(s);
	s->match = m;
	logset_add(s, "web", 0, LOG_OUT, log_path("x.log"));
}

/* From `from` down or up to `to`. */
static void between(void **state)
{
	(void)state;
	struct logset s;
	const struct logset_entry *e;
	make_files();
	zip("x.log.3");
	for (int since = 990; since < 1310; since += 37) {
		for (int until = since; until < 1320; until += 41) {
			int first = since < 1000 ? 0 : (since - 1000) * 10;
			int last = until < 1000 ? -1 : (until - 1000) * 10 + 9;
			last = last < LINES ? last : LINES - 1;
			begin(&s, NULL);
			s.until_ns = until * SECOND;
			logset_start_last(&s, LINES, since * SECOND);
			int i = first;
			for (; (e = logset_next(&s)); i++) {
				is_line(&e->next, i);
			}
			assert_int_equal(i, last < first ? first : last + 1);
			logset_finish(&s);
			begin(&s, NULL);
			s.until_ns = until * SECOND;
			for (i = last; i >= first && (e = logset_prev(&s)); i--) {
				is_line(&e->prev, i);
			}
			assert_true(i < first);
			logset_start_since(&s, since * SECOND);
			for (i = first; (e = logset_next(&s)); i++) {
				is_line(&e->next, i);
			}
			assert_int_equal(i, last < first ? first : last + 1);
			logset_finish(&s);
		}
	}
}

static bool every_time(void *ctx)
{
	++*(int *)ctx;
	return true;
}

/* It gives up whenever it may, and in the end has found the same. */
static void stopped_and_gone_on_with(void **state)
{
	(void)state;
	struct logset s;
	struct logmatch m;
	struct err err;
	const struct logset_entry *e;
	int asked = 0, stopped = 0, found = 0;
	for (int i = 0; i < 60000; i++) {
		log_put("x.log", i == 10 || i == 59000 ? "here\n" : "some line of text\n");
	}
	assert_true(logmatch_init(&m, "here", 0, &err));
	for (int way = 0; way < 3; way++) {
		logset_init(&s);
		s.match = &m;
		s.stop = every_time;
		s.stop_ctx = &asked;
		logset_add(&s, "web", 0, LOG_OUT, log_path("x.log"));
		found = stopped = asked = 0;
		if (way == 0) {
			logset_start_since(&s, 0);
		}
		for (; way == 2 && !logset_start_last(&s, 5, 0); stopped++) {
		}
		for (;;) {
			e = way == 1 ? logset_prev(&s) : logset_next(&s);
			found += e != NULL;
			stopped += s.stopped;
			if (!e && !s.stopped) {
				break;
			}
		}
		assert_int_equal(found, 2);
		if (stopped <= 2 || asked < stopped) {
			fail_msg("%d: %d stops, asked %d times", way, stopped, asked);
		}
		logset_finish(&s);
	}
	logmatch_finish(&m);
}

/* More lines than are kept from the way back are read again, and are the same. */
static void too_many_to_keep(void **state)
{
	(void)state;
	struct logset s;
	const struct logset_entry *e;
	static char line[50001];
	uint64_t n = 0;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 300; i++) {
		log_append("x.log", line, sizeof(line));
		if (i == 100) {
			log_rotate();
		}
	}
	begin(&s, NULL);
	assert_true(logset_start_last(&s, 250, 0));
	for (; (e = logset_next(&s)); n++) {
		assert_int_equal(e->next.len, sizeof(line) - 1);
	}
	assert_int_equal(n, 250);
	logset_finish(&s);
}

static void a_damaged_file_is_told(void **state)
{
	(void)state;
	struct logset s;
	const struct logset_entry *e;
	int n = 0;
	make_files();
	zip("x.log.2");
	struct stat st;
	assert_int_equal(stat(log_path("x.log.2.gz"), &st), 0);
	assert_int_equal(truncate(log_path("x.log.2.gz"), st.st_size / 2), 0);
	begin(&s, NULL);
	logset_start_last(&s, LINES, 0);
	while ((e = logset_next(&s))) {
		n++;
	}
	assert_true(n > LINES / 4 * 3 && n < LINES);
	assert_true(s.v[0]->src.damaged);
	logset_finish(&s);
}

static int clean(void **state)
{
	unlink(log_path("x.log.2.gz"));
	unlink(log_path("x.log.3.gz"));
	return log_clean(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(as_a_look_at_each_line, clean),
		cmocka_unit_test_teardown(between, clean),
		cmocka_unit_test_teardown(stopped_and_gone_on_with, clean),
		cmocka_unit_test_teardown(too_many_to_keep, clean),
		cmocka_unit_test_teardown(a_damaged_file_is_told, clean),
	};
	setenv("LC_ALL", "C.UTF-8", 1);
	return cmocka_run_group_tests(tests, log_setup, log_teardown);
}
