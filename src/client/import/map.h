/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_MAP_H
#define PMCTL_CLIENT_IMPORT_MAP_H
/*
 * map - the keys of foreign app lists: tables, and the one way in which a row is applied.
 *
 * A row says what a key is called there and here, how its value is turned into ours, and what is
 * different. The report and a section of pmctl.1 come from the same rows. To support another key,
 * add a row in pm2keys.c or supkeys.c.
 */
#include <jansson.h>

#include "client/import/import.h"

struct mapping;
struct import_key;

enum conv {
	CONV_OK,      /* *out is the value */
	CONV_NOTHING, /* it says what is so here without it */
	CONV_TOLD,    /* nothing is left of it, and it was said why */
	CONV_BAD      /* *err says why */
};

/* The value of a row's key as ours. *out is allocated. */
typedef enum conv import_convert(struct mapping *m, const json_t *v, char **out, struct err *err);
/* All that a row does, where that is more than to set a key. */
typedef void import_apply(struct mapping *m, const struct import_key *row, const char *key,
			  const json_t *v);

struct import_key {
	const char *names; /* "out_file output": what it is called there, the usual name first */
	const char *ours;  /* the key here, or words for it; NULL = none */
	enum import_kind kind;
	import_convert *convert; /* NULL, and no apply: nothing is set */
	import_apply *apply;
	const char *remark; /* what is different, or the nearest thing; NULL = nothing to say */
};

struct import_table {
	const char *title; /* of the part of the manual page */
	const struct import_key *v;
	size_t n;
	const char *ignored; /* said of a key that is not in it */
};

extern const struct import_table import_pm2_keys, import_pm2_wishes, import_sup_keys,
	import_sup_sections;

/* One object of a source on its way into an app. */
struct mapping {
	struct import *im;
	struct import_app *app;
	const struct import_table *table;
	const json_t *obj;    /* its keys and values */
	const json_t *marked; /* the same with variables of the caller marked; NULL = unknown */
	const json_t *reads;  /* variables the source has read, and their values */
	char *cwd;	      /* absolute: what relative paths of the app mean */
	bool is_node;
	bool from_dump;
	bool whole_env; /* the source copies the whole environment of the caller */
};

/* The row of a key; NULL if there is none. */
const struct import_key *import_key_find(const struct import_table *t, const char *key);
/* Apply the row of a key. False if there is none. */
bool import_key_apply(struct mapping *m, const char *key, const json_t *v);
/* Set key = value and say so, with the remark of the row; or say why not. */
bool import_key_set(struct mapping *m, const struct import_key *row, const char *key,
		    const char *ours, const char *value);
/* The first of the names of a row that the object has, NULL = none. */
const json_t *import_key_value(const struct mapping *m, const char *names, const char **key);

/* Variables of the caller stand in values as MARK NAME MARK_END. */
#define IMPORT_MARK	"__PMCTL_ENV_"
#define IMPORT_MARK_END "__"
/* The name of the first variable in a text, allocated; NULL = there is none. *whole: nothing else
 * is in it. */
char *import_mark_name(const char *text, bool *whole);

/* Say so where the value of a key is made of variables of the caller: the one it has now is
 * written. */
void import_say_marked(struct mapping *m, const char *key);

/* Set env.NAME of an app or profile from a value and say nothing of what works: the name is added
 * to *done. `prefix` is how the source calls the place: "env", "env_production". */
void import_env_set(struct mapping *m, struct app_def *def, const char *prefix, const char *name,
		    const json_t *v, const json_t *marked, struct buf *done);

/* Say so of each key that stands more than once. keys: their places (where.h), or NULL; what is
 * below env and env_* too. */
void import_say_twice(struct import *im, const struct import_app *app, const char *prefix,
		      const json_t *keys);

/* What node gave that is no JSON, as eval.c calls it: "undefined", "a function"; NULL for a value.
 */
const char *import_odd(const json_t *v);
/* The text of a string, number or boolean, allocated; NULL for what is none of them. */
char *import_text(const json_t *v);
/* 1, 0, or -1 for what is neither yes nor no. */
int import_bool(const json_t *v);

/* Converters. */
import_convert conv_text, conv_bool, conv_int, conv_ms, conv_size, conv_words, conv_path, conv_log,
	conv_cron, conv_autorestart, conv_codes, conv_group, conv_instances, conv_watch,
	conv_watch_ignore, conv_seconds, conv_signal, conv_log_size, conv_sup_path;

/* The words of an argument list: an array, or a text that is split at blanks with quotes. */
bool import_words(const json_t *v, struct words *out, struct err *err);

/* Settings that say what is run, from script, args, interpreter and cwd of PM2. False if there is
 * nothing to run. */
bool import_program(struct mapping *m);
/* Whether what is set so far runs node. */
bool import_runs_node(const struct mapping *m);

/* What a list of PM2 is read from. All borrowed; all but root may be NULL. */
struct import_source {
	const json_t *root;
	const json_t *where;  /* the place of root, see where.h */
	const json_t *marked; /* root with variables of the caller marked */
	const json_t *reads;  /* variables it has read, and their values */
	bool whole_env;	      /* it copies the whole environment of the caller */
};

/* Sources as trees to apps. False if there is no app in it, with the reason. */
bool import_pm2(struct import *im, const struct import_source *src, struct err *err);
/* In an app made of dump.pm2: the names of variables that are not copied, for the report. */
#define IMPORT_SESSION_KEY "(session)"
bool import_dump(struct import *im, const json_t *root, const json_t *where, struct err *err);
/* A section [program:NAME]; all borrowed. */
struct sup_program {
	const char *name;
	const json_t *keys; /* as written; their lines are im->where */
	const char *group;  /* NULL = none */
	const char *file;   /* it was included from; NULL = none */
	bool fcgi;
};
/* Add its apps. */
void import_sup_program(struct import *im, const struct sup_program *s);
/* `environment` of [supervisord], for all. */
void import_sup_environment(struct import *im, const json_t *keys);

/* Sources as texts. */
bool import_supervisord(struct import *im, const char *text, struct err *err);
bool import_procfile(struct import *im, const char *text, struct err *err);

#endif
