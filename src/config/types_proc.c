/* SPDX-License-Identifier: MIT */
#include "config/types.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/signals.h"
#include "common/suggest.h"
#include "common/units.h"
#include "config/names.h"

/* A list grows where its length is a power of two. */
static void *grow(void *v, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xreallocarray(v, n ? n * 2 : 1, size) : v;
}

/* env.NAME */

static bool parse_env(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		      struct err *err)
{
	(void)k;
	if (!names_check_env(sub, err)) {
		return false;
	}
	if (names_is_reserved_env(sub)) {
		return err_set(err, ERR_CONFIG, "is set by pmctl itself");
	}
	c->env = grow(c->env, c->nenv, sizeof(*c->env));
	c->env[c->nenv++] = (struct env_var){.name = xstrdup(sub), .value = xstrdup(text)};
	return true;
}

static char *format_env(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	for (size_t i = 0; i < c->nenv; i++) {
		if (strcmp(c->env[i].name, sub) == 0) {
			return xstrdup(c->env[i].value);
		}
	}
	return NULL;
}

static void free_env(struct app_conf *c, const struct key *k)
{
	(void)k;
	for (size_t i = 0; i < c->nenv; i++) {
		free(c->env[i].name);
		free(c->env[i].value);
	}
	free(c->env);
	c->env = NULL;
	c->nenv = 0;
}

const struct key_type type_env = {"text", true, parse_env, format_env, free_env};

/* limit.NAME */

static const struct {
	const char *name;
	int resource;
} limit_names[] = {
	{"as", RLIMIT_AS},
	{"core", RLIMIT_CORE},
	{"cpu", RLIMIT_CPU},
	{"data", RLIMIT_DATA},
	{"fsize", RLIMIT_FSIZE},
	{"locks", RLIMIT_LOCKS},
	{"memlock", RLIMIT_MEMLOCK},
	{"msgqueue", RLIMIT_MSGQUEUE},
	{"nice", RLIMIT_NICE},
	{"nofile", RLIMIT_NOFILE},
	{"nproc", RLIMIT_NPROC},
	{"rss", RLIMIT_RSS},
	{"rtprio", RLIMIT_RTPRIO},
	{"rttime", RLIMIT_RTTIME},
	{"sigpending", RLIMIT_SIGPENDING},
	{"stack", RLIMIT_STACK},
};

const char *conf_limit_name(int resource)
{
	for (size_t i = 0; i < ARRAY_LEN(limit_names); i++) {
		if (limit_names[i].resource == resource) {
			return limit_names[i].name;
		}
	}
	return "?";
}

static int limit_resource(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(limit_names); i++) {
		if (strcmp(limit_names[i].name, name) == 0) {
			return limit_names[i].resource;
		}
	}
	return -1;
}

static bool unknown_limit(const char *name, struct err *err)
{
	char near[200];
	char shown[SHOWN_MAX];
	struct suggest s;
	suggest_init(&s, name);
	for (size_t i = 0; i < ARRAY_LEN(limit_names); i++) {
		suggest_offer(&s, limit_names[i].name);
	}
	suggest_text(&s, near, sizeof(near));
	return err_set(err, ERR_CONFIG, "\"%s\" is not a limit of setrlimit%s",
		       names_shown(name, shown), near);
}

static bool read_limit(const char *text, uint64_t *out)
{
	int64_t v;
	if (strcmp(text, "unlimited") == 0 || strcmp(text, "infinity") == 0) {
		*out = UINT64_MAX;
		return true;
	}
	if (!units_parse_size(text, &v)) {
		return false;
	}
	*out = (uint64_t)v;
	return true;
}

static bool parse_limit(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			struct err *err)
{
	(void)k;
	char shown[SHOWN_MAX];
	struct rlimit_conf r = {.resource = limit_resource(sub)};
	if (r.resource < 0) {
		return unknown_limit(sub, err);
	}
	const char *colon = strchr(text, ':');
	char *soft = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
	bool ok = read_limit(soft, &r.soft) && read_limit(colon ? colon + 1 : soft, &r.hard);
	free(soft);
	if (!ok) {
		return err_set(
			err, ERR_CONFIG,
			"\"%s\" is not a limit; use 1024, 1024:4096 (soft:hard) or unlimited",
			names_shown(text, shown));
	}
	if (r.soft > r.hard) {
		return err_set(err, ERR_CONFIG, "the soft limit is above the hard one");
	}
	c->limits = grow(c->limits, c->nlimits, sizeof(*c->limits));
	c->limits[c->nlimits++] = r;
	return true;
}

static void add_limit(struct buf *b, uint64_t v)
{
	if (v == UINT64_MAX) {
		buf_adds(b, "unlimited");
	} else {
		buf_addf(b, "%llu", (unsigned long long)v);
	}
}

