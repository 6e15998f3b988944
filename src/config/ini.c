/* SPDX-License-Identifier: MIT */
#include "config/ini.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "config/decode.h"
#include "config/iniread.h"
#include "config/names.h"
#include "config/problems.h"
#include "config/types.h"

enum section_kind { SECTION_NONE, SECTION_PMCTL, SECTION_DEFAULTS, SECTION_APP, SECTION_IGNORED };

/* The lines of one section, sorted by key. */
struct block {
	const struct ini_section *head;
	enum section_kind kind;
	const struct ini_line **lines; /* borrowed, part of one big array */
	size_t n;
};

struct parser {
	struct ini_text text;
	struct block *blocks; /* one a section */
	const struct ini_line **sorted;
	const struct block *defaults; /* NULL = none */
	const char *file, *dir;
	struct problems problems;
	struct ini_file *out;
};

static struct place place_of(const struct parser *ps, const struct block *b, const char *key,
			     unsigned line)
{
	return (struct place){
		.file = ps->file,
		.section = b->kind == SECTION_NONE ? NULL : b->head->name,
		.key = key,
		.line = line,
	};
}

/* Sections */

/* `; did you mean "app:web"?` for what may have been meant to be one of ours. */
static void suggest_section(const char *name, char *out, size_t cap)
{
	char app[LIMIT_NAME + 8];
	const char *colon = strchr(name, ':');
	const char *rest = colon ? colon + 1 : name;
	struct suggest s;
	suggest_init(&s, name);
	suggest_offer(&s, "pmctl");
	suggest_offer(&s, "defaults");
	if (!s.n && names_check_app(rest, NULL)) {
		snprintf(app, sizeof(app), "app:%s", rest);
		snprintf(out, cap, "; did you mean \"%s\"?", app);
		return;
	}
	suggest_text(&s, out, cap);
}

static enum section_kind kind_of(struct parser *ps, const struct block *b)
{
	const char *name = b->head->name;
	struct place at = {.file = ps->file, .section = name, .line = b->head->line};
	char near[160];
	if (b->head == ps->text.sections) {
		return SECTION_NONE;
	}
	if (b->head->broken) {
		return SECTION_IGNORED;
	}
	if (strcmp(name, "pmctl") == 0) {
		return SECTION_PMCTL;
	}
	if (strcmp(name, "defaults") == 0) {
		return SECTION_DEFAULTS;
	}
	bool app = strncmp(name, "app:", 4) == 0;
	if ((app && strchr(name, '@')) || strncmp(name, "defaults@", 9) == 0) {
		problems_add(&ps->problems, &at, "profiles are not supported yet");
		return SECTION_IGNORED;
	}
	if (app) {
		return SECTION_APP;
	}
	suggest_section(name, near, sizeof(near));
	problems_add(&ps->problems, &at, "unknown section%s", near);
	return SECTION_IGNORED;
}

static int by_name(const void *a, const void *b)
{
	const struct block *x = *(const struct block *const *)a;
	const struct block *y = *(const struct block *const *)b;
	int cmp = strcmp(x->head->name, y->head->name);
	return cmp ? cmp : x < y ? -1 : x > y;
}

static void check_duplicate_sections(struct parser *ps)
{
	size_t n = ps->text.nsections;
	const struct block **order = xcalloc(n, sizeof(*order));
	for (size_t i = 0; i < n; i++) {
		order[i] = &ps->blocks[i];
	}
	qsort(order, n, sizeof(*order), by_name);
	const struct block *first = order[0];
	for (size_t i = 1; i < n; i++) {
		if (strcmp(first->head->name, order[i]->head->name) != 0) {
			first = order[i];
		} else if (order[i]->kind != SECTION_IGNORED && first->kind == order[i]->kind) {
			struct place at = place_of(ps, order[i], NULL, order[i]->head->line);
			problems_add(&ps->problems, &at, "given twice, first in line %u",
				     first->head->line);
		}
	}
	free(order);
}

/* Lines */

static int by_key(const void *a, const void *b)
{
	const struct ini_line *x = *(const struct ini_line *const *)a;
	const struct ini_line *y = *(const struct ini_line *const *)b;
	int cmp = strcmp(x->key, y->key);
	return cmp ? cmp : x->line < y->line ? -1 : x->line > y->line;
}

/* Drop the lines that have no value or repeat a key, with a complaint. */
static void check_lines(struct parser *ps, struct block *b)
{
	size_t kept = 0;
	for (size_t i = 0; i < b->n; i++) {
		const struct ini_line *l = b->lines[i];
		struct place at = place_of(ps, b, l->key, l->line);
		char shown[SHOWN_MAX];
		if (!l->value) {
			at.key = NULL;
			problems_add(&ps->problems, &at, "\"%s\" has no =; a line is KEY = VALUE",
				     names_shown(l->key, shown));
		} else if (!*l->key) {
			at.key = NULL;
			problems_add(&ps->problems, &at, "there is no key before the =");
		} else if (kept && strcmp(b->lines[kept - 1]->key, l->key) == 0) {
			problems_add(&ps->problems, &at, "given twice, first in line %u",
				     b->lines[kept - 1]->line);
		} else {
			b->lines[kept++] = l;
		}
	}
	b->n = kept;
}

