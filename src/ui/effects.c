/* SPDX-License-Identifier: MIT */
#include "ui/effects.h"

#include <stdio.h>
#include <string.h>

void effects_add(struct effects *e, enum effect_kind kind, int number, const char *text)
{
	if (e->n < EFFECTS_MAX) {
		struct effect *to = &e->v[e->n++];
		to->kind = kind;
		to->number = number;
		snprintf(to->text, sizeof(to->text), "%s", text ? text : "");
	}
}

bool effects_take(struct effects *e, struct effect *out)
{
	if (e->n == 0) {
		return false;
	}
	*out = e->v[0];
	memmove(e->v, e->v + 1, (size_t)--e->n * sizeof(e->v[0]));
	return true;
}
