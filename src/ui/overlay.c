/* SPDX-License-Identifier: MIT */
#include "ui/overlay.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ui/grid.h"

#define HANG 2 /* columns more than the line itself */

void overlay_open(struct overlay *o, enum overlay_kind kind, int what, const char *fmt, ...)
{
	va_list ap;
	*o = (struct overlay){.kind = kind, .what = what};
	va_start(ap, fmt);
	vsnprintf(o->title, sizeof(o->title), fmt, ap);
	va_end(ap);
}

void overlay_close(struct overlay *o)
{
	o->kind = OVERLAY_NONE;
}

void overlay_say(struct overlay *o, const char *fmt, ...)
{
	size_t len = strlen(o->text);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(o->text + len, sizeof(o->text) - len, fmt, ap);
	va_end(ap);
}

void overlay_choice(struct overlay *o, uint32_t key, int what, const char *fmt, ...)
{
	va_list ap;
	if (o->nchoices == OVERLAY_CHOICES) {
		return;
	}
	struct overlay_choice *c = &o->choice[o->nchoices++];
	*c = (struct overlay_choice){.key = key, .what = what};
	va_start(ap, fmt);
	vsnprintf(c->label, sizeof(c->label), fmt, ap);
	va_end(ap);
}

static int within(int v, int least, int most)
{
	return v > most ? (most < least ? least : most) : v < least ? least : v;
}

void overlay_move(struct overlay *o, int by)
{
	if (o->kind == OVERLAY_MENU) {
		o->sel = within(o->sel + by, 0, o->nchoices - 1);
	} else {
		/* one that was not drawn yet scrolls then */
		o->top = within(o->top + by, 0, o->height ? o->lines - o->height : 1 << 20);
	}
}

bool overlay_is_typed(const struct overlay *o)
{
	return o->kind == OVERLAY_PROMPT || (o->kind == OVERLAY_CONFIRM && o->name[0]) ||
	       (o->kind == OVERLAY_HELP && o->searching);
}

/* Bytes of a line that fit, broken behind the last blank that does. */
static size_t fit(const char *text, size_t len, int width)
{
	size_t at = 0, blank = 0;
	int used = 0;
	while (at < len) {
		int w;
		size_t n = grid_step(text + at, len - at, &w);
		if (used + w > width) {
			return blank ? blank : at ? at : n;
		}
		used += w;
		at += n;
		blank = text[at - 1] == ' ' ? at : blank;
	}
	return at;
}

int overlay_wrap(const char *text, int width, struct buf *out)
{
	int lines = 0, indent = 0;
	bool begins = true; /* of a line of the text */
	width = width < 1 ? 1 : width;
	while (*text) {
		size_t len = strcspn(text, "\n");
		if (begins) {
			indent = (int)strspn(text, " ");
			indent = indent > 0 && indent + HANG < width / 2 ? indent + HANG : 0;
		}
		int left = begins ? 0 : indent;
		size_t used = fit(text, len, width - left);
		buf_addf(out, "%*s", left, "");
		buf_add(out, text, used);
		buf_addc(out, '\n');
		lines++;
		text += used;
		begins = *text == '\n' || used == len;
		text += *text == '\n';
	}
	return lines;
}
