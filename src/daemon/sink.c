/* SPDX-License-Identifier: MIT */
#include "daemon/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/compress.h"
#include "sys/users.h"

#define CHECK_PERIOD_MS 1000

struct sink *sink_find(struct list *all, const char *path)
{
	struct sink *s, *next;
	list_for_each(s, next, all, node)
	{
		if (strcmp(s->file.path, path) == 0) {
			return s;
		}
	}
	return NULL;
}

struct sink *sink_get(struct list *all, const struct sink_conf *c)
{
	struct sink *s = sink_find(all, c->path);
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->gzip = -1;
		logfile_init(&s->file, c->path, c->max_size, c->keep, c->compress);
		list_add(all, &s->node);
	}
	s->refs++;
	logfile_set_owner(
		&s->file,
		&(struct asuser){c->user->uid, c->user->gid, c->user->groups, c->user->ngroups},
		c->chosen);
	s->format = c->format;
	s->file.max_size = c->max_size;
	s->file.keep = c->keep;
	s->file.compress = c->compress;
	return s;
}

void sink_unref(struct sink *s)
{
	if (--s->refs == 0) {
		list_remove(&s->node);
		if (s->gzip >= 0) {
			close(s->gzip);
		}
		logfile_finish(&s->file);
		free(s);
	}
}

void sink_write_drop_mark(struct sink *s)
{
	char text[80];
	if (s->file.dropped) {
		int n = snprintf(text, sizeof(text), "\n[pmctl: %lld bytes dropped, disk full]\n",
				 (long long)s->file.dropped);
		if (logfile_write(&s->file, text, (size_t)n)) {
			s->file.dropped = 0;
		}
	}
}

bool sink_open(struct sink *s, bool *opened)
{
	struct err err;
	int64_t now = clock_mono_ms();
	*opened = false;
	if (s->file.fd >= 0 && now - s->checked_at >= CHECK_PERIOD_MS) {
		s->checked_at = now;
		if (!logfile_is_current(&s->file)) {
			s->reopened++;
			logfile_close(&s->file);
		}
	}
	if (s->file.fd >= 0) {
		s->reopened += logfile_follow_size(&s->file);
		return true;
	}
	if (!logfile_open(&s->file, &err)) {
		if (!s->failing) {
			log_line("%s", err.msg);
		}
		snprintf(s->why, sizeof(s->why), "%.199s", err.msg);
		s->failing = true;
		return false;
	}
	s->checked_at = now;
	*opened = true;
	return true;
}

/* gzip works, and removes, by name: nothing is renamed under its hands. */
static bool is_compressing(struct sink *s, bool end_it)
{
	if (s->gzip >= 0 && !compress_has_ended(s->gzip, end_it)) {
		return true;
	}
	if (s->gzip >= 0) {
		close(s->gzip);
		s->gzip = -1;
	}
	return compress_is_running(&s->file); /* one that was started before our time */
}

bool sink_rotate(struct sink *s, bool now, struct err *err)
{
	bool opened = false, was_open = s->file.fd >= 0;
	if (is_compressing(s, now)) {
		err_set(err, ERR_FAILED,
			"%.300s was not rotated: %.300s.1 is still being compressed; fix: try "
			"again "
			"once its gzip has ended",
			s->file.path, s->file.path);
		return false; /* a full one: it is asked again for every piece */
	}
	bool ok = logfile_rotate(&s->file, err);
	if (was_open) {
		sink_open(s, &opened);
	}
	if (!ok && !s->stuck) {
		log_line("%s", err->msg);
	}
	s->stuck = !ok;
	if (ok && s->file.compress && s->file.keep > 0) {
		s->gzip = compress_start(&s->file);
	}
	return opened;
}
