/* SPDX-License-Identifier: MIT */
/* supervisord - supervisord.conf, with the files it includes, to apps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/map.h"
#include "client/import/read.h"
#include "client/import/supread.h"
#include "client/import/where.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/names.h"

#define MAX_INCLUDED 1000

static const char *text_of(const json_t *keys, const char *key)
{
	return json_string_value(json_object_get(keys, key));
}

static const char *behind(const char *s, const char *start)
{
	size_t len = strlen(start);
	return strncmp(s, start, len) == 0 ? s + len : NULL;
}

/* --- groups --- */

/* The group of each program: {"PROGRAM": "GROUP"}. */
static json_t *find_groups(const json_t *sections)
{
	json_t *groups = json_object();
	size_t i;
	json_t *s;
	json_array_foreach(sections, i, s)
	{
		const char *group = behind(text_of(s, "name"), "group:");
		const char *list = text_of(json_object_get(s, "keys"), "programs");
		for (const char *w = group ? list : NULL; w && *(w += strspn(w, ", \t\r\n"));) {
			size_t len = strcspn(w, ", \t\r\n");
			char *program = xstrndup(w, len);
			if (!json_object_get(groups, program)) {
				json_object_set_new(groups, program, json_string(group));
			}
			free(program);
			w += len;
		}
	}
	return groups;
}

/* Names of its programs that are none. */
static void check_members(struct import *im, const char *section, const json_t *keys,
			  const json_t *programs)
{
	char *place = xasprintf("[%s] programs", section);
	const char *list = text_of(keys, "programs");
	im->where.line = where_line(json_object_get(im->where.keys, "programs"));
	for (const char *w = list ? list : ""; *(w += strspn(w, ", \t\r\n"));) {
		size_t len = strcspn(w, ", \t\r\n");
		char *program = xstrndup(w, len);
		if (!json_object_get(programs, program)) {
			import_say(im, NULL, place, IMPORT_UNSUPPORTED, NULL,
				   "%.60s is no program of the file; left out", program);
		}
		free(program);
		w += len;
	}
	free(place);
}

static void read_group(struct import *im, const char *section, const json_t *keys,
		       const json_t *programs)
{
	const char *key;
	json_t *v;
	check_members(im, section, keys, programs);
	json_object_foreach((json_t *)(uintptr_t)keys, key, v)
	{
		char *place = xasprintf("[%s] %s", section, key);
		im->where.line = where_line(json_object_get(im->where.keys, key));
		if (strcmp(key, "priority") == 0) {
			import_say(im, NULL, place, IMPORT_UNSUPPORTED, NULL,
				   "an order that waits is after");
		} else if (strcmp(key, "programs") != 0) {
			import_say(im, NULL, place, IMPORT_IGNORED, NULL,
				   "supervisord does not know it");
		}
		free(place);
	}
}

/* --- other sections --- */

/* What pmctl has in place of listeners that are well known. */
static const char *instead_of(const char *command)
{
	static const struct {
		const char *word, *text;
	} known[] = {
		{"memmon", "; memory_max does what memmon did"},
		{"httpok", "; health does what httpok did"},
	};
	for (size_t i = 0; command && i < ARRAY_LEN(known); i++) {
		if (strstr(command, known[i].word)) {
			return known[i].text;
		}
	}
	return "";
}

static void read_other(struct import *im, const char *name, const json_t *keys)
{
	const struct import_table *t = &import_sup_sections;
	const struct import_key *row = NULL;
	char *key = xasprintf("[%s]", name);
	for (size_t i = 0; i < t->n && !row; i++) {
		/* A name that ends in a colon is a family. */
		size_t len = strlen(t->v[i].names);
		bool family = t->v[i].names[len - 1] == ':';
		row = strncmp(name, t->v[i].names, len + !family) == 0 ? &t->v[i] : NULL;
	}
	import_say(im, NULL, key, row ? row->kind : IMPORT_IGNORED, NULL, "%s%s",
		   row ? row->remark : t->ignored,
		   behind(name, "eventlistener:") ? instead_of(text_of(keys, "command")) : "");
	free(key);
}

