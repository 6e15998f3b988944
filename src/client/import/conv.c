/* SPDX-License-Identifier: MIT */
/* conv - values of foreign keys as ours. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/import/map.h"
#include "common/mem.h"
#include "common/signals.h"
#include "common/units.h"
#include "config/cron.h"
#include "config/names.h"
#include "config/types.h"

#define DIGITS "0123456789"

static enum conv bad(struct err *err, const json_t *v, const char *what)
{
	char shown[SHOWN_MAX];
	char *text = import_text(v);
	err_set(err, ERR_CONFIG, "%s%s%s is not %s", text ? "\"" : "",
		text		   ? names_shown(text, shown)
		: import_odd(v)	   ? import_odd(v)
		: json_is_array(v) ? "a list"
				   : "an object",
		text ? "\"" : "", what);
	free(text);
	return CONV_BAD;
}

enum conv conv_text(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	*out = import_text(v);
	if (*out && !**out) {
		free(*out);
		*out = NULL;
		return CONV_NOTHING;
	}
	return *out ? CONV_OK : bad(err, v, "a text");
}

enum conv conv_bool(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	int is = import_bool(v);
	if (is < 0) {
		return bad(err, v, "true or false");
	}
	*out = xstrdup(is ? "yes" : "no");
	return CONV_OK;
}

/* A whole number, also as a text. */
static bool read_int(const json_t *v, long long *out)
{
	char *text = import_text(v);
	bool minus = text && text[0] == '-';
	bool ok = text && types_read_number(text + minus, 1LL << 53, out);
	*out = ok && minus ? -*out : *out;
	free(text);
	return ok;
}

enum conv conv_int(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	long long n = 0;
	if (!read_int(v, &n)) {
		return bad(err, v, "a whole number");
	}
	*out = xasprintf("%lld", n);
	return CONV_OK;
}

static char *duration(int64_t ms)
{
	char text[24];
	units_format_duration(ms, text, sizeof(text));
	return xstrdup(text);
}

enum conv conv_ms(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	char *text = import_text(v);
	double n = text ? strtod(text, NULL) : -1;
	int64_t ms = -1;
	if (text && *text && !text[strspn(text, DIGITS ".")] && n >= 0 && n < 1e13) {
		ms = (int64_t)n;
	} else if (text && !units_parse_duration(text, &ms)) {
		ms = -1;
	}
	free(text);
	if (ms < 0) {
		return bad(err, v, "a time in ms");
	}
	*out = duration(ms);
	return CONV_OK;
}

enum conv conv_seconds(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	long long n = 0;
	if (!read_int(v, &n) || n < 0 || n > 1000000000) {
		return bad(err, v, "a number of seconds");
	}
	*out = duration(n * 1000);
	return CONV_OK;
}

/* "300M", "300MB", 1073741824. */
static bool read_size(const json_t *v, int64_t *out)
{
	char *text = import_text(v);
	size_t len = text ? strlen(text) : 0;
	if (len > 2 && (text[len - 1] == 'B' || text[len - 1] == 'b') &&
	    strchr("KMGTkmgt", text[len - 2])) {
		text[len - 1] = '\0';
	}
	bool ok = text && *text && units_parse_size(text, out);
	free(text);
	return ok;
}

static enum conv format_size(const json_t *v, char **out, struct err *err, int64_t least)
{
	char text[24];
	int64_t n = 0;
	if (!read_size(v, &n)) {
		return bad(err, v, "a size such as 300M");
	}
	if (n < least) {
		err_set(err, ERR_CONFIG,
			"%lld means bytes there, which no program stays below; 1M is the least "
			"here, and 300M may have been meant",
			(long long)n);
		return CONV_BAD;
	}
	units_format_size(n, text, sizeof(text));
	*out = xstrdup(text);
	return CONV_OK;
}

enum conv conv_size(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	if (json_is_integer(v) && json_integer_value(v) == 0) {
		return CONV_NOTHING;
	}
	return format_size(v, out, err, 1024 * 1024);
}

enum conv conv_log_size(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	return format_size(v, out, err, 0);
}

/* --- words --- */

/* As PM2 splits: at blanks, quotes hold together, a backslash is itself. */
static bool split(const char *text, struct words *out, struct err *err)
{
	for (const char *s = text; *(s += strspn(s, " \t\r\n"));) {
		struct buf word = {0};
		buf_adds(&word, "");
		for (; *s && !strchr(" \t\r\n", *s); s++) {
			const char *end = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;
			if (!end && (*s == '"' || *s == '\'')) {
				buf_finish(&word);
				return err_set(err, ERR_CONFIG, "a quote is not closed");
			}
			if (end) {
				buf_add(&word, s + 1, (size_t)(end - s - 1));
				s = end;
			} else {
				buf_addc(&word, *s);
			}
		}
		char *w = buf_take(&word);
		words_add(out, w);
		free(w);
	}
	return true;
}

bool import_words(const json_t *v, struct words *out, struct err *err)
{
	size_t i;
	const json_t *each;
	if (!json_is_array(v)) {
		char *text = import_text(v);
		bool ok = text ? split(text, out, err)
			       : err_set(err, ERR_CONFIG, "is neither a text nor a list of words");
		free(text);
		return ok;
	}
	json_array_foreach(v, i, each)
	{
		char *text = import_text(each);
		if (!text) {
			return err_set(err, ERR_CONFIG, "word %zu of the list is no text", i + 1);
		}
		words_add(out, text);
		free(text);
	}
	return true;
}

