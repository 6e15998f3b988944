/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_WHERE_H
#define PMCTL_CLIENT_IMPORT_WHERE_H
/*
 * where - in which line of a text each value of its tree stands. Pure.
 *
 * A place is a JSON array [LINE, BELOW, FIRST]: BELOW has the places of an object's members by
 * name, or of a list's elements in order, or is null; FIRST is the line of the first one where a
 * name stands in an object more than once, else 0. A member's line is that of its name.
 */
#include <jansson.h>

/* The place of a value; `below` is taken over and may be NULL. */
json_t *where_place(unsigned line, json_t *below);
/* Add a member's place to the members' places of an object. A name that is there already has its
 * first line noted. */
void where_add(json_t *below, const char *name, json_t *place);

/* The places of a text that json_loadb() has accepted, after comments were blanked out. */
json_t *where_json(const char *text, size_t len);

/* 0 = unknown, as for NULL. */
unsigned where_line(const json_t *place);
unsigned where_first(const json_t *place);
/* NULL = nothing below, or not known. */
const json_t *where_below(const json_t *place);
const json_t *where_member(const json_t *place, const char *name);
const json_t *where_element(const json_t *place, size_t i);

#endif
