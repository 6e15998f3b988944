/* SPDX-License-Identifier: MIT */
#include "proto/defjson.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define MAX_SETTINGS 4096 /* of one app */
#define MAX_KEY	     512
#define MAX_PATH     4096

/* `value` is taken over; NULL means that a text was not UTF-8. */
static bool put(json_t *o, const char *key, json_t *value, struct err *err)
{
	if (!value) {
		return err_set(err, ERR_CONFIG, "%s: not valid UTF-8", key);
	}
	if (json_object_set_new(o, key, value) != 0) {
		abort();
	}
	return true;
}

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *write_settings(const struct app_def *d, struct err *err)
{
	json_t *set = json_array();
	for (size_t i = 0; i < d->nset; i++) {
		const struct setting *s = &d->set[i];
		json_t *row = json_pack("[ssI]", s->key, s->value, (json_int_t)s->line);
		if (!row) {
			err_set(err, ERR_CONFIG, "%s: not valid UTF-8", s->key);
			json_decref(set);
			return NULL;
		}
		if (json_array_append_new(set, row) != 0) {
			abort();
		}
	}
	return set;
}

json_t *defjson_write(const struct app_def *d, struct err *err)
{
	json_t *set = write_settings(d, err);
	if (!set) {
		err_wrap(err, "app %s", d->name);
		return NULL;
	}
	json_t *o = json_object();
	bool ok = put(o, "name", text(d->name), err) && put(o, "project", text(d->project), err) &&
		  put(o, "file", text(d->file), err) &&
		  (!d->list || put(o, "list", text(d->list), err)) &&
		  put(o, "dir", text(d->dir), err) &&
		  put(o, "line", json_integer((json_int_t)d->line), err);
	if (!ok) {
		json_decref(set);
		json_decref(o);
		err_wrap(err, "app %s", d->name);
		return NULL;
	}
	put(o, "set", set, err);
	return o;
}

static bool read_line(const json_t *v, unsigned *line)
{
	json_int_t n = json_integer_value(v);
	if (!json_is_integer(v) || n < 0 || n > INT_MAX) {
		return false;
	}
	*line = (unsigned)n;
	return true;
}

static bool read_setting(const json_t *row, struct app_def *d, struct err *err)
{
	const json_t *key = json_array_get(row, 0);
	const json_t *value = json_array_get(row, 1);
	unsigned line;
	if (!json_is_array(row) || json_array_size(row) != 3 || !json_is_string(key) ||
	    !json_is_string(value) || !read_line(json_array_get(row, 2), &line)) {
		return err_set(err, ERR_USAGE, "an entry of \"set\" must be [key, value, line]");
	}
	if (json_string_length(key) == 0 || json_string_length(key) > MAX_KEY) {
		return err_set(err, ERR_USAGE, "a key of \"set\" is empty or longer than %d",
			       MAX_KEY);
	}
	if (json_string_length(value) > LIMIT_INI_LINE) {
		return err_set(err, ERR_USAGE, "%s: value longer than %d bytes",
			       json_string_value(key), LIMIT_INI_LINE);
	}
	if (def_find(d, json_string_value(key))) {
		return err_set(err, ERR_USAGE, "%s: given twice", json_string_value(key));
	}
	def_set(d, json_string_value(key), json_string_value(value), line);
	return true;
}

static bool read_settings(const json_t *set, struct app_def *d, struct err *err)
{
	if (!json_is_array(set)) {
		return err_set(err, ERR_USAGE, "\"set\" must be an array");
	}
	if (json_array_size(set) > MAX_SETTINGS) {
		return err_set(err, ERR_USAGE, "more than %d settings", MAX_SETTINGS);
	}
	for (size_t i = 0; i < json_array_size(set); i++) {
		if (!read_setting(json_array_get(set, i), d, err)) {
			return false;
		}
	}
	return true;
}

/* NULL with an error if the member is no string of 1 to max bytes. */
static const char *member(const json_t *v, const char *name, size_t max, struct err *err)
{
	const json_t *s = json_object_get(v, name);
	if (!json_is_string(s) || json_string_length(s) == 0 || json_string_length(s) > max) {
		err_set(err, ERR_USAGE, "\"%s\" must be a string of 1 to %zu bytes", name, max);
		return NULL;
	}
	return json_string_value(s);
}

static bool members_known(const json_t *v, struct err *err)
{
	static const char *const known[] = {"name", "project", "file", "list",
					    "dir",  "line",    "set"};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)v, name, value)
	{
		bool found = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			found = found || strcmp(known[i], name) == 0;
		}
		if (!found) {
			return err_set(err, ERR_USAGE, "a definition has no member \"%.40s\"",
				       name);
		}
	}
	return true;
}

/* A path that may be left out; *out is NULL then. */
static bool optional_path(const json_t *v, const char *name, const char **out, struct err *err)
{
	const json_t *path = json_object_get(v, name);
	*out = NULL;
	if (!path || json_is_null(path)) {
		return true;
	}
	*out = member(v, name, MAX_PATH, err);
	return *out && ((*out)[0] == '/' ||
			err_set(err, ERR_USAGE, "\"%s\" must be an absolute path", name));
}

static bool read_place(const json_t *v, unsigned *line, struct err *err)
{
	const json_t *value = json_object_get(v, "line");
	*line = 0;
	return !value || read_line(value, line) ||
	       err_set(err, ERR_USAGE, "\"line\" must be a line number");
}

struct app_def *defjson_read(const json_t *v, struct err *err)
{
	if (!json_is_object(v)) {
		err_set(err, ERR_USAGE, "a definition must be an object");
		return NULL;
	}
	const char *file, *list;
	unsigned line;
	const char *name = member(v, "name", LIMIT_NAME, err);
	const char *project = name ? member(v, "project", 255, err) : NULL;
	const char *dir = project ? member(v, "dir", MAX_PATH, err) : NULL;
	if (!dir || !members_known(v, err) || !optional_path(v, "file", &file, err) ||
	    !optional_path(v, "list", &list, err) || !read_place(v, &line, err)) {
		return NULL;
	}
	if (dir[0] != '/') {
		err_set(err, ERR_USAGE, "\"dir\" must be an absolute path");
		return NULL;
	}
	struct app_def *d = def_new(name, project, file, dir, line);
	d->list = list ? xstrdup(list) : NULL;
	if (!read_settings(json_object_get(v, "set"), d, err)) {
		err_wrap(err, "app %s", name);
		def_free(d);
		return NULL;
	}
	return d;
}
