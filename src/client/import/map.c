/* SPDX-License-Identifier: MIT */
#include "client/import/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/import/where.h"
#include "common/mem.h"
#include "config/names.h"

const struct import_key *import_key_find(const struct import_table *t, const char *key)
{
	for (size_t i = 0; i < t->n; i++) {
		if (words_named(t->v[i].names, key)) {
			return &t->v[i];
		}
	}
	return NULL;
}

const json_t *import_key_value(const struct mapping *m, const char *names, const char **key)
{
	json_t *obj = (json_t *)(uintptr_t)m->obj;
	for (const char *s = names; *s;) {
		size_t n = strcspn(s, " ");
		char *name = xstrndup(s, n);
		void *at = json_object_iter_at(obj, name);
		free(name);
		if (at && !json_is_null(json_object_iter_value(at))) {
			if (key) {
				*key = json_object_iter_key(at);
			}
			return json_object_iter_value(at);
		}
		s += n + (s[n] == ' ');
	}
	return NULL;
}

bool import_key_set(struct mapping *m, const struct import_key *row, const char *key,
		    const char *ours, const char *value)
{
	const struct setting *before = def_find(m->app->def, ours);
	const char *remark = row->remark ? row->remark : "";
	char shown[SHOWN_MAX];
	struct err err;
	if (before) {
		bool same = strcmp(before->value, value) == 0;
		import_say(m->im, m->app, key, same ? IMPORT_MAPPED : IMPORT_UNSUPPORTED, NULL,
			   same ? "%s says so already" : "%s is set already, and wins", ours);
		return false;
	}
	if (!import_put(m->im, m->app->def, ours, value, &err)) {
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "%s: %s; left out", ours,
			   err.msg);
		return false;
	}
	char *to = xasprintf("%s = %s", ours, names_shown(value, shown));
	import_say(m->im, m->app, key, row->kind, to, "%s", remark);
	free(to);
	return true;
}

/* The first variable in a text or list of texts; NULL = there is none. */
static char *find_mark(const json_t *v)
{
	bool whole;
	size_t i;
	const json_t *each;
	const char *text = json_string_value(v);
	char *name = text ? import_mark_name(text, &whole) : NULL;
	json_array_foreach(v, i, each)
	{
		name = name ? name : find_mark(each);
	}
	return name;
}

void import_say_marked(struct mapping *m, const char *key)
{
	char *name = find_mark(json_object_get(m->marked, key));
	if (name) {
		import_say(m->im, m->app, key, IMPORT_TODO, NULL,
			   "depends on the variable %s of the caller; what it gives now is written",
			   name);
	}
	free(name);
}

static void convert_row(struct mapping *m, const struct import_key *row, const char *key,
			const json_t *v)
{
	char *value = NULL;
	struct err err;
	switch (row->convert(m, v, &value, &err)) {
	case CONV_OK:
		if (import_key_set(m, row, key, row->ours, value)) {
			import_say_marked(m, key);
		}
		break;
	case CONV_NOTHING:
		import_say(m->im, m->app, key, IMPORT_MAPPED, NULL, "so it is here anyway");
		break;
	case CONV_TOLD:
		break;
	case CONV_BAD:
		import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL, "%s; left out", err.msg);
		break;
	}
	free(value);
}

bool import_key_apply(struct mapping *m, const char *key, const json_t *v)
{
	const struct import_key *row = import_key_find(m->table, key);
	if (!row) {
		return false;
	}
	if (json_is_null(v)) {
		import_say(m->im, m->app, key, IMPORT_IGNORED, NULL, "it is null");
	} else if (row->apply) {
		row->apply(m, row, key, v);
	} else if (row->convert) {
		convert_row(m, row, key, v);
	} else {
		import_say(m->im, m->app, key, row->kind, NULL, "%s",
			   row->remark ? row->remark : "");
	}
	return true;
}

