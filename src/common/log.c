/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

static struct {
	const char *who;
	int fd;
	unsigned repeats;
	char last[512];
} state = {"pmctld", STDERR_FILENO, 0, ""};

void log_init(const char *who, int fd)
{
	state.who = who;
	log_set_fd(fd);
}

void log_set_fd(int fd)
{
	state.fd = fd < 0 ? STDERR_FILENO : fd;
}

static void emit(const char *text)
{
	char line[640];
	char stamp[CLOCK_RFC3339];
	clock_format_utc(clock_real_ms(), stamp);
	int n = snprintf(line, sizeof(line), "%s %s: %s\n", stamp, state.who, text);
	if (n >= (int)sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	/* A full disk or a closed terminal must not stop us; there is nobody to tell. */
	for (ssize_t w; (w = write(state.fd, line, (size_t)n)) < 0 && errno == EINTR;) {
	}
}

/* Nothing a program said may move a terminal: control characters, also those of two bytes (C1). */
static void make_safe(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f) {
			*c = '?';
		} else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) {
			c[0] = c[1] = '?';
		}
	}
}

void log_line(const char *fmt, ...)
{
	int saved = errno;
	char text[sizeof(state.last)];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_safe(text);
	if (strcmp(text, state.last) == 0) {
		state.repeats++;
		errno = saved;
		return;
	}
	if (state.repeats) {
		char note[64];
		snprintf(note, sizeof(note), "last message repeated %u times", state.repeats);
		emit(note);
	}
	state.repeats = 0;
	memcpy(state.last, text, sizeof(text));
	emit(text);
	errno = saved;
}
