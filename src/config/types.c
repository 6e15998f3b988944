/* SPDX-License-Identifier: MIT */
#include "config/types.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "common/units.h"
#include "config/names.h"

bool types_parse(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		 struct err *err)
{
	if (k->later) {
		return err_set(err, ERR_CONFIG, "not supported yet");
	}
	if (!*text && !k->type->empty_ok) {
		return err_set(err, ERR_CONFIG, "is empty");
	}
	return k->type->parse(c, k, sub, text, err);
}

bool types_read_number(const char *text, long long max, long long *out)
{
	long long v = 0;
	if (!*text) {
		return false;
	}
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || v > (max - (*text - '0')) / 10) {
			return false;
		}
		v = v * 10 + (*text - '0');
	}
	*out = v;
	return true;
}

char *types_join_path(const char *dir, const char *path)
{
	if (path[0] == '/') {
		return xstrdup(path);
	}
	while (path[0] == '.' && path[1] == '/') {
		path += 2 + strspn(path + 2, "/");
	}
	if (!path[0] || strcmp(path, ".") == 0) {
		return xstrdup(dir);
	}
	size_t len = strlen(dir);
	return xasprintf("%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", path);
}

bool types_bad_choice(struct err *err, const char *text, const char *choices)
{
	char *list = xstrdup(choices);
	char near[200];
	char shown[SHOWN_MAX];
	struct buf all = {0};
	struct suggest s;
	suggest_init(&s, text);
	for (char *save = NULL, *w = strtok_r(list, "|", &save); w;
	     w = strtok_r(NULL, "|", &save)) {
		suggest_offer(&s, w);
		buf_addf(&all, "%s%s", all.len ? ", " : "", w);
	}
	suggest_text(&s, near, sizeof(near));
	err_set(err, ERR_CONFIG, "\"%s\" is not one of %s%s", names_shown(text, shown), all.data,
		near);
	buf_finish(&all);
	free(list);
	return false;
}

/* Booleans */

int types_read_bool(const char *text)
{
	static const char *const words[2][4] = {{"no", "false", "off", "0"},
						{"yes", "true", "on", "1"}};
	for (int v = 0; v < 2; v++) {
		for (size_t i = 0; i < 4; i++) {
			if (strcasecmp(text, words[v][i]) == 0) {
				return v;
			}
		}
	}
	return -1;
}

static bool parse_bool(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		       struct err *err)
{
	(void)sub;
	int v = types_read_bool(text);
	if (v < 0) {
		char shown[SHOWN_MAX];
		return err_set(err, ERR_CONFIG, "\"%s\" is not yes or no",
			       names_shown(text, shown));
	}
	TYPES_FIELD(c, k, bool) = v;
	return true;
}

static char *format_bool(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	return xstrdup(TYPES_CONST_FIELD(c, k, bool) ? "yes" : "no");
}

const struct key_type type_bool = {"yes or no", false, parse_bool, format_bool, NULL};

static bool parse_compress(struct app_conf *c, const struct key *k, const char *sub,
			   const char *text, struct err *err)
{
	(void)sub;
	int v = strcmp(text, "gzip") == 0 ? 1 : types_read_bool(text);
	if (v < 0) {
		return types_bad_choice(err, text, k->choices);
	}
	TYPES_FIELD(c, k, bool) = v;
	return true;
}

static char *format_compress(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	return xstrdup(TYPES_CONST_FIELD(c, k, bool) ? "gzip" : "no");
}

const struct key_type type_compress = {"no or gzip", false, parse_compress, format_compress, NULL};

/* Numbers, durations, sizes */

static bool parse_int(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		      struct err *err)
{
	(void)sub;
	long long v;
	char shown[SHOWN_MAX];
	if (!text[strspn(text, "0123456789")] && !types_read_number(text, INT_MAX, &v)) {
		v = LLONG_MAX;
	} else if (!types_read_number(text, INT_MAX, &v)) {
		return err_set(err, ERR_CONFIG, "\"%s\" is not a whole number",
			       names_shown(text, shown));
	}
	if (v < k->min || v > k->max) {
		return err_set(err, ERR_CONFIG, "%s is out of range; %lld to %lld",
			       names_shown(text, shown), k->min, k->max);
	}
	TYPES_FIELD(c, k, int) = (int)v;
	return true;
}

static char *format_int(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	return xasprintf("%d", TYPES_CONST_FIELD(c, k, int));
}

const struct key_type type_int = {"a number", false, parse_int, format_int, NULL};