/* One block a section; inih gives the lines in file order, so each section's stand together. */
static void make_blocks(struct parser *ps)
{
	struct ini_text *t = &ps->text;
	ps->blocks = xcalloc(t->nsections, sizeof(*ps->blocks));
	ps->sorted = xcalloc(t->nlines, sizeof(*ps->sorted));
	size_t line = 0;
	for (size_t i = 0; i < t->nsections; i++) {
		struct block *b = &ps->blocks[i];
		b->head = &t->sections[i];
		b->lines = ps->sorted + line;
		for (; line < t->nlines && t->lines[line].section == i; line++) {
			b->lines[b->n++] = &t->lines[line];
		}
		b->kind = kind_of(ps, b);
		if (b->n) {
			qsort(b->lines, b->n, sizeof(*b->lines), by_key);
		}
		if (b->kind != SECTION_IGNORED) {
			check_lines(ps, b);
		}
	}
}

static void check_stray(struct parser *ps, const struct block *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct place at = place_of(ps, b, b->lines[i]->key, b->lines[i]->line);
		problems_add(&ps->problems, &at,
			     "stands before the first section, such as [app:NAME]");
	}
}

/* [pmctl] */

static void set_project(struct parser *ps, const struct ini_line *l, const struct place *at)
{
	struct err err;
	if (!*l->value) {
		problems_add(&ps->problems, at, "is empty");
	} else if (!names_check_group(l->value, &err)) {
		problems_add(&ps->problems, at, "%s", err.msg);
	} else {
		free(ps->out->project);
		ps->out->project = xstrdup(l->value);
	}
}

static void add_include(struct parser *ps, const struct ini_line *l, const struct place *at)
{
	struct ini_file *f = ps->out;
	if (!*l->value) {
		problems_add(&ps->problems, at, "is empty");
		return;
	}
	f->includes = xreallocarray(f->includes, f->nincludes + 1, sizeof(*f->includes));
	f->includes[f->nincludes++] =
		(struct ini_include){.glob = types_join_path(ps->dir, l->value), .line = l->line};
}

static void read_pmctl(struct parser *ps, const struct block *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct ini_line *l = b->lines[i];
		struct place at = place_of(ps, b, l->key, l->line);
		if (strcmp(l->key, "project") == 0) {
			set_project(ps, l, &at);
		} else if (strcmp(l->key, "include") == 0) {
			add_include(ps, l, &at);
		} else {
			char near[160];
			struct suggest s;
			suggest_init(&s, l->key);
			suggest_offer(&s, "project");
			suggest_offer(&s, "include");
			suggest_text(&s, near, sizeof(near));
			problems_add(&ps->problems, &at, "unknown key%s", near);
		}
	}
}

/* [defaults]: a bad line is told once here, not again with each app. */
static void read_defaults(struct parser *ps, struct block *b)
{
	size_t kept = 0;
	for (size_t i = 0; i < b->n; i++) {
		const struct ini_line *l = b->lines[i];
		struct err err;
		if (decode_check(ps->dir, l->key, l->value, &err)) {
			b->lines[kept++] = l;
		} else {
			struct place at = place_of(ps, b, l->key, l->line);
			problems_add(&ps->problems, &at, "%s", err.msg);
		}
	}
	b->n = kept;
	ps->defaults = b;
}

/* [app:NAME] */

static bool has_key(const struct block *b, const char *key)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->lines[i]->key, key) == 0) {
			return true;
		}
	}
	return false;
}

/* An app that says what it runs is not told by [defaults] to run something else. */
static bool is_overruled(const char *key, bool own_script, bool own_command)
{
	if (own_command) {
		return strcmp(key, "script") == 0 || strcmp(key, "args") == 0 ||
		       strcmp(key, "interpreter") == 0 || strcmp(key, "interpreter_args") == 0;
	}
	return own_script && strcmp(key, "command") == 0;
}

/* Both lists are sorted, so the definition is filled in order. */
static void lay_settings(const struct parser *ps, const struct block *b, struct app_def *def)
{
	static const struct block none = {0};
	const struct block *base = ps->defaults ? ps->defaults : &none;
	bool script = has_key(b, "script");
	bool command = has_key(b, "command");
	for (size_t i = 0, k = 0; i < base->n || k < b->n;) {
		int cmp = i == base->n ? 1
			  : k == b->n  ? -1
				       : strcmp(base->lines[i]->key, b->lines[k]->key);
		const struct ini_line *l = cmp < 0 ? base->lines[i] : b->lines[k];
		i += cmp <= 0;
		k += cmp >= 0;
		if (cmp >= 0 || !is_overruled(l->key, script, command)) {
			def_set(def, l->key, l->value, l->line);
		}
	}
}

