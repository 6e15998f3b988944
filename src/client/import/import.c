/* SPDX-License-Identifier: MIT */
#include "client/import/import.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/where.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/keys.h"
#include "config/names.h"
#include "config/types.h"

#define PROJECT	   "import"
#define LINE_SPARE 1024 /* bytes of a line that its key and blanks may take */

static struct import_app *app_new(const struct import *im, const char *name)
{
	struct import_app *a = xcalloc(1, sizeof(*a));
	a->def = def_new(name, PROJECT, NULL, im->out_dir, 0);
	return a;
}

static void app_free(struct import_app *a)
{
	def_free(a->def);
	words_finish(&a->notes);
	buf_finish(&a->env_text);
	for (size_t i = 0; i < a->nprofiles; i++) {
		def_free(a->profiles[i]);
	}
	free(a->profiles);
	free(a);
}

void import_init(struct import *im, const struct import_world *world, const char *shown,
		 const char *src_dir, const char *out_dir)
{
	*im = (struct import){.world = world,
			      .shown = shown,
			      .src_dir = xstrdup(src_dir),
			      .out_dir = xstrdup(out_dir)};
	im->defaults = app_new(im, "defaults");
}

void import_finish(struct import *im)
{
	for (size_t i = 0; i < im->napps; i++) {
		app_free(im->apps[i]);
	}
	for (size_t i = 0; i < im->nlines; i++) {
		free(im->lines[i].app);
		free(im->lines[i].key);
		free(im->lines[i].to);
		free(im->lines[i].text);
	}
	if (im->defaults) {
		app_free(im->defaults);
	}
	for (size_t i = 0; i < im->names_cap; i++) {
		free(im->names[i].name);
	}
	free(im->names);
	free(im->apps);
	free(im->lines);
	free(im->src_path);
	free(im->src_dir);
	free(im->real_dir);
	free(im->out_dir);
	*im = (struct import){0};
}

/* A list grows where its length is a power of two. */
static void *grow(void *v, size_t n, size_t size)
{
	return (n & (n - 1)) == 0 ? xreallocarray(v, n ? n * 2 : 1, size) : v;
}

static unsigned line_of(const struct import *im, const char *key)
{
	const json_t *place = json_object_get(im->where.keys, key);
	size_t len = strcspn(key, ".");
	if (!place && key[len]) {
		char *first = xstrndup(key, len);
		const json_t *outer = json_object_get(im->where.keys, first);
		place = where_member(outer, key + len + 1);
		place = place ? place : outer;
		free(first);
	}
	return place ? where_line(place) : im->where.line;
}

void import_say(struct import *im, const struct import_app *app, const char *key,
		enum import_kind kind, const char *to, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	im->lines = grow(im->lines, im->nlines, sizeof(*im->lines));
	im->lines[im->nlines++] = (struct import_line){
		.app = app ? xstrdup(app->def->name) : NULL,
		.key = xstrdup(key),
		.kind = kind,
		.line = line_of(im, key),
		.to = to ? xstrdup(to) : NULL,
		.text = xvasprintf(fmt, ap),
	};
	va_end(ap);
}

size_t import_count(const struct import *im, enum import_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < im->nlines; i++) {
		n += im->lines[i].kind == kind;
	}
	return n;
}

const char *import_kind_name(enum import_kind kind)
{
	static const char *const names[IMPORT_KINDS] = {"mapped", "changed", "unsupported",
							"ignored", "todo"};
	return names[kind];
}

/* --- names --- */

/* Where the name is, or would be. */
static struct import_name *find_name(const struct import *im, const char *name)
{
	size_t hash = 5381;
	for (const char *s = name; *s; s++) {
		hash = hash * 33 ^ (unsigned char)*s;
	}
	for (size_t i = hash & (im->names_cap - 1);; i = (i + 1) & (im->names_cap - 1)) {
		struct import_name *n = &im->names[i];
		if (!n->name || strcmp(n->name, name) == 0) {
			return n;
		}
	}
}

