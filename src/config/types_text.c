/* SPDX-License-Identifier: MIT */
#include "config/types.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "config/names.h"

static void set_string(struct app_conf *c, const struct key *k, char *taken)
{
	TYPES_FIELD(c, k, char *) = taken;
}

static char *format_string(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	const char *s = TYPES_CONST_FIELD(c, k, char *);
	return s ? xstrdup(s) : NULL;
}

static void free_string(struct app_conf *c, const struct key *k)
{
	free(TYPES_FIELD(c, k, char *));
	TYPES_FIELD(c, k, char *) = NULL;
}

static bool parse_string(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			 struct err *err)
{
	(void)sub;
	(void)err;
	set_string(c, k, xstrdup(text));
	return true;
}

static bool parse_path(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		       struct err *err)
{
	(void)sub;
	if (strlen(text) >= PATH_MAX) {
		return err_set(err, ERR_CONFIG, "the path is longer than %d bytes", PATH_MAX - 1);
	}
	set_string(c, k, types_join_path(c->dir, text));
	return true;
}

/* A name looked up in PATH stays one; with a slash it is a path. */
static bool parse_program(struct app_conf *c, const struct key *k, const char *sub,
			  const char *text, struct err *err)
{
	return strchr(text, '/') ? parse_path(c, k, sub, text, err)
				 : parse_string(c, k, sub, text, err);
}

static bool parse_env_name(struct app_conf *c, const struct key *k, const char *sub,
			   const char *text, struct err *err)
{
	(void)sub;
	if (!names_check_env(text, err)) {
		return false;
	}
	if (names_is_reserved_env(text)) {
		return err_set(err, ERR_CONFIG, "%s is set by pmctl itself", text);
	}
	set_string(c, k, xstrdup(text));
	return true;
}

static bool parse_group_name(struct app_conf *c, const struct key *k, const char *sub,
			     const char *text, struct err *err)
{
	(void)sub;
	if (!names_check_group(text, err)) {
		return false;
	}
	set_string(c, k, xstrdup(text));
	return true;
}

/* A name or a number of the user database; whether it exists is known only at the start. */
static bool parse_account(struct app_conf *c, const struct key *k, const char *sub,
			  const char *text, struct err *err)
{
	(void)sub;
	for (const char *s = text; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == 0x7f || *s == ':' || *s == '/') {
			char shown[SHOWN_MAX];
			return err_set(err, ERR_CONFIG, "\"%s\" is not a name or number",
				       names_shown(text, shown));
		}
	}
	set_string(c, k, xstrdup(text));
	return true;
}

static bool parse_log_target(struct app_conf *c, const struct key *k, const char *sub,
			     const char *text, struct err *err)
{
	if (strcmp(text, "none") == 0 || strcmp(text, "/dev/null") == 0) {
		set_string(c, k, xstrdup(""));
		return true;
	}
	if (text[strlen(text) - 1] == '/') {
		return err_set(err, ERR_CONFIG, "must be a file, not a folder");
	}
	return parse_path(c, k, sub, text, err);
}

static char *format_log_target(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	const char *s = TYPES_CONST_FIELD(c, k, char *);
	return !s ? NULL : xstrdup(*s ? s : "none");
}

const struct key_type type_string = {"text", false, parse_string, format_string, free_string};
const struct key_type type_path = {"a path", false, parse_path, format_string, free_string};
const struct key_type type_program = {"a program", false, parse_program, format_string,
				      free_string};
const struct key_type type_env_name = {"a variable name", false, parse_env_name, format_string,
				       free_string};
const struct key_type type_group_name = {"a name", false, parse_group_name, format_string,
					 free_string};
const struct key_type type_account = {"a name or number", false, parse_account, format_string,
				      free_string};
const struct key_type type_log_target = {"a file or none", false, parse_log_target,
					 format_log_target, free_string};

/* cron_restart = no, or a time */
static bool parse_cron(struct app_conf *c, const struct key *k, const char *sub, const char *text,
		       struct err *err)
{
	(void)sub;
	if (types_read_bool(text) == 0) {
		return true; /* as if it were not set */
	}
	if (!cron_parse(&c->cron, text, err)) {
		return false;
	}
	set_string(c, k, xstrdup(text));
	return true;
}

const struct key_type type_cron = {"a time or no", false, parse_cron, format_string, free_string};

/* Words */

static bool parse_words(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			struct err *err)
{
	(void)sub;
	struct words w = {0};
	if (!words_split(&w, text, err)) {
		return false;
	}
	TYPES_FIELD(c, k, struct words) = w;
	return true;
}

static char *format_words(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	const struct words *w = &TYPES_CONST_FIELD(c, k, struct words);
	return w->n ? words_join(w->v, w->n) : NULL;
}

static void free_words(struct app_conf *c, const struct key *k)
{
	words_finish(&TYPES_FIELD(c, k, struct words));
}

static bool parse_command(struct app_conf *c, const struct key *k, const char *sub,
			  const char *text, struct err *err)
{
	if (!parse_words(c, k, sub, text, err)) {
		return false;
	}
	if (!c->command.n || !c->command.v[0][0]) {
		free_words(c, k);
		return err_set(err, ERR_CONFIG, "names no program");
	}
	return true;
}

const struct key_type type_command = {"words", false, parse_command, format_words, free_words};
const struct key_type type_words = {"words", true, parse_words, format_words, free_words};

/* watch = yes, no or paths */
static bool parse_watch(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			struct err *err)
{
	(void)k;
	(void)sub;
	int v = types_read_bool(text);
	if (v < 0 && !words_split(&c->watch_paths, text, err)) {
		return false;
	}
	c->watch = v != 0;
	return true;
}

static char *format_watch(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	const struct words *w = &c->watch_paths;
	if (w->n == 1 && types_read_bool(w->v[0]) >= 0) {
		return xasprintf("./%s", w->v[0]); /* a path of such a name was in quotes */
	}
	if (w->n) {
		return words_join(w->v, w->n);
	}
	return xstrdup(c->watch ? "yes" : "no");
}

static void free_watch(struct app_conf *c, const struct key *k)
{
	(void)k;
	words_finish(&c->watch_paths);
}

const struct key_type type_watch = {"yes, no or paths", false, parse_watch, format_watch,
				    free_watch};
