/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_INIREAD_H
#define PMCTL_CONFIG_INIREAD_H
/*
 * iniread - INI text to sections and lines, by inih. Knows no section and no key by name.
 *
 * inih gets the text line by line from a reader of ours, which is how nothing is ever cut: the
 * reader counts lines, refuses what inih would shorten, and puts a number in place of each section
 * name (inih keeps only 49 characters of one). Inside config/ only.
 */
#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"

struct ini_section {
	char *name; /* what stands between the brackets; "" = before the first section */
	unsigned line;
	bool broken; /* the header was complained about: ignore what is in it */
};

struct ini_line {
	size_t section; /* index */
	unsigned line;
	char *key;
	char *value; /* NULL: there is no = on the line */
};

/* Zeroed = empty. Section 0 is the space before the first header. */
struct ini_text {
	struct ini_section *sections;
	size_t nsections;
	struct ini_line *lines; /* in file order */
	size_t nlines;
};

/* Lines that cannot be read become problems and are left out. `file` is for messages. */
void iniread(struct ini_text *out, const char *text, size_t len, const char *file,
	     struct problems *p);
void ini_text_finish(struct ini_text *t);

#endif
