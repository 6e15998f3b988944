/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_IMPORT_H
#define PMCTL_CLIENT_IMPORT_IMPORT_H
/*
 * import - what becomes of a foreign app list: apps of ours, and a line of report for each key.
 *
 * Pure: files, programs and the environment are asked for through struct import_world, so that
 * tests can bring a world of their own. Readers (json, yaml, node, supervisord,
 * procfile, dump) fill it, ini and report write it out. Nothing here but command, file and node
 * makes a system call, and nothing but command and node knows the rest of the client.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/words.h"
#include "config/def.h"

enum import_kind {
	IMPORT_MAPPED,	    /* means the same here */
	IMPORT_CHANGED,	    /* is there, with another meaning that the text tells */
	IMPORT_UNSUPPORTED, /* is not there; the text has the nearest thing */
	IMPORT_IGNORED,	    /* had no effect where it comes from either */
	IMPORT_TODO,	    /* somebody has to give it a value */
	IMPORT_KINDS
};

struct import_line {
	char *app; /* its name here; NULL = the file as a whole */
	char *key; /* of the source: "max_restarts", "env.PORT" */
	enum import_kind kind;
	unsigned line; /* of the source; 0 = it has none */
	char *to;      /* "max_restarts = 5"; NULL = nothing. Never the value of a variable. */
	char *text;    /* in words; "" = there is nothing to say */
};

/* A section of the result. */
struct import_app {
	struct app_def *def;	   /* name and settings */
	unsigned line;		   /* of the source, where it begins; 0 = unknown */
	struct words notes;	   /* comments in front of the settings */
	struct buf env_text;	   /* of an env_file of its own, for what no line can hold */
	struct app_def **profiles; /* named as the profile, settings laid over def's */
	size_t nprofiles;
};

enum import_look { LOOK_NONE, LOOK_FILE, LOOK_PROGRAM /* a file that may be executed */ };

/* What the import may know of the machine. */
struct import_world {
	enum import_look (*look)(const char *path); /* absolute */
	const char *(*env)(const char *name);	    /* NULL = not set */
	/* The files an absolute pattern means, sorted; false if there are none. NULL = not to be
	 * had. */
	bool (*glob)(const char *pattern, struct words *out);
	/* Another file of the source; NULL as glob. */
	bool (*text)(const char *path, struct buf *out, struct err *err);
};

struct import {
	const struct import_world *world;
	const char *shown;    /* the source, for messages */
	char *src_path;	      /* absolute, or NULL: it has none */
	char *src_dir;	      /* absolute: what relative paths of the source mean */
	char *real_dir;	      /* src_dir with its links followed, as node says __dirname; or NULL */
	char *out_dir;	      /* absolute: where the result will lie */
	const char *env_stem; /* how such a file is called: STEM.APP.env; NULL = none is made */
	struct import_app *defaults;
	struct import_app **apps;
	size_t napps;
	struct import_line *lines;
	size_t nlines;
	/* What is read now, for the lines of the report: the places of its keys (where.h), and the
	 * line that what has no place is told with. Set by the readers. */
	struct {
		const json_t *keys;
		unsigned line;
	} where;
	/* Names that were given, as a hash table. */
	struct import_name {
		char *name;	 /* NULL = free */
		unsigned suffix; /* the next to be tried for it */
	} * names;
	size_t names_cap, nnames;
};

/* Strings are copied but for `shown`. */
void import_init(struct import *im, const struct import_world *world, const char *shown,
		 const char *src_dir, const char *out_dir);
void import_finish(struct import *im);

/* A new app. A name that is not valid here, or taken, is changed, which the report says. */
struct import_app *import_add(struct import *im, const char *name);
/* Forget it again, with its settings; what was said of it stays. */
void import_drop(struct import *im, struct import_app *app);

/* Set a key after the parser of pmctl.ini has accepted it. *err gets a reason without subject. */
bool import_put(struct import *im, struct app_def *def, const char *key, const char *value,
		struct err *err);
/* Put a variable whose value a line of an INI file cannot hold into the app's own env_file. False
 * if there is none to be made. */
bool import_put_apart(struct import *im, struct import_app *app, const char *name,
		      const char *value);
/* The settings of a profile of an app, made if need be; NULL if no profile can be called that. */
struct app_def *import_profile(struct import *im, struct import_app *app, const char *name);

/* A line of report. app NULL = the file; to NULL = nothing became of it. Its line is that of the
 * key by im->where: "env.PORT" is PORT in env. */
void import_say(struct import *im, const struct import_app *app, const char *key,
		enum import_kind kind, const char *to, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
size_t import_count(const struct import *im, enum import_kind kind);

/* `path` of the source, relative to `base` (absolute), as it is written in the result: relative if
 * it is below its folder, else absolute. ~ is the home directory. Caller frees. */
char *import_path(const struct import *im, const char *base, const char *path);
/* The same, absolute. */
char *import_absolute(const struct import *im, const char *base, const char *path);

/* Take out settings that do not go together, as the parser tells, and say so; an app that has
 * nothing left to run is dropped. Before what follows. */
void import_settle(struct import *im);
/* The result as text; without profiles only where they are to be left out. */
void import_render(const struct import *im, struct buf *out, bool profiles);
/* Read the result by our own parser, every profile too. False with the errors. */
bool import_verify(const struct import *im, struct err_list *errs);

/* "mapped", "changed" ... for JSON and the report. */
const char *import_kind_name(enum import_kind kind);

#endif