static char *format_limit(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	int resource = limit_resource(sub);
	for (size_t i = 0; i < c->nlimits; i++) {
		const struct rlimit_conf *r = &c->limits[i];
		if (r->resource == resource) {
			struct buf b = {0};
			add_limit(&b, r->soft);
			if (r->hard != r->soft) {
				buf_addc(&b, ':');
				add_limit(&b, r->hard);
			}
			return buf_take(&b);
		}
	}
	return NULL;
}

static void free_limit(struct app_conf *c, const struct key *k)
{
	(void)k;
	free(c->limits);
	c->limits = NULL;
	c->nlimits = 0;
}

const struct key_type type_limit = {"a limit", false, parse_limit, format_limit, free_limit};

/* instances */

static bool read_instances(const char *text, struct instance_count *out)
{
	long long n;
	size_t len = strlen(text);
	struct instance_count count = {.kind = COUNT_NUMBER};
	if (strcmp(text, "max") == 0) {
		count.kind = COUNT_MAX;
	} else if (strncmp(text, "max-", 4) == 0 && types_read_number(text + 4, 9999, &n)) {
		count.kind = COUNT_MAX_LESS;
		count.n = (int)n;
	} else if (len > 1 && len < 6 && text[len - 1] == '%') {
		char digits[8];
		memcpy(digits, text, len - 1);
		digits[len - 1] = '\0';
		if (!types_read_number(digits, 1000, &n) || n < 1) {
			return false;
		}
		count.kind = COUNT_PERCENT;
		count.n = (int)n;
	} else {
		return false;
	}
	*out = count;
	return true;
}

static bool parse_instances(struct app_conf *c, const struct key *k, const char *sub,
			    const char *text, struct err *err)
{
	(void)k;
	(void)sub;
	char shown[SHOWN_MAX];
	if (text[strspn(text, "0123456789")]) {
		if (!read_instances(text, &c->instances)) {
			return err_set(
				err, ERR_CONFIG,
				"\"%s\" is not a number of instances; use 4, max, max-1 or 50%%",
				names_shown(text, shown));
		}
		return true;
	}
	long long n;
	if (!types_read_number(text, LIMIT_INSTANCES_APP, &n) || n < 1) {
		return err_set(err, ERR_CONFIG, "%s is out of range; 1 to %d",
			       names_shown(text, shown), LIMIT_INSTANCES_APP);
	}
	c->instances = (struct instance_count){.kind = COUNT_NUMBER, .n = (int)n};
	return true;
}

static char *format_instances(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	switch (c->instances.kind) {
	case COUNT_MAX:
		return xstrdup("max");
	case COUNT_MAX_LESS:
		return xasprintf("max-%d", c->instances.n);
	case COUNT_PERCENT:
		return xasprintf("%d%%", c->instances.n);
	case COUNT_NUMBER:
		break;
	}
	return xasprintf("%d", c->instances.n);
}

const struct key_type type_instances = {"a number of instances", false, parse_instances,
					format_instances, NULL};

/* stop_exit_codes = 0 64,65 */

static bool has_code(const struct app_conf *c, int code)
{
	for (size_t i = 0; i < c->nstop_exit_codes; i++) {
		if (c->stop_exit_codes[i] == code) {
			return true;
		}
	}
	return false;
}

static bool parse_exit_codes(struct app_conf *c, const struct key *k, const char *sub,
			     const char *text, struct err *err)
{
	(void)sub;
	char *copy = xstrdup(text);
	char shown[SHOWN_MAX];
	bool ok = true;
	for (char *save = NULL, *w = strtok_r(copy, ", \t", &save); w && ok;
	     w = strtok_r(NULL, ", \t", &save)) {
		long long n;
		ok = types_read_number(w, 255, &n);
		if (!ok) {
			err_set(err, ERR_CONFIG, "\"%s\" is not an exit code from 0 to 255",
				names_shown(w, shown));
		} else if (!has_code(c, (int)n)) {
			c->stop_exit_codes =
				grow(c->stop_exit_codes, c->nstop_exit_codes, sizeof(int));
			c->stop_exit_codes[c->nstop_exit_codes++] = (int)n;
		}
	}
	free(copy);
	if (ok && c->nstop_exit_codes == 0) {
		ok = err_set(err, ERR_CONFIG, "has no exit code in it");
	}
	if (!ok) {
		k->type->free(c, k);
	}
	return ok;
}

static char *format_exit_codes(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	struct buf b = {0};
	for (size_t i = 0; i < c->nstop_exit_codes; i++) {
		buf_addf(&b, "%s%d", i ? "," : "", c->stop_exit_codes[i]);
	}
	return c->nstop_exit_codes ? buf_take(&b) : NULL;
}