/* [supervisord]: its environment is that of all programs; the rest is of the daemon itself. */
static void read_daemon(struct import *im, const json_t *keys)
{
	const char *key;
	json_t *v;
	if (json_object_get(keys, "environment")) {
		import_sup_environment(im, keys);
	}
	json_object_foreach((json_t *)(uintptr_t)keys, key, v)
	{
		if (strcmp(key, "environment") != 0) {
			char *place = xasprintf("[supervisord] %s", key);
			im->where.line = where_line(json_object_get(im->where.keys, key));
			import_say(im, NULL, place, IMPORT_IGNORED, NULL,
				   "of the daemon itself; see pmctld(8)");
			free(place);
		}
	}
}

/* Only apps of the list can be waited for. */
static void check_after(struct import *im, struct import_app *a)
{
	const struct setting *s = def_find(a->def, "after");
	struct words w = {0}, kept = {0};
	struct err err;
	if (!s || !words_split(&w, s->value, &err)) {
		return;
	}
	for (size_t i = 0; i < w.n; i++) {
		bool found = false;
		for (size_t k = 0; k < im->napps && !found; k++) {
			found = im->apps[k] != a && strcmp(im->apps[k]->def->name, w.v[i]) == 0;
		}
		if (found) {
			words_add(&kept, w.v[i]);
		} else {
			im->where.line = a->line;
			import_say(im, a, "dependent_startup_wait_for", IMPORT_UNSUPPORTED, NULL,
				   "%.60s is no program of the file; left out", w.v[i]);
		}
	}
	def_unset(a->def, "after");
	if (kept.n) {
		char *text = words_join(kept.v, kept.n);
		def_set(a->def, "after", text, 0);
		free(text);
	}
	words_finish(&w);
	words_finish(&kept);
}

/* --- included files --- */

struct including {
	struct import *im;
	struct sup_file *f;
	const char *section; /* for the report */
	size_t files;
};

static bool add_file(struct including *in, const char *path, struct err *err)
{
	struct buf text = {0};
	char *slash = strrchr(path, '/');
	char *here = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	char *shown = import_path(in->im, in->im->src_dir, path);
	bool ok = in->im->world->text(path, &text, err);
	const char *s = text.data ? text.data : "";
	ok = ok && (importread_check_text(s, text.len, err) || err_wrap(err, "%s", shown)) &&
	     supread(in->f, s, shown, here, err);
	in->files++;
	free(shown);
	free(here);
	buf_finish(&text);
	return ok;
}

/* One pattern of `files`, relative to the file. supervisord.conf itself is not read again. */
static bool add_pattern(struct including *in, const char *word, struct err *err)
{
	const struct sup_names names = {.program = "", .group = ""};
	struct import *im = in->im;
	char *plain = supread_expand(word, &names, err);
	char *pattern = plain ? import_absolute(im, im->src_dir, plain) : NULL;
	struct words paths = {0};
	bool ok = pattern && !strstr(plain, IMPORT_MARK) && im->world->glob;
	size_t had = in->files;
	if (!ok) {
		import_say(im, NULL, in->section, IMPORT_UNSUPPORTED, NULL,
			   "%.200s cannot be expanded here; import those files by themselves",
			   word);
		ok = true;
	} else if (im->world->glob(pattern, &paths)) {
		for (size_t i = 0; ok && i < paths.n; i++) {
			if (in->files >= MAX_INCLUDED) {
				ok = err_set(err, ERR_CONFIG, "it includes more than %d files",
					     MAX_INCLUDED);
			} else if (!im->src_path || strcmp(paths.v[i], im->src_path) != 0) {
				ok = add_file(in, paths.v[i], err);
			}
		}
		import_say(im, NULL, in->section, IMPORT_MAPPED, NULL, "%.200s: %zu file%s read",
			   word, in->files - had, in->files - had == 1 ? "" : "s");
	} else {
		import_say(im, NULL, in->section, IMPORT_IGNORED, NULL,
			   "%.200s: there is no such file", word);
	}
	words_finish(&paths);
	free(pattern);
	free(plain);
	return ok;
}