/* Of several members of one name the last one counts. */
void import_say_twice(struct import *im, const struct import_app *app, const char *prefix,
		      const json_t *keys)
{
	const char *key;
	json_t *place;
	json_object_foreach((json_t *)(uintptr_t)keys, key, place)
	{
		unsigned first = where_first(place);
		char *full = xasprintf("%s%s", prefix, key);
		if (first) {
			import_say(im, app, full, IMPORT_IGNORED, NULL,
				   "is there more than once, first in line %u; the last one counts",
				   first);
		}
		if (!*prefix && strncmp(key, "env", 3) == 0) {
			char *inner = xasprintf("%s.", key);
			import_say_twice(im, app, inner, where_below(place));
			free(inner);
		}
		free(full);
	}
}

/* --- values --- */

const char *import_odd(const json_t *v)
{
	return json_string_value(json_object_get(v, "__pmctl"));
}

char *import_text(const json_t *v)
{
	if (json_is_string(v)) {
		return xstrdup(json_string_value(v));
	}
	if (json_is_integer(v)) {
		return xasprintf("%lld", (long long)json_integer_value(v));
	}
	if (json_is_real(v)) {
		char *text = xasprintf("%.15g", json_real_value(v));
		if (strtod(text, NULL) != json_real_value(v)) {
			free(text);
			text = xasprintf("%.17g", json_real_value(v));
		}
		return text;
	}
	if (json_is_boolean(v)) {
		return xstrdup(json_is_true(v) ? "true" : "false");
	}
	return NULL;
}

int import_bool(const json_t *v)
{
	static const char *const words[2][4] = {{"false", "no", "0", "off"},
						{"true", "yes", "1", "on"}};
	char *text = import_text(v);
	int is = -1;
	for (int b = 0; text && b < 2; b++) {
		for (size_t i = 0; i < ARRAY_LEN(words[b]); i++) {
			is = strcasecmp(text, words[b][i]) == 0 ? b : is;
		}
	}
	free(text);
	return is;
}

char *import_mark_name(const char *text, bool *whole)
{
	const char *at = strstr(text, IMPORT_MARK);
	const char *from = at ? at + strlen(IMPORT_MARK) : NULL;
	const char *to = from ? strstr(from, IMPORT_MARK_END) : NULL;
	/* A name may end with _, and the mark ends with two of them. */
	while (to && to[strlen(IMPORT_MARK_END)] == '_') {
		to++;
	}
	if (!to || to == from) {
		return NULL;
	}
	*whole = at == text && !to[strlen(IMPORT_MARK_END)];
	return xstrndup(from, (size_t)(to - from));
}

/* --- variables --- */

static void add_note(struct mapping *m, const char *prefix, const char *name, const char *source,
		     bool whole)
{
	char *note = xasprintf("%s.%.100s was %s%.100s of the caller's environment: set "
			       "env.%.100s, or name a file that has it with env_file",
			       prefix, name, whole ? "" : "made of ", source, name);
	words_add(&m->app->notes, note);
	free(note);
}

/* The variable that was read and has this very value, where no mark tells: a part of the source was
 * not loaded again. Short ones mean nothing. NULL = none; caller frees. */
static char *same_value(const struct mapping *m, const char *name, const json_t *v)
{
	enum { SHORT = 8 };
	const char *text = json_string_value(v), *var;
	json_t *had;
	json_object_foreach((json_t *)(uintptr_t)m->reads, var, had)
	{
		const char *value = json_string_value(had);
		if (text && value && *text && strcmp(text, value) == 0 &&
		    (strlen(text) >= SHORT || strcmp(var, name) == 0) &&
		    strcmp(var, "NODE_ENV") != 0) {
			return xstrdup(var);
		}
	}
	return NULL;
}

/* Whether a value comes from the caller's environment and so is not written. A default that the
 * source has for it is. */