enum conv conv_words(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	struct words w = {0};
	enum conv r = CONV_BAD;
	if (import_words(v, &w, err)) {
		r = w.n ? CONV_OK : CONV_NOTHING;
		*out = w.n ? words_join(w.v, w.n) : NULL;
	}
	words_finish(&w);
	return r;
}

/* --- paths --- */

enum conv conv_path(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	const char *text = json_string_value(v);
	if (!text || !*text) {
		return bad(err, v, "a path");
	}
	*out = import_path(m->im, m->cwd, text);
	return CONV_OK;
}

enum conv conv_log(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	const char *text = json_string_value(v);
	if (json_is_false(v) || json_is_null(v) ||
	    (text && (strcasecmp(text, "null") == 0 || strcasecmp(text, "none") == 0 ||
		      strcmp(text, "/dev/null") == 0))) {
		*out = xstrdup("none");
		return CONV_OK;
	}
	if (text && (strncmp(text, "/dev/", 5) == 0 || strncmp(text, "/proc/", 6) == 0)) {
		err_set(err, ERR_CONFIG,
			"%.40s: pmctld --foreground --logs prints what all apps write", text);
		return CONV_BAD;
	}
	return conv_path(m, v, out, err);
}

/* AUTO is a file of its own choice there as here; a mark is what only the caller knows. */
enum conv conv_sup_path(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	const char *text = json_string_value(v);
	if (text && strcasecmp(text, "auto") == 0) {
		return CONV_NOTHING;
	}
	if (text && strcasecmp(text, "syslog") == 0) {
		err_set(err, ERR_CONFIG, "there is no syslog here; the default log file is used");
		return CONV_BAD;
	}
	if (text && strstr(text, IMPORT_MARK)) {
		err_set(err, ERR_CONFIG, "a variable in a path is not expanded here");
		return CONV_BAD;
	}
	return conv_log(m, v, out, err);
}

/* --- others --- */

enum conv conv_signal(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	char name[SIGNALS_NAME];
	char *text = import_text(v);
	int n = text ? signals_number(text) : 0;
	free(text);
	if (!n) {
		return bad(err, v, "a signal");
	}
	*out = xstrdup(signals_name(n, name));
	return CONV_OK;
}

/* Six fields begin with seconds there. */
enum conv conv_cron(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	char *text = import_text(v);
	struct cron c;
	if (!text) {
		return bad(err, v, "a cron line");
	}
	if (!*text || import_bool(v) == 0) {
		free(text);
		return CONV_NOTHING;
	}
	char *s = text + strspn(text, " \t");
	struct words fields = {0};
	bool six = words_split(&fields, s, err) && fields.n == 6;
	bool on_minute = six && strcmp(fields.v[0], "0") == 0;
	words_finish(&fields);
	if (six && on_minute) {
		s += strcspn(s, " \t");
		s += strspn(s, " \t");
	} else if (six) {
		err_set(err, ERR_CONFIG, "a field of seconds is not possible here");
		free(text);
		return CONV_BAD;
	}
	bool ok = cron_parse(&c, s, err);
	*out = ok ? xstrdup(s) : NULL;
	free(text);
	return ok ? CONV_OK : CONV_BAD;
}

enum conv conv_autorestart(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	int is = import_bool(v);
	if (is < 0) {
		return bad(err, v, "true or false");
	}
	*out = is ? NULL : xstrdup("never");
	return is ? CONV_NOTHING : CONV_OK;
}

/* [0, 1], "0,1" or 0. */
enum conv conv_codes(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	struct buf b = {0};
	size_t i;
	const json_t *each;
	bool ok = true;
	if (!json_is_array(v)) {
		*out = import_text(v);
		return *out && **out ? CONV_OK : CONV_NOTHING;
	}
	json_array_foreach(v, i, each)
	{
		char *text = import_text(each);
		ok &= text != NULL;
		buf_addf(&b, "%s%s", b.len ? "," : "", text ? text : "");
		free(text);
	}
	bool any = b.len > 0;
	*out = buf_take(&b);
	return !ok ? bad(err, v, "of exit codes") : any ? CONV_OK : CONV_NOTHING;
}

enum conv conv_group(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	const char *text = json_string_value(v);
	if (!text) {
		return bad(err, v, "a name");
	}
	if (!*text || strcmp(text, "default") == 0) {
		return CONV_NOTHING;
	}
	*out = xstrdup(text);
	return CONV_OK;
}

enum conv conv_instances(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	(void)m;
	long long n = 0;
	const char *text = json_string_value(v);
	if (text && strcmp(text, "max") == 0) {
		*out = xstrdup("max");
	} else if (!read_int(v, &n)) {
		return bad(err, v, "a number of instances, or max");
	} else {
		*out = n > 0	? xasprintf("%lld", n)
		       : n == 0 ? xstrdup("max")
				: xasprintf("max-%lld", -n);
	}
	return CONV_OK;
}
