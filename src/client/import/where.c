/* SPDX-License-Identifier: MIT */
#include "client/import/where.h"

#include <stdbool.h>
#include <string.h>

json_t *where_place(unsigned line, json_t *below)
{
	return json_pack("[i,o?,i]", (int)line, below, 0);
}

void where_add(json_t *below, const char *name, json_t *place)
{
	const json_t *had = json_object_get(below, name);
	unsigned first = where_first(had) ? where_first(had) : where_line(had);
	if (had) {
		json_array_set_new(place, 2, json_integer((json_int_t)first));
	}
	json_object_set_new(below, name, place);
}

/* --- a text that is known to be JSON --- */

struct scan {
	const char *s, *end;
	unsigned line;
};

static void skip_blanks(struct scan *sc)
{
	for (; sc->s < sc->end && strchr(" \t\r\n:,", *sc->s) && *sc->s; sc->s++) {
		sc->line += *sc->s == '\n';
	}
}

/* Behind the string whose opening quote is at s. */
static void skip_string(struct scan *sc)
{
	for (sc->s++; sc->s < sc->end && *sc->s != '"'; sc->s++) {
		sc->s += *sc->s == '\\' && sc->s + 1 < sc->end;
	}
	sc->s += sc->s < sc->end;
}

/* The name whose opening quote is at s, as the reader of JSON makes of it; NULL if it cannot. */
static json_t *read_name(struct scan *sc)
{
	const char *from = sc->s;
	skip_string(sc);
	return json_loadb(from, (size_t)(sc->s - from), JSON_DECODE_ANY, NULL);
}

static json_t *scan_value(struct scan *sc);

static json_t *scan_members(struct scan *sc)
{
	json_t *below = json_object();
	for (sc->s++; skip_blanks(sc), sc->s < sc->end && *sc->s == '"';) {
		unsigned line = sc->line;
		json_t *name = read_name(sc);
		json_t *place = scan_value(sc);
		json_array_set_new(place, 0, json_integer((json_int_t)line));
		if (name) {
			where_add(below, json_string_value(name), place);
		} else {
			json_decref(place);
		}
		json_decref(name);
	}
	sc->s += sc->s < sc->end;
	return below;
}

static json_t *scan_elements(struct scan *sc)
{
	json_t *below = json_array();
	for (sc->s++; skip_blanks(sc), sc->s < sc->end && *sc->s != ']';) {
		json_array_append_new(below, scan_value(sc));
	}
	sc->s += sc->s < sc->end;
	return below;
}

static json_t *scan_value(struct scan *sc)
{
	skip_blanks(sc);
	unsigned line = sc->line;
	json_t *below = NULL;
	if (sc->s >= sc->end) {
	} else if (*sc->s == '{') {
		below = scan_members(sc);
	} else if (*sc->s == '[') {
		below = scan_elements(sc);
	} else if (*sc->s == '"') {
		skip_string(sc);
	} else {
		do { /* a number or word */
			sc->s++;
		} while (sc->s < sc->end && !strchr(" \t\r\n,:]}", *sc->s));
	}
	return where_place(line, below);
}

json_t *where_json(const char *text, size_t len)
{
	struct scan sc = {.s = text, .end = text + len, .line = 1};
	return scan_value(&sc);
}

/* --- what is known --- */

unsigned where_line(const json_t *place)
{
	return (unsigned)json_integer_value(json_array_get(place, 0));
}

unsigned where_first(const json_t *place)
{
	return (unsigned)json_integer_value(json_array_get(place, 2));
}

const json_t *where_below(const json_t *place)
{
	const json_t *below = json_array_get(place, 1);
	return json_is_null(below) ? NULL : below;
}

const json_t *where_member(const json_t *place, const char *name)
{
	return json_object_get(where_below(place), name);
}

const json_t *where_element(const json_t *place, size_t i)
{
	return json_array_get(where_below(place), i);
}
