/* SPDX-License-Identifier: MIT */
/* watch - watch and ignore_watch of PM2, which takes globs and regular expressions. */
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "common/mem.h"

static const char *behind(const char *s, const char *start)
{
	size_t len = strlen(start);
	return strncmp(s, start, len) == 0 ? s + len : s;
}

/* The glob without what means "anywhere" or "all below", which names mean here by themselves;
 * NULL if it is a regular expression or a pattern we have no word for. Caller frees. */
static char *plain_glob(const char *glob)
{
	const char *s = behind(behind(glob, "./"), "**/");
	size_t len = strlen(s);
	while (len > 1 && (s[len - 1] == '/' || strncmp(s + len - 2, "/*", 2) == 0 ||
			   (len > 2 && strncmp(s + len - 3, "/**", 3) == 0))) {
		len -= s[len - 1] == '/' ? 1 : s[len - 2] == '/' ? 2 : 3;
	}
	char *out = xstrndup(s, len);
	if (!*out || strpbrk(out, "\\()[]{}|^$!+\r\n") || strstr(out, "**")) {
		free(out);
		return NULL;
	}
	return out;
}

static void no_counterpart(struct mapping *m, const char *key, const json_t *v)
{
	char *text = import_text(v);
	const char *regexp = import_odd(v);
	import_say(m->im, m->app, key, IMPORT_UNSUPPORTED, NULL,
		   "%.100s: patterns here are names such as *.log, or paths",
		   text	    ? text
		   : regexp ? regexp
			    : "an object");
	free(text);
}

static void add_watched(struct mapping *m, struct words *out, const json_t *v)
{
	const char *text = json_string_value(v);
	size_t plain = text ? strcspn(text, "*?") : 0;
	bool is_glob = text && text[plain];
	char *glob = text ? plain_glob(is_glob ? "." : text) : NULL;
	if (glob && !is_glob) {
		char *path = import_path(m->im, m->cwd, glob);
		words_add(out, path);
		free(path);
	} else if (glob) {
		/* The directory above the first pattern. */
		while (plain && text[plain - 1] != '/') {
			plain--;
		}
		char *dir = xstrndup(plain ? text : ".", plain ? plain : 1);
		char *path = import_path(m->im, m->cwd, dir);
		import_say(m->im, m->app, "watch", IMPORT_CHANGED, NULL,
			   "%.100s: all of the directory is watched, not what matches only", text);
		words_add(out, path);
		free(path);
		free(dir);
	} else {
		no_counterpart(m, "watch", v);
	}
	free(glob);
}

static bool has_word(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->v[i], word) == 0) {
			return true;
		}
	}
	return false;
}

static void add_ignored(struct mapping *m, struct words *out, const json_t *v)
{
	const char *text = json_string_value(v);
	char *glob = text ? plain_glob(text) : NULL;
	if (!glob) {
		no_counterpart(m, "ignore_watch", v);
	} else if (!has_word(out, glob)) {
		words_add(out, glob);
	}
	free(glob);
}

/* One or many of them. */
static void each(struct mapping *m, struct words *out, const json_t *v,
		 void (*add)(struct mapping *m, struct words *out, const json_t *v))
{
	size_t i;
	const json_t *one;
	if (!json_is_array(v)) {
		add(m, out, v);
		return;
	}
	json_array_foreach(v, i, one)
	{
		add(m, out, one);
	}
}

/* Without a word left it was told of each why. */
static enum conv join(struct words *w, const json_t *v, char **out)
{
	bool empty = json_is_array(v) && json_array_size(v) == 0;
	*out = w->n ? words_join(w->v, w->n) : NULL;
	words_finish(w);
	return *out ? CONV_OK : empty ? CONV_NOTHING : CONV_TOLD;
}

enum conv conv_watch(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	struct words w = {0};
	(void)err;
	if (import_bool(v) == 0) {
		return CONV_NOTHING;
	}
	if (import_bool(v) == 1) {
		*out = xstrdup("yes");
		return CONV_OK;
	}
	each(m, &w, v, add_watched);
	/* A word of one name could be yes or no. */
	if (w.n == 1 && !strchr(w.v[0], '/') && strcmp(w.v[0], ".") != 0) {
		char *path = xasprintf("./%s", w.v[0]);
		words_finish(&w);
		words_add(&w, path);
		free(path);
	}
	return join(&w, v, out);
}

enum conv conv_watch_ignore(struct mapping *m, const json_t *v, char **out, struct err *err)
{
	struct words w = {0};
	(void)err;
	each(m, &w, v, add_ignored);
	return join(&w, v, out);
}