static bool parse_duration(struct app_conf *c, const struct key *k, const char *sub,
			   const char *text, struct err *err)
{
	(void)sub;
	int64_t ms;
	char shown[SHOWN_MAX];
	char lo[24];
	char hi[24];
	if (!units_parse_duration(text, &ms)) {
		return err_set(err, ERR_CONFIG,
			       "\"%s\" is not a duration; use 500ms, 10s, 5m or 1h",
			       names_shown(text, shown));
	}
	if (ms < k->min || ms > k->max) {
		units_format_duration(k->min, lo, sizeof(lo));
		units_format_duration(k->max, hi, sizeof(hi));
		return err_set(err, ERR_CONFIG, "%s is out of range; %s to %s",
			       names_shown(text, shown), lo, hi);
	}
	TYPES_FIELD(c, k, int64_t) = ms;
	return true;
}

static char *format_duration(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	char text[24];
	units_format_duration(TYPES_CONST_FIELD(c, k, int64_t), text, sizeof(text));
	return xstrdup(text);
}

const struct key_type type_duration = {"a duration", false, parse_duration, format_duration, NULL};

static bool parse_duration_or_no(struct app_conf *c, const struct key *k, const char *sub,
				 const char *text, struct err *err)
{
	if (types_read_bool(text) == 0) {
		TYPES_FIELD(c, k, int64_t) = 0;
		return true;
	}
	return parse_duration(c, k, sub, text, err);
}

static char *format_duration_or_no(const struct app_conf *c, const struct key *k, const char *sub)
{
	return TYPES_CONST_FIELD(c, k, int64_t) ? format_duration(c, k, sub) : xstrdup("no");
}

const struct key_type type_duration_or_no = {"a duration or no", false, parse_duration_or_no,
					     format_duration_or_no, NULL};

static bool parse_size(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		       struct err *err)
{
	(void)sub;
	int64_t bytes;
	char shown[SHOWN_MAX];
	char lo[24];
	if (!units_parse_size(text, &bytes)) {
		return err_set(err, ERR_CONFIG, "\"%s\" is not a size; use 512M or 2G",
			       names_shown(text, shown));
	}
	if (bytes < k->min) {
		names_shown(text, shown);
		units_format_size(k->min, lo, sizeof(lo));
		if (strlen(text) <= 5 && !text[strspn(text, "0123456789")]) {
			return err_set(err, ERR_CONFIG,
				       "%s is %s bytes, and the least is %s; did you mean %sM?",
				       shown, shown, lo, shown);
		}
		return err_set(err, ERR_CONFIG, "%s is too small; the least is %s", shown, lo);
	}
	if (bytes > k->max) {
		return err_set(err, ERR_CONFIG, "%s is too large", names_shown(text, shown));
	}
	TYPES_FIELD(c, k, int64_t) = bytes;
	return true;
}

/* 0 stands for "unset" where the row allows no 0. */
static char *format_size(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	char text[24];
	int64_t v = TYPES_CONST_FIELD(c, k, int64_t);
	if (v < k->min) {
		return NULL;
	}
	units_format_size(v, text, sizeof(text));
	return xstrdup(text);
}

const struct key_type type_size = {"a size", false, parse_size, format_size, NULL};

/* Enumerations: the value is the index in the row's choices */

static int choice_index(const char *choices, const char *text)
{
	size_t len = strlen(text);
	for (int i = 0;; i++) {
		size_t n = strcspn(choices, "|");
		if (n == len && memcmp(choices, text, n) == 0) {
			return i;
		}
		if (!choices[n]) {
			return -1;
		}
		choices += n + 1;
	}
}

static char *choice_text(const char *choices, unsigned index)
{
	for (; index > 0; index--) {
		choices += strcspn(choices, "|") + 1;
	}
	return xstrndup(choices, strcspn(choices, "|"));
}

static bool parse_enum(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		       struct err *err)
{
	(void)sub;
	int i = choice_index(k->choices, text);
	if (i < 0) {
		return types_bad_choice(err, text, k->choices);
	}
	TYPES_FIELD(c, k, unsigned) = (unsigned)i;
	return true;
}

static char *format_enum(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	return choice_text(k->choices, TYPES_CONST_FIELD(c, k, unsigned));
}

const struct key_type type_enum = {"a word", false, parse_enum, format_enum, NULL};

static bool parse_autorestart(struct app_conf *c, const struct key *k, const char *sub,
			      const char *text, struct err *err)
{
	int v = types_read_bool(text);
	if (v >= 0) {
		text = v ? "always" : "never";
	}
	return parse_enum(c, k, sub, text, err);
}

const struct key_type type_autorestart = {"a word", false, parse_autorestart, format_enum, NULL};
