/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_PROMPT_H
#define PMCTL_UI_PROMPT_H
/* prompt - a line that is typed: editing, what was typed before, completion. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROMPT_TEXT    512
#define PROMPT_HISTORY 32

struct prompt {
	char text[PROMPT_TEXT];	 /* UTF-8 */
	size_t cursor;		 /* byte of it */
	int back;		 /* lines of the history above the one that is typed; 0 = none */
	char typed[PROMPT_TEXT]; /* what was there before the history was looked at */
};

/* The last lines that were entered, newest last. */
struct prompt_history {
	char line[PROMPT_HISTORY][PROMPT_TEXT];
	int n;
};

/* Begin with this text, the cursor behind it. */
void prompt_set(struct prompt *p, const char *text);
/* One key; history may be NULL. False: it is none of editing. */
bool prompt_key(struct prompt *p, const struct prompt_history *h, uint32_t key);
/* Note a line; one that is there already moves to the end. */
void prompt_remember(struct prompt_history *h, const char *line);

/* The k-th word that could stand at the word-th place of a line (0 = the command), NULL behind the
 * last one. */
typedef const char *prompt_words(void *ctx, int word, size_t k);
/* Complete the word at the cursor as far as it is certain. If several begin so, they are listed in
 * `several`, with blanks between; else it is "". */
void prompt_complete(struct prompt *p, prompt_words *words, void *ctx, char *several, size_t cap);

#endif