/* There is room for one more afterwards. */
static void grow_names(struct import *im)
{
	struct import_name *old = im->names;
	size_t cap = im->names_cap;
	if (im->names_cap > 2 * im->nnames) {
		return;
	}
	im->names_cap = cap ? 2 * cap : 64;
	im->names = xcalloc(im->names_cap, sizeof(*im->names));
	for (size_t i = 0; i < cap; i++) {
		if (old[i].name) {
			*find_name(im, old[i].name) = old[i];
		}
	}
	free(old);
}

/* Letters, digits, _ . and - of it, what else there is as one -. Caller frees. */
static char *valid_name(const char *wanted)
{
	struct buf b = {0};
	for (const char *s = wanted; *s && b.len < LIMIT_NAME; s++) {
		bool plain = isascii(*s) && (isalnum(*s) || strchr("_.-", *s));
		if (plain && (b.len || (*s != '.' && *s != '-'))) {
			buf_addc(&b, *s);
		} else if (!plain && b.len && b.data[b.len - 1] != '-') {
			buf_addc(&b, '-');
		}
	}
	while (b.len && b.data[b.len - 1] == '-') {
		b.data[--b.len] = '\0';
	}
	char *name = buf_take(&b);
	if (!names_check_app(name, NULL)) {
		char *longer = xasprintf("app%s%.30s", *name ? "-" : "", name);
		free(name);
		name = longer;
	}
	return name;
}

/* The name, or the first of NAME-2, NAME-3 ... that is free; it is taken then. Caller frees. */
static char *take_name(struct import *im, const char *name)
{
	grow_names(im);
	struct import_name *n = find_name(im, name);
	char *tried = xstrdup(name);
	for (unsigned k = n->name ? n->suffix : 2; find_name(im, tried)->name; k++) {
		free(tried);
		tried = xasprintf("%.*s-%u", LIMIT_NAME - 11, name, k);
		n->suffix = k + 1;
	}
	*find_name(im, tried) = (struct import_name){.name = xstrdup(tried), .suffix = 2};
	im->nnames++;
	return tried;
}

struct import_app *import_add(struct import *im, const char *name)
{
	char shown[SHOWN_MAX];
	char *valid = valid_name(name);
	bool changed = strcmp(valid, name) != 0;
	char *ours = take_name(im, valid);
	bool taken = strcmp(ours, valid) != 0;
	struct import_app *a = app_new(im, ours);
	a->line = im->where.line;
	im->apps = grow(im->apps, im->napps, sizeof(struct import_app *));
	im->apps[im->napps++] = a;
	if (changed || taken) {
		char *to = xasprintf("[app:%s]", ours);
		import_say(im, a, "name", IMPORT_CHANGED, to, "\"%s\" %s", names_shown(name, shown),
			   changed ? "is no valid name: letters, digits, _ . and -, at most 40"
				   : "is there twice");
		free(to);
	}
	free(valid);
	free(ours);
	return a;
}

void import_drop(struct import *im, struct import_app *app)
{
	for (size_t i = 0; i < im->napps; i++) {
		if (im->apps[i] == app) {
			memmove(im->apps + i, im->apps + i + 1,
				(im->napps - i - 1) * sizeof(struct import_app *));
			im->napps--;
			app_free(app);
			return;
		}
	}
}

struct app_def *import_profile(struct import *im, struct import_app *app, const char *name)
{
	for (size_t i = 0; i < app->nprofiles; i++) {
		if (strcmp(app->profiles[i]->name, name) == 0) {
			return app->profiles[i];
		}
	}
	if (!names_check_group(name, NULL)) {
		return NULL;
	}
	app->profiles = grow(app->profiles, app->nprofiles, sizeof(struct app_def *));
	struct app_def *def = def_new(name, PROJECT, NULL, im->out_dir, 0);
	return app->profiles[app->nprofiles++] = def;
}

/* --- values --- */

