/* SPDX-License-Identifier: MIT */
#include "ui/detail.h"

#include <stdio.h>

void detail_clear(struct detail *d, const char *selector)
{
	*d = (struct detail){0};
	snprintf(d->selector, sizeof(d->selector), "%s", selector);
}

void detail_add(struct detail *d, const char *key, const char *value)
{
	if (d->n < DETAIL_ROWS) {
		snprintf(d->row[d->n].key, sizeof(d->row[d->n].key), "%s", key);
		snprintf(d->row[d->n].value, sizeof(d->row[d->n].value), "%s", value);
		d->n++;
	}
}
