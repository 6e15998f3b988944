/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LISTTEXT_H
#define PMCTL_UI_LISTTEXT_H
/* listtext - what stands in the cells of the list. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "ui/columns.h"

/* The text of any column but the sparks and NOTE; "" = nothing to say, "-" = not known. */
void listtext_cell(const struct model *m, const struct row *row, enum column_id id, bool brief,
		   char *out, size_t cap);
/* Why a row is not simply fine, in words for this width; they may be longer than it. */
void listtext_note(const struct model *m, const struct rows *r, const struct row *row, int width,
		   bool utf8, char *out, size_t cap);

#endif