static void read_app(struct parser *ps, const struct block *b)
{
	struct ini_file *f = ps->out;
	struct app_conf conf;
	struct app_def *def =
		def_new(b->head->name + 4, f->project, ps->file, ps->dir, b->head->line);
	lay_settings(ps, b, def);
	if (decode_app(&conf, def, &ps->problems)) {
		conf_finish(&conf);
	}
	f->apps[f->napps++] = def;
}

static void read_blocks(struct parser *ps)
{
	size_t napps = 0;
	for (size_t i = 0; i < ps->text.nsections; i++) {
		struct block *b = &ps->blocks[i];
		if (b->kind == SECTION_NONE) {
			check_stray(ps, b);
		} else if (b->kind == SECTION_PMCTL) {
			read_pmctl(ps, b);
		} else if (b->kind == SECTION_DEFAULTS && !ps->defaults) {
			read_defaults(ps, b);
		}
		napps += b->kind == SECTION_APP;
	}
	if (napps > LIMIT_APPS) {
		struct place at = {.file = ps->file, .line = 1};
		problems_add(&ps->problems, &at, "%zu apps; %d is the most", napps, LIMIT_APPS);
		return;
	}
	ps->out->apps = xcalloc(napps, sizeof(struct app_def *));
	for (size_t i = 0; i < ps->text.nsections; i++) {
		if (ps->blocks[i].kind == SECTION_APP) {
			read_app(ps, &ps->blocks[i]);
		}
	}
}

bool ini_parse_apps(struct ini_file *out, const char *text, size_t len, const char *file,
		    const char *dir, const char *project, struct err_list *errs)
{
	struct ini_file f = {.project = xstrdup(project)};
	struct parser ps = {.file = file, .dir = dir, .out = &f};
	if (len > LIMIT_INI_FILE) {
		struct place at = {.file = file, .line = 1};
		problems_add(&ps.problems, &at, "the file is larger than %d MiB",
			     LIMIT_INI_FILE / (1024 * 1024));
	} else {
		iniread(&ps.text, text, len, file, &ps.problems);
		make_blocks(&ps);
		check_duplicate_sections(&ps);
		read_blocks(&ps);
	}
	free(ps.blocks);
	free(ps.sorted);
	ini_text_finish(&ps.text);
	bool ok = ps.problems.n == 0;
	problems_report(&ps.problems, errs);
	*out = f;
	return ok;
}

static int by_def_name(const void *a, const void *b)
{
	return strcmp((*(struct app_def *const *)a)->name, (*(struct app_def *const *)b)->name);
}

static void complain_twin(const struct app_def *first, const struct app_def *twin,
			  struct err_list *errs)
{
	struct problems p = {0};
	char shown[SHOWN_MAX];
	char *section = xasprintf("app:%s", twin->name);
	struct place at = {.file = twin->file, .section = section, .line = twin->line};
	problems_add(&p, &at, "given twice, first in %s:%u",
		     names_shown(first->file ? first->file : "-", shown), first->line);
	problems_report(&p, errs);
	free(section);
}

bool ini_merge(struct ini_file *into, struct ini_file *from, struct err_list *errs)
{
	bool ok = true;
	/* Sort the new ones only: a file of many includes is merged one after the other. */
	struct app_def **sorted = xcalloc(from->napps, sizeof(*sorted));
	if (from->napps) {
		memcpy(sorted, from->apps, from->napps * sizeof(*sorted));
		qsort(sorted, from->napps, sizeof(*sorted), by_def_name);
	}
	for (size_t i = 0; from->napps && i < into->napps; i++) {
		struct app_def **twin =
			bsearch(&into->apps[i], sorted, from->napps, sizeof(*sorted), by_def_name);
		if (twin) {
			complain_twin(into->apps[i], *twin, errs);
			ok = false;
		}
	}
	free(sorted);
	into->apps = xreallocarray(into->apps, into->napps + from->napps, sizeof(*into->apps));
	for (size_t i = 0; i < from->napps; i++) {
		into->apps[into->napps++] = from->apps[i];
	}
	from->napps = 0;
	ini_file_finish(from);
	return ok;
}

void ini_file_finish(struct ini_file *f)
{
	for (size_t i = 0; i < f->napps; i++) {
		def_free(f->apps[i]);
	}
	for (size_t i = 0; i < f->nincludes; i++) {
		free(f->includes[i].glob);
	}
	free(f->apps);
	free(f->includes);
	free(f->project);
	*f = (struct ini_file){0};
}
