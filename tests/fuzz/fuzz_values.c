/* SPDX-License-Identifier: MIT */
/*
 * The value of every key: numbers, durations, sizes, words, addresses to listen on, probes, cron
 * lines. What is accepted is written in a form that reads the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "config/cron.h"
#include "config/probe.h"
#include "config/types.h"

#define DIR "/d" /* of the file the keys stand in */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *write_value(const struct key *k, const struct app_conf *c, const char *sub)
{
	return k->type->format ? k->type->format(c, k, sub) : NULL;
}

static void check_again(const struct key *k, const char *sub, const char *text)
{
	struct app_conf c = {.dir = xstrdup(DIR), .umask = -1};
	struct err err;
	if (!types_parse(&c, k, sub, text, &err)) {
		abort();
	}
	char *twice = write_value(k, &c, sub);
	if (!twice || strcmp(twice, text) != 0) {
		abort();
	}
	free(twice);
	conf_finish(&c);
}

/* What an accepted probe asks. */
static void expand(const struct app_conf *c, const struct probe *p)
{
	for (int port = 0; p->arg && port <= 65535; port += 65535) {
		struct probe_target t = {0};
		struct err err;
		if (probe_expand(p, port, 999, &t, &err)) {
			probe_is_shared(c, &t);
		}
		probe_target_finish(&t);
	}
}

static void value(const struct key *k, const char *text)
{
	struct app_conf c = {.dir = xstrdup(DIR), .umask = -1};
	struct err err = {0};
	size_t len = strlen(k->name);
	const char *sub = len && k->name[len - 1] == '.' ? "nofile" : NULL;
	if (types_parse(&c, k, sub, text, &err)) {
		char *again = write_value(k, &c, sub);
		if (again) {
			check_again(k, sub, again);
		}
		free(again);
		expand(&c, &c.ready);
		expand(&c, &c.health);
	} else if (!err.msg[0]) {
		abort(); /* a refusal has a reason */
	}
	conf_finish(&c);
}

static int64_t utc(int64_t t)
{
	(void)t;
	return 0;
}

static void cron(const char *text)
{
	struct cron c;
	struct err err;
	int64_t t = 1763892000;
	if (!cron_parse(&c, text, &err)) {
		return;
	}
	for (int i = 0; i < 3; i++) {
		int64_t next = cron_next(&c, t, utc);
		if (next <= t || next % 60 != 0) {
			abort();
		}
		t = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 10000) {
		return 0; /* for each of a hundred keys that is only slow */
	}
	char *text = xstrndup((const char *)data, size);
	for (size_t i = 0; i < keys_count; i++) {
		value(&keys[i], text);
	}
	cron(text);
	free(text);
	return 0;
}
