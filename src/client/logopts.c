/* SPDX-License-Identifier: MIT */
#include "client/logopts.h"

#include <errno.h>
#include <stdlib.h>

#include "client/logtime.h"
#include "common/clock.h"

#define MAX_MS (INT64_MAX / 1000000 - 1)

static int parse_number(struct logopts *o, const struct client *c, const char *lines)
{
	char *end = NULL;
	errno = 0;
	o->lines = lines ? strtoull(lines, &end, 10) : 20;
	o->lines_given = lines != NULL;
	if (lines && (*end || end == lines || lines[0] < '0' || lines[0] > '9' || errno)) {
		return client_usage(c, "--lines: \"%.40s\" is not a number", lines);
	}
	return 0;
}

/* A point in time, ns since the epoch; `absent` if the option was not given. */
static int parse_time(const struct client *c, const char *option, int64_t absent, int64_t *out)
{
	const char *text = args_value(&c->args, option, NULL);
	int64_t ms;
	*out = absent;
	if (text && !logtime_parse(text, clock_real_ms(), &ms)) {
		return client_usage(c,
				    "--%s: \"%.60s\" is no time; use 10m, 2h, 14:00, yesterday or "
				    "2026-11-22T14:03:01Z",
				    option, text);
	}
	if (text) { /* years beyond 2262 and before 1677 do not fit */
		*out = ms > MAX_MS ? INT64_MAX : ms < -MAX_MS ? -INT64_MAX : ms * 1000000;
	}
	return 0;
}

static int parse_times(struct logopts *o, const struct client *c)
{
	int status = parse_time(c, "since", INT64_MIN, &o->since_ns);
	if (status == 0) {
		status = parse_time(c, "until", INT64_MAX, &o->until_ns);
	}
	if (status == 0 && o->until_ns < o->since_ns) {
		status = client_usage(c, "--until lies before --since");
	}
	if (status == 0 && o->follow && args_has(&c->args, "until")) {
		status = client_usage(c, "--follow and --until exclude each other");
	}
	if (status == 0 && o->until_ns != INT64_MAX) {
		o->until_ns += 999999; /* shown as this very millisecond */
	}
	return status;
}

static int parse_pattern(struct logopts *o, const struct client *c)
{
	const struct args *args = &c->args;
	const char *pattern = args_value(args, "grep", NULL);
	unsigned flags = (args_has(args, "ignore-case") ? LOGMATCH_IGNORE_CASE : 0) |
			 (args_has(args, "invert") ? LOGMATCH_INVERT : 0);
	struct err err;
	if (!pattern) {
		return flags ? client_usage(c, "--%s needs --grep",
					    flags & LOGMATCH_INVERT ? "invert" : "ignore-case")
			     : 0;
	}
	if (!logmatch_init(&o->match, pattern, flags, &err)) {
		return client_usage(c, "--grep: \"%.100s\": %s", pattern, err.msg);
	}
	o->has_match = true;
	return 0;
}

int logopts_init(struct logopts *o, const struct client *c)
{
	o->follow = args_has(&c->args, "follow");
	o->raw = args_has(&c->args, "raw");
	o->out = args_has(&c->args, "out") || !args_has(&c->args, "err");
	o->err = args_has(&c->args, "err") || !args_has(&c->args, "out");
	if (c->json && o->raw) {
		return client_usage(c, "--json and --raw exclude each other");
	}
	int status = parse_number(o, c, args_value(&c->args, "lines", NULL));
	if (status == 0) {
		status = parse_times(o, c);
	}
	return status == 0 ? parse_pattern(o, c) : status;
}

void logopts_finish(struct logopts *o)
{
	logmatch_finish(&o->match);
}
