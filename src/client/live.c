/* SPDX-License-Identifier: MIT */
#include "client/live.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/utf8.h"
#include "sys/fileio.h"

#define PERIOD_MS 200
#define COLUMNS	  80
#define LINES	  24

static volatile sig_atomic_t continued;

static void on_continue(int sig)
{
	(void)sig;
	continued = 1;
}

void live_init(struct live *l, int fd)
{
	struct sigaction sa = {.sa_handler = on_continue, .sa_flags = SA_RESTART};
	*l = (struct live){.fd = fd, .drawn_mono_ms = INT64_MIN / 2};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGCONT, &sa, NULL);
}

void live_size(const struct live *l, size_t *columns, size_t *lines)
{
	struct winsize ws = {0};
	const char *text = getenv("COLUMNS");
	long n = text ? strtol(text, NULL, 10) : 0;
	(void)!ioctl(l->fd, TIOCGWINSZ, &ws);
	*columns = ws.ws_col > 0 ? ws.ws_col : n > 0 && n < 10000 ? (size_t)n : COLUMNS;
	*lines = ws.ws_row > 0 ? ws.ws_row : LINES;
}

/* In the background a write may stop us, and would go between the lines of somebody else. */
static bool in_foreground(const struct live *l)
{
	pid_t group = tcgetpgrp(l->fd);
	return group < 0 || group == getpgrp(); /* < 0: not our controlling terminal */
}

bool live_is_due(const struct live *l, int64_t now_mono_ms)
{
	return now_mono_ms - l->drawn_mono_ms >= PERIOD_MS && in_foreground(l);
}

/* What was drawn is where we left it, line for line. */
static bool is_in_place(const struct live *l)
{
	size_t columns, lines;
	live_size(l, &columns, &lines);
	if (continued) {
		continued = 0;
		return false;
	}
	return l->widest < columns && l->lines < lines;
}

static size_t widest(const char *s)
{
	size_t most = 0;
	while (*s) {
		size_t len = strcspn(s, "\n");
		struct buf plain = {0};
		buf_add_escaped(&plain, s, len, -1);
		size_t w = plain.data ? utf8_width(plain.data) : 0;
		most = w > most ? w : most;
		buf_finish(&plain);
		s += len + (s[len] == '\n');
	}
	return most;
}

/* The way back to the first of our lines. */
static void add_back(struct live *l, struct buf *out)
{
	buf_addc(out, '\r');
	if (l->lines && is_in_place(l)) {
		buf_addf(out, "\033[%zuA", l->lines);
	}
	l->lines = l->widest = 0;
}

void live_show(struct live *l, const struct buf *text, size_t n, int64_t now_mono_ms)
{
	struct buf out = {0};
	if (!in_foreground(l)) {
		return;
	}
	add_back(l, &out);
	/* Line by line, not all at once first: that would flicker. */
	for (const char *s = text->data; s && *s;) {
		size_t len = strcspn(s, "\n");
		buf_add(&out, s, len);
		buf_adds(&out, "\033[K\r\n");
		s += len + (s[len] == '\n');
	}
	buf_adds(&out, "\033[J");
	(void)!file_write_all(l->fd, out.data, out.len);
	buf_finish(&out);
	l->lines = n;
	l->widest = widest(text->data ? text->data : "");
	l->drawn_mono_ms = now_mono_ms;
}

void live_clear(struct live *l)
{
	struct buf out = {0};
	if (!l->lines || !in_foreground(l)) {
		return;
	}
	add_back(l, &out);
	buf_adds(&out, "\033[J");
	(void)!file_write_all(l->fd, out.data, out.len);
	buf_finish(&out);
}

void live_keep(struct live *l)
{
	l->lines = l->widest = 0;
}