/* [include] of the main file; one in an included file has no effect. */
static bool read_includes(struct import *im, struct sup_file *f, struct err *err)
{
	struct including in = {.im = im, .f = f, .section = "[include] files"};
	const json_t *s = json_object_get(f->index, "include");
	const char *files = text_of(json_object_get(s, "keys"), "files");
	struct words w = {0};
	bool ok = true;
	im->where.line = where_line(json_object_get(json_object_get(s, "lines"), "files"));
	for (const char *p = files ? files : ""; *(p += strspn(p, " \t\r\n"));) {
		size_t len = strcspn(p, " \t\r\n");
		char *word = xstrndup(p, len);
		words_add(&w, word);
		free(word);
		p += len;
	}
	if (s && !w.n) {
		import_say(im, NULL, "[include]", IMPORT_IGNORED, NULL, "it names no files");
	}
	for (size_t i = 0; ok && i < w.n; i++) {
		ok = add_pattern(&in, w.v[i], err);
	}
	words_finish(&w);
	return ok;
}

/* --- the file --- */

/* Those sections that are programs: {"NAME": true}. */
static json_t *find_programs(const json_t *sections)
{
	json_t *programs = json_object();
	size_t i;
	json_t *s;
	json_array_foreach(sections, i, s)
	{
		const char *name = text_of(s, "name");
		const char *program = behind(name, "program:");
		program = program ? program : behind(name, "fcgi-program:");
		if (program) {
			json_object_set_new(programs, program, json_true());
		}
	}
	return programs;
}

static void read_section(struct import *im, const json_t *s, const json_t *groups,
			 const json_t *programs)
{
	const char *name = text_of(s, "name"), *file = text_of(s, "file");
	const json_t *keys = json_object_get(s, "keys");
	const char *fcgi = behind(name, "fcgi-program:");
	const char *program = fcgi ? fcgi : behind(name, "program:");
	im->where.keys = json_object_get(s, "lines");
	im->where.line = (unsigned)json_integer_value(json_object_get(s, "line"));
	if (json_object_get(s, "again")) {
		char *key = xasprintf("[%s]", name);
		import_say(im, NULL, key, IMPORT_MAPPED, NULL,
			   "is there more than once; all keys count, of one name the last");
		free(key);
	}
	if (program) {
		import_sup_program(im, &(struct sup_program){.name = program,
							     .keys = keys,
							     .group = text_of(groups, program),
							     .file = file,
							     .fcgi = fcgi != NULL});
	} else if (strcmp(name, "supervisord") == 0) {
		read_daemon(im, keys);
	} else if (strcmp(name, "include") == 0) {
		if (file) {
			import_say(im, NULL, "[include]", IMPORT_IGNORED, NULL,
				   "supervisord includes nothing from %s, an included file", file);
		}
	} else {
		read_other(im, name, keys);
		if (behind(name, "group:")) {
			read_group(im, name, keys, programs);
		}
	}
}

bool import_supervisord(struct import *im, const char *text, struct err *err)
{
	struct sup_file f = {0};
	size_t i;
	const json_t *s;
	bool ok = supread(&f, text, NULL, im->src_dir, err) && read_includes(im, &f, err);
	json_t *groups = find_groups(f.sections);
	json_t *programs = find_programs(f.sections);
	im->where.line = 0;
	import_say(im, NULL, "[program:...]", IMPORT_CHANGED, NULL,
		   "a stop ends the whole process tree, and max_restarts (10 in 5m) limits all "
		   "restarts, also of what was up");
	json_array_foreach(ok ? f.sections : NULL, i, s)
	{
		read_section(im, s, groups, programs);
	}
	im->where.keys = NULL;
	for (i = 0; i < im->napps; i++) {
		check_after(im, im->apps[i]);
	}
	im->where.line = 0;
	if (ok && !json_object_size(programs)) {
		ok = err_set(err, ERR_CONFIG, "there is no [program:NAME] in it");
	}
	json_decref(groups);
	json_decref(programs);
	sup_file_finish(&f);
	return ok;
}
