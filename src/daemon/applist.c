/* SPDX-License-Identifier: MIT */
#include "daemon/applist.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/same.h"
#include "config/filekeys.h"
#include "daemon/daemon.h"

#define MAX_FILES 1000 /* that one list includes */

struct known {
	struct list node; /* applists.all */
	char *file, *project;
	char *profile; /* NULL = the base alone */
	bool named;
	int64_t read_ms; /* when what was applied last was read; 0 = not known, or not all of it */
	json_t *files;	 /* that it includes; NULL = none */
};

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool is_text_or_null(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return !v || json_is_null(v) || json_is_string(v);
}

static bool are_paths(const json_t *files)
{
	bool ok = json_is_array(files) && json_array_size(files) <= MAX_FILES;
	for (size_t i = 0; ok && i < json_array_size(files); i++) {
		ok = json_is_string(json_array_get(files, i));
	}
	return ok;
}

bool applist_read(const json_t *params, struct applist *out, struct err *err)
{
	const json_t *list = json_object_get(params, "list");
	*out = (struct applist){0};
	if (!list) {
		return true;
	}
	if (!is_text_or_null(list, "file") || !text(list, "project") ||
	    !is_text_or_null(list, "profile") || !is_text_or_null(list, "metrics")) {
		return err_set(err, ERR_USAGE,
			       "list is an object with the strings file, project, profile and "
			       "metrics, and named");
	}
	out->file = text(list, "file");
	out->file = out->file && out->file[0] == '/' ? out->file : NULL; /* "-" is no file */
	out->project = text(list, "project");
	out->profile = text(list, "profile");
	out->named = json_is_true(json_object_get(list, "named"));
	out->read_ms = json_integer_value(json_object_get(list, "read_ms"));
	out->files = json_object_get(list, "files");
	if (out->files && !are_paths(out->files)) {
		return err_set(err, ERR_USAGE, "list: files are at most %d paths", MAX_FILES);
	}
	const char *metrics = text(list, "metrics");
	return !metrics || filekeys_metrics("/", metrics, &out->metrics, err) ||
	       err_wrap(err, "list: metrics");
}

void applist_finish(struct applist *l)
{
	free(l->metrics);
	*l = (struct applist){0};
}

bool applist_owns(const struct applist *l, const struct app_def *def)
{
	if (!l->project) {
		return !def->file;
	}
	if (l->file && same_text(l->file, def_list(def))) {
		return true;
	}
	/* An ad hoc app has the folder's name as project, and belongs to no list. */
	return l->named && same_text(l->project, def->project) && (def->file || !l->file);
}

bool applist_may_define(const struct applist *l, const struct app *app, const struct app_def *def,
			struct err *err)
{
	if (!app || applist_owns(l, app->def) || (!def->file && !app->def->file)) {
		return true;
	}
	return err_set(err, ERR_FAILED,
		       "%s is an app of %s; give this one another name, or: pmctl delete %s",
		       def->name, app->def->file ? app->def->file : "the command line", def->name);
}

/* --- the known ones --- */

void applists_init(struct applists *a, struct daemon *d)
{
	a->daemon = d;
	list_init(&a->all);
	if (getentropy(a->key, sizeof(a->key)) != 0) {
		a->key[0] = (uint64_t)clock_real_ms();
		a->key[1] = (uint64_t)getpid();
	}
}

static void drop(struct known *k)
{
	list_remove(&k->node);
	free(k->file);
	free(k->project);
	free(k->profile);
	json_decref(k->files);
	free(k);
}

void applists_finish(struct applists *a)
{
	struct known *k, *next;
	list_for_each(k, next, &a->all, node)
	{
		drop(k);
	}
}

static void add(struct applists *a, const struct applist *l)
{
	struct known *k = xcalloc(1, sizeof(*k));
	k->file = xstrdup(l->file);
	k->project = xstrdup(l->project);
	k->profile = l->profile ? xstrdup(l->profile) : NULL;
	k->named = l->named;
	k->read_ms = l->read_ms;
	k->files = json_incref((json_t *)(uintptr_t)l->files);
	list_add(&a->all, &k->node);
}

