/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_ARGS_H
#define PMCTL_CLIENT_ARGS_H
/*
 * args - the words of a command line to options and operands, in the GNU manner.
 *
 * Long and short options, --name=value and --name value, bundled letters, options before and behind
 * operands, -- ends them. Nothing is abbreviated. All strings are borrowed from argv and the
 * tables.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum {
	OPT_OPTIONAL = 1, /* a value only as --name=value; without one the value is NULL */
	OPT_HIDDEN = 2,
};

struct opt {
	const char *name; /* without dashes; NULL = letter only; "env." = a family: --env.PORT=1 */
	char letter;	  /* 0 = none */
	const char *meta; /* placeholder of the value; NULL = takes none */
	const char *doc;
	unsigned flags;
	const char *key;   /* of an app: the INI key it stands for; NULL = none */
	const char *fixed; /* the value it means without one */
};

struct opt_set {
	const struct opt *v;
	size_t n;
};

struct given {
	const struct opt *opt;
	const char *sub;   /* "PORT" of a family, else NULL */
	const char *value; /* NULL = none */
	const char *word;  /* of the command line, the one with its name */
};

struct args {
	const char **operand;
	size_t n;
	const char **rest; /* behind --, with ARGS_REST */
	size_t nrest;
	bool has_rest;
	struct given *given;
	size_t ngiven;
	char unknown[64]; /* after a failure: the option there is none of, "--only", "-m" */
};

enum {
	ARGS_NUMBERS = 1, /* -1 is an operand */
	ARGS_REST = 2,	  /* words behind -- are no operands */
};

/* Zeroed *a is filled; args_finish() also after a failure. ERR_USAGE with a suggestion. */
bool args_parse(struct args *a, const struct opt_set *sets, size_t nsets, unsigned flags, int argc,
		char *const *argv, struct err *err);
void args_finish(struct args *a);

/* The index of the first operand in argv (argv[0] is skipped) where only the options of `globals`
 * take a value; 0 if there is none. */
int args_find_command(const struct opt_set *globals, int argc, char *const *argv);

/* Whether one of these words stands before --. */
bool args_has_word(int argc, char *const *argv, const char *a, const char *b);

/* The last one given; NULL if it was not. */
const struct given *args_find(const struct args *a, const char *name);
bool args_has(const struct args *a, const char *name);
/* The value of the last one given, or `absent`. */
const char *args_value(const struct args *a, const char *name, const char *absent);

#endif
