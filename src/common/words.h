/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_WORDS_H
#define PMCTL_COMMON_WORDS_H
/* words - splitting a command line as a shell splits it, without running one. */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct buf;

/* NULL-terminated argument vector; owns its strings. Zeroed = empty, v is then NULL. */
struct words {
	char **v;
	size_t n;
};

/* Split at blanks. 'single' is literal; in "double" and bare text \ takes the next character
 * (in "double" only before " \ $ `); $'...' knows \n \t \r \a \b \e \f \v \\ \' \" and \xHH, as
 * POSIX has it. Nothing is expanded. Fails on an open quote or a \ at the
 * end. Words are appended to *w, also when it holds some already. */
bool words_split(struct words *w, const char *text, struct err *err);
void words_add(struct words *w, const char *word);
/* The text that words_split() splits into these words again, on one line. Caller frees. */
char *words_join(char *const *v, size_t n);
void words_finish(struct words *w);
/* Append a word such that any shell, and words_split(), reads it as that one word. */
void words_add_quoted(struct buf *out, const char *word);

/* Whether a word is one of those of a list of ours, separated by single spaces; NULL has none. */
bool words_named(const char *list, const char *word);

#endif