/* Whether the text comes out of an INI file as it went in. */
static bool check_line(const char *key, const char *value, struct err *err)
{
	static const char blanks[] = " \t\v\f\r";
	size_t len = strlen(value);
	const char *why = NULL, *instead = "";
	if (strpbrk(value, "\r\n")) {
		why = "a line break cannot be written here";
	} else if (len && (strchr(blanks, value[0]) || strchr(blanks, value[len - 1]))) {
		why = "blanks at its beginning or end cannot be written here";
	}
	if (why && strncmp(key, "env.", 4) == 0) {
		instead = "; use a file named with env_file (which --output makes for a variable "
			  "of an app)";
	}
	if (why) {
		return err_set(err, ERR_CONFIG, "%s%s", why, instead);
	}
	if (len > LIMIT_INI_LINE - LINE_SPARE) {
		return err_set(err, ERR_CONFIG, "is longer than a line may be (64 KiB)");
	}
	return true;
}

bool import_put(struct import *im, struct app_def *def, const char *key, const char *value,
		struct err *err)
{
	const struct key *k = keys_find(key);
	size_t len = k ? strlen(k->name) : 0;
	struct app_conf c = {.dir = xstrdup(im->out_dir), .umask = -1};
	bool ok = k && check_line(key, value, err) &&
		  types_parse(&c, k, k->name[len - 1] == '.' ? key + len : NULL, value, err);
	conf_finish(&c);
	if (ok) {
		def_set(def, key, value, 0);
	}
	return ok || (k ? false : err_set(err, ERR_CONFIG, "unknown key"));
}

bool import_put_apart(struct import *im, struct import_app *app, const char *name,
		      const char *value)
{
	static const char escaped[] = "\nn\rr\tt\\\\\"\"$$";
	if (!im->env_stem || (def_find(app->def, "env_file") && !app->env_text.len)) {
		return false;
	}
	if (!app->env_text.len) {
		char *file = xasprintf("%s.%s.env", im->env_stem, app->def->name);
		def_set(app->def, "env_file", file, 0);
		free(file);
	}
	buf_addf(&app->env_text, "%s=\"", name);
	for (const char *s = value; *s; s++) {
		const char *e = escaped;
		while (*e && *e != *s) {
			e += 2;
		}
		if (*e) {
			buf_addf(&app->env_text, "\\%c", e[1]);
		} else {
			buf_addc(&app->env_text, *s);
		}
	}
	buf_adds(&app->env_text, "\"\n");
	return true;
}

/* --- paths --- */

/* Without //, /./ and /../, by text only: a link named `current` stays in it. */
static char *normalise(const char *path)
{
	struct buf b = {0};
	for (const char *s = path; *s;) {
		s += strspn(s, "/");
		size_t len = strcspn(s, "/");
		if (len == 2 && strncmp(s, "..", 2) == 0) {
			char *slash = b.len ? strrchr(b.data, '/') : NULL;
			b.len = slash ? (size_t)(slash - b.data) : 0;
			if (b.data) {
				b.data[b.len] = '\0';
			}
		} else if (len && !(len == 1 && *s == '.')) {
			buf_addc(&b, '/');
			buf_add(&b, s, len);
		}
		s += len;
	}
	if (!b.len) {
		buf_addc(&b, '/');
	}
	return buf_take(&b);
}

char *import_absolute(const struct import *im, const char *base, const char *path)
{
	const char *home = im->world->env("HOME");
	char *full = path[0] == '/' ? xstrdup(path)
		     : home && path[0] == '~' && (!path[1] || path[1] == '/')
			     ? xasprintf("%s%s", home, path + 1)
			     : xasprintf("%s/%s", base, path);
	char *plain = normalise(full);
	size_t len = im->real_dir ? strlen(im->real_dir) : 0;
	free(full);
	if (len && strncmp(plain, im->real_dir, len) == 0 && (!plain[len] || plain[len] == '/')) {
		full = xasprintf("%s%s", im->src_dir, plain + len);
		free(plain);
		return full;
	}
	return plain;
}

char *import_path(const struct import *im, const char *base, const char *path)
{
	char *full = import_absolute(im, base, path);
	size_t len = strlen(im->out_dir);
	if (strcmp(full, im->out_dir) == 0) {
		free(full);
		return xstrdup(".");
	}
	if (len > 1 && strncmp(full, im->out_dir, len) == 0 && full[len] == '/') {
		bool blank = strchr(" \t", full[len + 1]) != NULL; /* an INI file would drop it */
		char *below = xasprintf("%s%s", blank ? "./" : "", full + len + 1);
		free(full);
		return below;
	}
	return full;
}
