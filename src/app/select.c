/* SPDX-License-Identifier: MIT */
#include "app/select.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

static bool bad(const char *text, const char *why, struct err *err)
{
	struct buf safe = {0};
	buf_add_escaped(&safe, text, strnlen(text, 80), 0);
	err_set(err, ERR_NO_TARGET, "\"%s\" selects nothing: %s", safe.data ? safe.data : "", why);
	buf_finish(&safe);
	return false;
}

/* A slot number of at most six digits; *p is left behind it. */
static bool read_slot(const char **p, int *out)
{
	const char *s = *p;
	int n = 0;
	int v = 0;
	while (isdigit((unsigned char)s[n])) {
		v = n < 6 ? v * 10 + (s[n] - '0') : v;
		n++;
	}
	*p = s + n;
	*out = v;
	return n > 0 && n <= 6;
}

static bool parse_slots(struct selector *sel, const char *s)
{
	for (;;) {
		int from, to;
		if (sel->nranges == SELECT_RANGES || !read_slot(&s, &from)) {
			return false;
		}
		to = from;
		if (*s == '-' && (s++, !read_slot(&s, &to))) {
			return false;
		}
		sel->range[sel->nranges].from = from;
		sel->range[sel->nranges++].to = to;
		if (*s != ',') {
			return *s == '\0';
		}
		s++;
	}
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

bool selector_parse(struct selector *sel, const char *text, struct err *err)
{
	*sel = (struct selector){.kind = SEL_NAME};
	if (strcmp(text, "all") == 0) {
		sel->kind = SEL_ALL;
		return true;
	}
	if (is_number(text)) {
		errno = 0;
		sel->kind = SEL_ID;
		sel->id = strtoull(text, NULL, 10);
		return errno == 0 || bad(text, "the id is too large", err);
	}
	if (text[0] == '@') {
		sel->kind = SEL_NAMESPACE;
		text++;
	}
	size_t len = strcspn(text, ":");
	if (len == 0 || len >= sizeof(sel->name)) {
		return bad(text, len ? "the name is too long" : "it is empty", err);
	}
	memcpy(sel->name, text, len);
	if (text[len] == ':' && !parse_slots(sel, text + len + 1)) {
		return bad(text, "slots are written NAME:2, NAME:0,3 or NAME:1-3", err);
	}
	return true;
}

bool selector_matches(const struct selector *sel, const struct select_target *t)
{
	switch (sel->kind) {
	case SEL_ALL:
		return true;
	case SEL_ID:
		return sel->id == t->id;
	case SEL_NAMESPACE:
		if (!t->ns || fnmatch(sel->name, t->ns, 0) != 0) {
			return false;
		}
		break;
	case SEL_NAME:
		if (fnmatch(sel->name, t->app, 0) != 0) {
			return false;
		}
		break;
	}
	for (int i = 0; i < sel->nranges; i++) {
		if (t->slot >= sel->range[i].from && t->slot <= sel->range[i].to) {
			return true;
		}
	}
	return sel->nranges == 0;
}
