/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_PROBLEMS_H
#define PMCTL_CONFIG_PROBLEMS_H
/*
 * problems - what is wrong with an app list, collected in any order and reported by line.
 *
 * Inside config/ only; callers outside see a struct err_list.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Where something stands. All borrowed. */
struct place {
	const char *file;    /* NULL: no file; only the section is named then */
	const char *section; /* "app:web"; NULL outside of one */
	const char *key;     /* NULL: the section as a whole */
	unsigned line;	     /* 0: given on the command line */
};

/* Zeroed = empty. */
struct problems {
	struct problem {
		unsigned line;
		size_t order;
		char *text;
	} * v;
	size_t n;
	size_t dropped; /* beyond ERR_LIST_MAX */
};

/* Add "FILE:LINE: [SECTION] KEY: REASON". The reason must be safe to print already. */
void problems_add(struct problems *p, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Move all to *errs, by line. *p is empty then. */
void problems_report(struct problems *p, struct err_list *errs);

#endif