static bool is_reference(struct mapping *m, const char *prefix, const char *name, const json_t *v,
			 const json_t *marked)
{
	bool whole = false;
	char *source =
		json_is_string(marked) ? import_mark_name(json_string_value(marked), &whole) : NULL;
	if (!source) {
		source = same_value(m, name, v);
		whole = true;
	}
	if (!source) {
		return false;
	}
	char *key = xasprintf("%s.%s", prefix, name);
	const char *had = json_string_value(json_object_get(m->reads, source));
	bool is_value = v && !import_odd(v);
	bool has_default = whole && is_value && m->reads && (!had || !*had);
	if (m->whole_env && whole && strcmp(source, name) == 0) {
		/* One of the copy of all of them, which is told in one line. */
	} else if (has_default) {
		import_say(
			m->im, m->app, key, IMPORT_CHANGED, NULL,
			"is the variable %s of the caller, not set now: what the file takes then "
			"is written",
			source);
	} else {
		import_say(m->im, m->app, key, IMPORT_TODO, NULL,
			   "is %sthe variable %s of the caller, whose value is not written: set it "
			   "in the file, or in one named with env_file",
			   whole ? "" : "made of ", source);
		add_note(m, prefix, name, source, whole);
	}
	free(key);
	free(source);
	return !has_default;
}

/* An option of the app where PM2 takes it for a variable. */
static bool is_misplaced(struct mapping *m, const char *prefix, const char *name)
{
	const struct import_key *row = import_key_find(&import_pm2_keys, name);
	if (m->table != &import_pm2_keys || !row || strcmp(name, "port") == 0 ||
	    strcmp(name, "name") == 0 || strcmp(name, "user") == 0) {
		return false;
	}
	char *key = xasprintf("%s.%s", prefix, name);
	import_say(m->im, m->app, key, IMPORT_IGNORED, NULL,
		   "an option has no effect there; in [app:%s@PROFILE] the key %s would",
		   m->app->def->name, row->ours ? row->ours : "of the option");
	free(key);
	return true;
}

static const char *refuse_env(const struct mapping *m, const char *name)
{
	const char *instance_var = json_string_value(json_object_get(m->obj, "instance_var"));
	if (!names_check_env(name, NULL)) {
		return "is no name of a variable here (letters, digits and _); left out";
	}
	if (names_is_reserved_env(name) ||
	    strcmp(name, instance_var ? instance_var : "NODE_APP_INSTANCE") == 0) {
		return "is set by pmctl itself; left out";
	}
	return NULL;
}

void import_env_set(struct mapping *m, struct app_def *def, const char *prefix, const char *name,
		    const json_t *v, const json_t *marked, struct buf *done)
{
	struct err err;
	char shown[SHOWN_MAX];
	const char *odd = import_odd(v);
	if (is_misplaced(m, prefix, name) || is_reference(m, prefix, name, v, marked)) {
		return;
	}
	char *key = xasprintf("env.%s", name);
	char *text = import_text(v);
	const char *callers = m->whole_env ? m->im->world->env(name) : NULL;
	char *source = xasprintf("%s.%s", prefix, names_shown(name, shown));
	const char *refused = refuse_env(m, name);
	if (callers && text && strcmp(callers, text) == 0) {
		/* One of the copy of all of them. */
	} else if (refused) {
		import_say(m->im, m->app, source, IMPORT_UNSUPPORTED, NULL, "%s", refused);
	} else if (odd && strcmp(odd, "undefined") == 0) {
		import_say(m->im, m->app, source, IMPORT_IGNORED, NULL, "it is undefined");
	} else if (!text) {
		import_say(m->im, m->app, source, IMPORT_UNSUPPORTED, NULL,
			   "is %s, not a text or number; left out",
			   odd		       ? odd
			   : json_is_null(v)   ? "null"
			   : json_is_array(v)  ? "a list"
			   : json_is_object(v) ? "an object"
					       : "missing");
	} else if (import_put(m->im, def, key, text, &err)) {
		buf_addf(done, "%senv.%s", done->len ? ", " : "", name);
	} else if (def == m->app->def && import_put_apart(m->im, m->app, name, text)) {
		import_say(m->im, m->app, source, IMPORT_MAPPED, "env_file",
			   "no line of an INI file can hold it; it is in %s",
			   def_find(def, "env_file")->value);
	} else {
		import_say(m->im, m->app, source, IMPORT_UNSUPPORTED, NULL, "%s; left out",
			   err.msg);
	}
	free(source);
	free(text);
	free(key);
}
