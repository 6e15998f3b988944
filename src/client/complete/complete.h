/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_COMPLETE_COMPLETE_H
#define PMCTL_CLIENT_COMPLETE_COMPLETE_H
/* complete - completion scripts from the tables of commands, options and keys. */
#include "client/args.h"
#include "common/buf.h"

struct command;

void complete_bash(struct buf *out); /* bash.c */
void complete_zsh(struct buf *out);  /* zsh.c */
void complete_fish(struct buf *out); /* fish.c */

/* Words that stand where a command takes only certain ones, separated by blanks; NULL = it does
 * not. */
const char *complete_words(const struct command *cmd);
/* "list|ls|l": the command and its aliases, as a pattern of a case. */
void complete_pattern(struct buf *out, const struct command *cmd);
/* Whether the option is to be offered. */
bool complete_offers(const struct opt *o);
/* In single quotes, for a shell; `quote` is how a quote is written in there. */
void complete_quoted(struct buf *out, const char *text, const char *quote);
/* What may stand as the value of an option. */
enum complete_value { VALUE_FREE, VALUE_WORDS, VALUE_FILES, VALUE_PROFILES, VALUE_HOSTS };

/* With VALUE_WORDS the words are appended to *words, separated by blanks. */
enum complete_value complete_value_of(const struct opt *o, struct buf *words);
/* What a shell runs to offer such values. */
struct complete_bodies {
	const char *words; /* the words are written behind it */
	const char *files, *profiles, *hosts;
};
/* For bash and zsh: a case for each option whose values are known, "--mode) BODY; return ;;". */
void complete_value_cases(struct buf *out, const struct complete_bodies *bodies);
/* The names of signals, separated by blanks. */
void complete_signals(struct buf *out);

#endif