static void free_exit_codes(struct app_conf *c, const struct key *k)
{
	(void)k;
	free(c->stop_exit_codes);
	c->stop_exit_codes = NULL;
	c->nstop_exit_codes = 0;
}

const struct key_type type_exit_codes = {"a list of exit codes", false, parse_exit_codes,
					 format_exit_codes, free_exit_codes};

/* stop_signal */

static bool parse_signal(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			 struct err *err)
{
	(void)sub;
	int n = signals_number(text);
	if (n == 0) {
		char near[200];
		char shown[SHOWN_MAX];
		struct suggest s;
		suggest_init(&s, text);
		for (size_t i = 0; signals_each(i); i++) {
			suggest_offer(&s, signals_each(i));
		}
		suggest_text(&s, near, sizeof(near));
		return err_set(err, ERR_CONFIG, "\"%s\" is not a signal%s",
			       names_shown(text, shown), near);
	}
	TYPES_FIELD(c, k, int) = n;
	return true;
}

static char *format_signal(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	char name[SIGNALS_NAME];
	return xstrdup(signals_name(TYPES_CONST_FIELD(c, k, int), name));
}

const struct key_type type_signal = {"a signal", false, parse_signal, format_signal, NULL};

/* umask, nice: fields with an "unset" of their own */

static bool parse_umask(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			struct err *err)
{
	(void)k;
	(void)sub;
	size_t len = strspn(text, "01234567");
	long v = len && len <= 4 && !text[len] ? strtol(text, NULL, 8) : -1;
	if (v < 0 || v > 0777) {
		char shown[SHOWN_MAX];
		return err_set(err, ERR_CONFIG, "\"%s\" is not an octal mask; use 022 or 077",
			       names_shown(text, shown));
	}
	c->umask = (int)v;
	return true;
}

static char *format_umask(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	return c->umask < 0 ? NULL : xasprintf("%03o", (unsigned)c->umask);
}

static bool parse_nice(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		       struct err *err)
{
	(void)sub;
	long long v;
	bool negative = text[0] == '-';
	if (!types_read_number(text + negative, 1000, &v) || (negative ? -v : v) < k->min ||
	    (negative ? -v : v) > k->max) {
		char shown[SHOWN_MAX];
		return err_set(err, ERR_CONFIG, "\"%s\" is not a number from %lld to %lld",
			       names_shown(text, shown), k->min, k->max);
	}
	c->nice = (int)(negative ? -v : v);
	c->nice_given = true;
	return true;
}

static char *format_nice(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	return c->nice_given ? xasprintf("%d", c->nice) : NULL;
}

const struct key_type type_umask = {"an octal mask", false, parse_umask, format_umask, NULL};
const struct key_type type_nice = {"a number", false, parse_nice, format_nice, NULL};

/* cpu_affinity = auto, or 0-3,5 */

/* One "N" or "N-M" at *p, which is moved behind it. */
static bool skip_cpus(const char **p)
{
	char *end;
	unsigned long range[2];
	for (int i = 0; i < 2; i++) {
		if (**p < '0' || **p > '9') {
			return false;
		}
		range[i] = strtoul(*p, &end, 10);
		*p = end;
		if (range[i] >= CPU_SETSIZE) {
			return false;
		}
		if (i == 0 && **p != '-') {
			return true;
		}
		*p += i == 0;
	}
	return range[0] <= range[1];
}

static bool is_cpu_list(const char *text)
{
	while (skip_cpus(&text)) {
		if (!*text) {
			return true;
		}
		if (*text++ != ',') {
			return false;
		}
		text += strspn(text, " ");
	}
	return false;
}

static bool parse_affinity(struct app_conf *c, const struct key *k, const char *sub,
			   const char *text, struct err *err)
{
	(void)k;
	(void)sub;
	if (strcmp(text, "auto") == 0) {
		c->cpu_auto = true;
		return true;
	}
	if (!is_cpu_list(text)) {
		char shown[SHOWN_MAX];
		return err_set(err, ERR_CONFIG, "\"%s\" is not a list of CPUs; use auto or 0-3,5",
			       names_shown(text, shown));
	}
	struct buf b = {0};
	for (; *text; text++) {
		if (*text != ' ') {
			buf_addc(&b, *text);
		}
	}
	c->cpu_list = buf_take(&b);
	return true;
}

static char *format_affinity(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	return c->cpu_auto ? xstrdup("auto") : c->cpu_list ? xstrdup(c->cpu_list) : NULL;
}

static void free_affinity(struct app_conf *c, const struct key *k)
{
	(void)k;
	free(c->cpu_list);
	c->cpu_list = NULL;
}

const struct key_type type_affinity = {"auto or a list of CPUs", false, parse_affinity,
				       format_affinity, free_affinity};
