/* SPDX-License-Identifier: MIT */
#include "daemon/outputheld.h"

#include <stdio.h>

#include "daemon/link.h"
#include "daemon/output.h"

static void keeper_name(char out[KEEPER_NAME], const char *kind, const char *key)
{
	snprintf(out, KEEPER_NAME, "%s.%.40s", kind, key);
}

/* For the keeper's own copying, beside the pipe. */
void outputheld_file_of(const struct output *out)
{
	char name[KEEPER_NAME];
	if (out->sink->format == LOG_RAW && out->fd >= 0) {
		keeper_name(name, "file", out->key);
		link_deposit(out->owner->link, name, out->sink->file.fd);
	}
}

/* It is another one than before for all pipes that lead there. */
void outputheld_file(struct outputs *o, const struct sink *s)
{
	struct output *out, *next;
	list_for_each(out, next, &o->all, node)
	{
		if (out->sink == s) {
			outputheld_file_of(out);
		}
	}
}

void outputheld_pipe(const struct output *out)
{
	char name[KEEPER_NAME];
	keeper_name(name, "pipe", out->key);
	link_deposit(out->owner->link, name, out->fd);
}

void outputheld_spool(const struct output *out)
{
	char name[KEEPER_NAME];
	keeper_name(name, "spool", out->key);
	link_deposit(out->owner->link, name, out->spool.fd);
}

void outputheld_drop(const struct output *out, const char *kind)
{
	char name[KEEPER_NAME];
	keeper_name(name, kind, out->key);
	link_drop(out->owner->link, name);
}

void outputs_deposit(struct outputs *o)
{
	struct output *out, *next;
	struct sink *s, *after;
	list_for_each(out, next, &o->all, node)
	{
		if (out->fd >= 0) {
			outputheld_pipe(out);
		}
		if (out->spool.fd >= 0) {
			outputheld_spool(out);
		}
	}
	list_for_each(s, after, &o->sinks, node)
	{
		if (s->file.fd >= 0) {
			outputheld_file(o, s);
		}
	}
}