/* What was known of it, or of where it was before it moved, is no more. True if it is as it was. */
static bool replace_known(struct applists *a, struct applist *l, bool applied,
			  const struct asker *by)
{
	struct known *k, *next;
	bool as_it_was = false;
	list_for_each(k, next, &a->all, node)
	{
		bool here = strcmp(k->file, l->file) == 0;
		if (here) {
			as_it_was = strcmp(k->project, l->project) == 0 && k->named == l->named &&
				    same_text(k->profile, l->profile) &&
				    json_equal(k->files, (json_t *)(uintptr_t)l->files) ==
					    (k->files != NULL);
			l->read_ms = applied ? l->read_ms : k->read_ms;
			drop(k);
		} else if (l->named && k->named && strcmp(k->project, l->project) == 0) {
			exporter_claim(&a->daemon->exporter, k->file, k->project, NULL, by);
			drop(k);
		}
	}
	return as_it_was;
}

bool applists_note(struct applists *a, const struct applist *list, bool applied,
		   const struct asker *by)
{
	struct applist copy = *list, *l = &copy;
	if (!l->file || !l->project) {
		return false;
	}
	bool news = !replace_known(a, l, applied, by);
	add(a, l);
	return exporter_claim(&a->daemon->exporter, l->file, l->project, l->metrics, by) || news;
}

void applists_doubt(struct applists *a, const struct app *app)
{
	struct known *k, *next;
	list_for_each(k, next, &a->all, node)
	{
		struct applist l = {.file = k->file, .project = k->project, .named = k->named};
		if (applist_owns(&l, app->def)) {
			k->read_ms = 0;
		}
	}
}

static bool has_app(const struct applists *a, const struct known *k)
{
	struct applist l = {.file = k->file, .project = k->project, .named = k->named};
	const struct app *app, *next;
	list_for_each(app, next, &a->daemon->apps, node)
	{
		if (!app->deleting && applist_owns(&l, app->def)) {
			return true;
		}
	}
	return false;
}

void applists_forget(struct applists *a, const char *project)
{
	struct known *k, *next;
	list_for_each(k, next, &a->all, node)
	{
		if (strcmp(k->project, project) == 0 && !has_app(a, k)) {
			drop(k);
		}
	}
}

static void write_files(struct jw *w, const json_t *files)
{
	jw_key(w, "files");
	jw_arr(w);
	for (size_t i = 0; i < json_array_size(files); i++) {
		jw_str(w, json_string_value(json_array_get(files, i)));
	}
	jw_end(w);
}

void applists_write(const struct applists *a, struct jw *w)
{
	const struct known *k, *next;
	jw_arr(w);
	list_for_each(k, next, &a->all, node)
	{
		jw_obj(w);
		jw_kstr(w, "file", k->file);
		jw_kstr(w, "project", k->project);
		jw_kstr(w, "profile", k->profile);
		jw_kbool(w, "named", k->named);
		jw_kint(w, "read_ms", k->read_ms);
		write_files(w, k->files);
		jw_end(w);
	}
	jw_end(w);
}

json_t *applists_save(const struct applists *a)
{
	struct buf out = {0};
	struct jw w;
	if (list_empty(&a->all)) {
		return NULL;
	}
	jw_init(&w, &out);
	applists_write(a, &w);
	json_t *saved = json_loadb(out.data, out.len, 0, NULL);
	buf_finish(&out);
	return saved;
}

void applists_load(struct applists *a, const json_t *saved)
{
	size_t i;
	json_t *o;
	json_array_foreach(saved, i, o)
	{
		struct applist l = {.file = text(o, "file"),
				    .project = text(o, "project"),
				    .profile = text(o, "profile"),
				    .named = json_is_true(json_object_get(o, "named")),
				    .read_ms = json_integer_value(json_object_get(o, "read_ms")),
				    .files = json_object_get(o, "files")};
		if (l.file && l.project && (!l.files || are_paths(l.files))) {
			add(a, &l);
		}
	}
}
