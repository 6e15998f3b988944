/* SPDX-License-Identifier: MIT */
#include "daemon/revisions.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "proto/defjson.h"
#include "sys/statefile.h"

#define DIRECTORY "revisions"

/* -1 with errno. */
static int open_dir(const struct daemon *d, bool make)
{
	if (make && mkdirat(d->state_fd, DIRECTORY, 0700) != 0 && errno != EEXIST) {
		return -1;
	}
	return openat(d->state_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static json_t *read_file(const struct app *app)
{
	struct buf text = {0};
	struct err warning = {0};
	enum statefile_source src;
	json_t *all = NULL;
	int dir = open_dir(app->daemon, false);
	if (dir >= 0 && statefile_load(dir, app->conf.name, &text, &src, &warning) && text.len) {
		all = json_loadb(text.data, text.len, 0, NULL);
	}
	if (warning.code != ERR_NONE) {
		log_line("revisions: %s", warning.msg);
	}
	if (dir >= 0) {
		close(dir);
	}
	buf_finish(&text);
	if (!json_is_array(all)) {
		json_decref(all);
		all = json_array();
	}
	return all;
}

static void write_file(const struct app *app, const json_t *all)
{
	struct err err;
	int fd = -1, dir = open_dir(app->daemon, true);
	char *text = json_dumps(all, JSON_COMPACT);
	if (dir < 0) {
		log_line("revisions: %s", strerror(errno));
	} else if (!text || !statefile_save(dir, app->conf.name, text, strlen(text), &fd, &err)) {
		log_line("revisions: %s", text ? err.msg : "not to be written as JSON");
	} else {
		close(fd); /* that it is on the disk matters less than our time */
	}
	if (dir >= 0) {
		close(dir);
	}
	free(text);
}

static unsigned number_of(const json_t *o)
{
	return (unsigned)json_integer_value(json_object_get(o, "rev"));
}

/* Killed between this and the state file, a supervisor before us has written it already. */
static bool is_it(const json_t *o, const json_t *def, int64_t applied_real_ms)
{
	return o && json_integer_value(json_object_get(o, "ms")) == applied_real_ms &&
	       json_equal(json_object_get(o, "def"), def);
}

void revisions_push(struct app *app, const struct app_def *def, int64_t applied_real_ms,
		    const struct asker *by)
{
	struct err err;
	json_t *text = defjson_write(def, &err);
	if (!text) {
		log_line("revisions: %s", err.msg);
		return;
	}
	json_t *all = read_file(app);
	const json_t *youngest = json_array_get(all, json_array_size(all) - 1);
	unsigned last = number_of(youngest);
	if (is_it(youngest, text, applied_real_ms)) {
		json_decref(all);
		json_decref(text);
		return;
	}
	while (json_array_size(all) >= LIMIT_REVISIONS) {
		json_array_remove(all, 0);
	}
	json_array_append_new(all,
			      json_pack("{s:I,s:I,s:I,s:I,s:o}", "rev", (json_int_t)last + 1, "ms",
					(json_int_t)applied_real_ms, "uid", (json_int_t)by->uid,
					"pid", (json_int_t)by->pid, "def", text));
	write_file(app, all);
	json_decref(all);
}

void revisions_load(const struct app *app, struct revisions *out)
{
	size_t i;
	json_t *o, *all = read_file(app);
	*out = (struct revisions){0};
	out->v = xcalloc(json_array_size(all) + 1, sizeof(*out->v));
	json_array_foreach(all, i, o)
	{
		struct err err;
		out->v[out->n++] = (struct revision){
			.number = number_of(o),
			.applied_real_ms = json_integer_value(json_object_get(o, "ms")),
			.by = {.uid = (uid_t)json_integer_value(json_object_get(o, "uid")),
			       .pid = (pid_t)json_integer_value(json_object_get(o, "pid"))},
			.def = defjson_read(json_object_get(o, "def"), &err)};
	}
	json_decref(all);
}

void revisions_finish(struct revisions *r)
{
	for (size_t i = 0; i < r->n; i++) {
		def_free(r->v[i].def);
	}
	free(r->v);
	*r = (struct revisions){0};
}

unsigned revisions_current(const struct revisions *r)
{
	return r->n ? r->v[r->n - 1].number + 1 : 1;
}

void revisions_forget(const struct app *app)
{
	int dir = open_dir(app->daemon, false);
	if (dir >= 0) {
		char *before = xasprintf("%s.prev", app->conf.name);
		unlinkat(dir, app->conf.name, 0);
		unlinkat(dir, before, 0);
		free(before);
		close(dir);
	}
}
