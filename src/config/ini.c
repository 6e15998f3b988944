/* SPDX-License-Identifier: MIT */
#include "config/ini.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "config/decode.h"
#include "config/filekeys.h"
#include "config/iniread.h"
#include "config/names.h"
#include "config/problems.h"
#include "config/types.h"

enum section_kind {
	SECTION_NONE,
	SECTION_PMCTL,
	SECTION_DEFAULTS,
	SECTION_APP,
	SECTION_OVER_DEFAULTS, /* [defaults@PROFILE] */
	SECTION_OVER_APP,      /* [app:NAME@PROFILE] */
	SECTION_IGNORED
};

/* The lines of one section, sorted by key. */
struct block {
	const struct ini_section *head;
	enum section_kind kind;
	const struct ini_line **lines; /* borrowed, part of one big array */
	size_t n;
	const struct block *over; /* of an app: what the profile lays over it; NULL = nothing */
};

struct parser {
	struct ini_text text;
	struct block *blocks; /* one a section */
	const struct ini_line **sorted;
	const struct block *defaults, *over_defaults; /* NULL = none */
	const char *file, *dir, *profile;
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

/* What stands behind the @ is a name like a namespace's. */
static enum section_kind kind_of_overlay(struct parser *ps, const char *name, const char *profile,
					 const struct place *at)
{
	struct err err;
	if (!names_check_group(profile, &err)) {
		problems_add(&ps->problems, at, "profile: %s", err.msg);
		return SECTION_IGNORED;
	}
	ini_add_profile(ps->out, profile);
	return name[0] == 'a' ? SECTION_OVER_APP : SECTION_OVER_DEFAULTS;
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
	const char *profile = strchr(name, '@');
	if (profile && (app || strncmp(name, "defaults@", 9) == 0)) {
		return kind_of_overlay(ps, name, profile + 1, &at);
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

static void complain_unknown(struct parser *ps, const char *key, const struct place *at)
{
	char near[160];
	struct suggest s;
	suggest_init(&s, key);
	for (size_t i = 0; i < file_keys_count; i++) {
		suggest_offer(&s, file_keys[i].name);
	}
	suggest_text(&s, near, sizeof(near));
	problems_add(&ps->problems, at, "unknown key%s", near);
}

static void read_pmctl(struct parser *ps, const struct block *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct ini_line *l = b->lines[i];
		struct place at = place_of(ps, b, l->key, l->line);
		const struct file_key *k = filekeys_find(l->key);
		struct err err;
		if (!k) {
			complain_unknown(ps, l->key, &at);
		} else if (!*l->value) {
			problems_add(&ps->problems, &at, "is empty");
		} else if (!k->set(ps->out, ps->dir, l->value, l->line, &err)) {
			problems_add(&ps->problems, &at, "%s", err.msg);
		}
	}
}

/* [defaults]: a bad line is told once here, not again with each app. The same for sections of
 * profiles, whether they are chosen or not. */
static void drop_bad_lines(struct parser *ps, struct block *b)
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
}

static bool is_chosen(const struct parser *ps, const struct block *b)
{
	return ps->profile && strcmp(strchr(b->head->name, '@') + 1, ps->profile) == 0;
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

/* An upper layer that says what is run outranks all that the lower ones say of it. */
static void lay(struct app_def *def, const struct block *b)
{
	if (!b) {
		return;
	}
	if (has_key(b, "command")) {
		def_unset(def, "script");
		def_unset(def, "args");
		def_unset(def, "interpreter");
		def_unset(def, "interpreter_args");
	} else if (has_key(b, "script")) {
		def_unset(def, "command");
	}
	for (size_t i = 0; i < b->n; i++) {
		def_set(def, b->lines[i]->key, b->lines[i]->value, b->lines[i]->line);
	}
}

static void read_app(struct parser *ps, const struct block *b)
{
	struct ini_file *f = ps->out;
	struct app_conf conf;
	struct app_def *def =
		def_new(b->head->name + 4, f->project, ps->file, ps->dir, b->head->line);
	lay(def, ps->defaults);
	lay(def, ps->over_defaults);
	lay(def, b);
	lay(def, b->over);
	if (decode_app(&conf, def, &ps->problems)) {
		conf_finish(&conf);
	}
	f->apps[f->napps++] = def;
}

static int by_app_name(const void *key, const void *entry)
{
	const char *over = key; /* "app:web@production" is laid over "app:web" */
	const char *name = (*(struct block *const *)entry)->head->name;
	size_t len = (size_t)(strchr(over, '@') - over);
	int cmp = strncmp(over, name, len);
	return cmp ? cmp : name[len] ? -1 : 0;
}

/* What is of a profile has something to be laid over. */
static void link_over_apps(struct parser *ps)
{
	size_t n = ps->text.nsections, napps = 0;
	struct block **apps = xcalloc(n, sizeof(struct block *));
	for (size_t i = 0; i < n; i++) {
		if (ps->blocks[i].kind == SECTION_APP) {
			apps[napps++] = &ps->blocks[i];
		}
	}
	qsort(apps, napps, sizeof(struct block *), by_name);
	for (size_t i = 0; i < n; i++) {
		struct block *b = &ps->blocks[i], **app;
		if (b->kind != SECTION_OVER_APP) {
			continue;
		}
		drop_bad_lines(ps, b);
		app = bsearch(b->head->name, apps, napps, sizeof(struct block *), by_app_name);
		if (!app) {
			struct place at = place_of(ps, b, NULL, b->head->line);
			problems_add(&ps->problems, &at, "there is no [%.*s] it could be laid over",
				     (int)strcspn(b->head->name, "@"), b->head->name);
		} else if (is_chosen(ps, b)) {
			(*app)->over = b;
		}
	}
	free(apps);
}

static void read_defaults(struct parser *ps, struct block *b)
{
	const struct block **place = b->kind == SECTION_DEFAULTS ? &ps->defaults
				     : is_chosen(ps, b)		 ? &ps->over_defaults
								 : NULL;
	drop_bad_lines(ps, b);
	if (place && !*place) {
		*place = b;
	}
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
		} else if (b->kind == SECTION_DEFAULTS || b->kind == SECTION_OVER_DEFAULTS) {
			read_defaults(ps, b);
		}
		napps += b->kind == SECTION_APP;
	}
	link_over_apps(ps);
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

bool ini_parse_apps(struct ini_file *out, const struct ini_source *src, struct err_list *errs)
{
	struct ini_file f = {.file = xstrdup(src->file), .project = xstrdup(src->project)};
	struct parser ps = {.file = src->file, .dir = src->dir, .profile = src->profile, .out = &f};
	if (src->len > LIMIT_INI_FILE) {
		struct place at = {.file = src->file, .line = 1};
		problems_add(&ps.problems, &at, "the file is larger than %d MiB",
			     LIMIT_INI_FILE / (1024 * 1024));
	} else {
		iniread(&ps.text, src->text, src->len, src->file, &ps.problems);
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
