/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGMATCH_H
#define PMCTL_CLIENT_LOGMATCH_H
/*
 * logmatch - which lines are wanted: an extended regular expression, and quickly where it is not.
 *
 * Most patterns have some literal text that every match contains; what has none of it is passed
 * over without a look at its lines. Lines of ASCII are matched byte by byte, others as characters
 * of the user's locale.
 */
#include <locale.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/memfind.h"

#define LOGMATCH_LITERALS 8

enum { LOGMATCH_IGNORE_CASE = 1, LOGMATCH_INVERT = 2 };

struct logmatch {
	bool invert;
	bool is_literal; /* the pattern is text and nothing else */
	struct memfind literal[LOGMATCH_LITERALS];
	size_t nliterals; /* a match contains one of them; 0 = not known */
	char *text;	  /* of the literals */
	regex_t bytes, chars;
	bool has_bytes, has_chars;
	locale_t locale;
};

/* ERR_USAGE if the pattern is none. */
bool logmatch_init(struct logmatch *m, const char *pattern, unsigned flags, struct err *err);
void logmatch_finish(struct logmatch *m);

/* Whether a line, without its newline, is wanted. */
bool logmatch_line(const struct logmatch *m, const char *line, size_t len);
/* data begins with a line. How much of it surely holds no wanted line; not always up to a newline.
 */
size_t logmatch_skip(const struct logmatch *m, const char *data, size_t len);

/* The literals one of which every match contains, for tests: "a|b"; "" = not known. */
void logmatch_literals(const struct logmatch *m, char *out, size_t cap);

#endif
