/* SPDX-License-Identifier: MIT */
#include "client/drift.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/deploy.h"
#include "common/mem.h"

#define MAX_KEYS 3 /* named in a note */

/* Of one list, what is different. */
struct drift {
	const json_t *list;	 /* of the daemon's: {"file", ...} */
	char trouble[DRIFT_WHY]; /* why it cannot be compared; "" = it can */
	struct rpc_reply reply;	 /* the plan */
};

static int64_t changed_ms(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return INT64_MAX; /* gone, or not to be looked at */
	}
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

/* Calls fn for each file of a list until it returns false. */
static bool each_file(const json_t *list, bool (*fn)(void *ctx, const char *path), void *ctx)
{
	size_t i;
	const json_t *file;
	if (!fn(ctx, member_text(list, "file", ""))) {
		return false;
	}
	json_array_foreach(json_object_get(list, "files"), i, file)
	{
		if (!fn(ctx, json_string_value(file) ? json_string_value(file) : "")) {
			return false;
		}
	}
	return true;
}

static bool is_older(void *ctx, const char *path)
{
	const int64_t *read_ms = ctx;
	return changed_ms(path) < *read_ms;
}

bool drift_is_younger(const json_t *list)
{
	int64_t read_ms = member_int(list, "read_ms", 0);
	return !each_file(list, is_older, &read_ms);
}

static bool add_stamp(void *ctx, const char *path)
{
	struct stat st;
	uint64_t *sum = ctx, v[4] = {0};
	if (stat(path, &st) == 0) {
		v[0] = (uint64_t)st.st_ino;
		v[1] = (uint64_t)st.st_size;
		v[2] = (uint64_t)st.st_mtim.tv_sec;
		v[3] = (uint64_t)st.st_mtim.tv_nsec;
	}
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		*sum = (*sum ^ v[i]) * UINT64_C(1099511628211); /* FNV */
	}
	return true;
}

uint64_t drift_stamp(const json_t *list)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	each_file(list, add_stamp, &sum);
	return sum ? sum : 1;
}

static void say_why(const char *path, const char *profile, char why[DRIFT_WHY])
{
	struct stat st;
	if (stat(path, &st) != 0 && errno == ENOENT) {
		snprintf(why, DRIFT_WHY, "is gone");
	} else if (profile[0]) {
		snprintf(why, DRIFT_WHY, "is not valid: pmctl check --env %s", profile);
	} else {
		snprintf(why, DRIFT_WHY, "is not valid: pmctl check");
	}
}

bool drift_read(const json_t *list, struct deploy *out, char why[DRIFT_WHY])
{
	struct err_list errs = {0};
	struct err err;
	const char *path = member_text(list, "file", "");
	const char *profile = member_text(list, "profile", "");
	*out = (struct deploy){0};
	why[0] = '\0';
	bool ok = appfile_read(path, profile, &out->f, &errs, &err);
	err_list_finish(&errs);
	if (!ok) {
		say_why(path, profile, why);
	}
	return ok;
}

/* --- one list --- */

static void compare(struct client *c, struct drift *d)
{
	struct deploy deploy;
	struct conn_wait w = {0};
	struct err err;
	if (!drift_read(d->list, &deploy, d->trouble)) {
		deploy_finish(&deploy);
		return;
	}
	json_t *params = deploy_send(c, &deploy, &err);
	if (!params || !conn_call(&c->conn, "plan", params, &w, &d->reply, &err)) {
		snprintf(d->trouble, sizeof(d->trouble), "cannot be compared: pmctl plan");
	}
	deploy_finish(&deploy);
}

/* --- one app --- */

void drift_text(const json_t *item, struct buf *out)
{
	size_t i;
	const json_t *k;
	json_array_foreach(json_object_get(item, "keys"), i, k)
	{
		if (i < MAX_KEYS) {
			buf_addf(out, "%s%s",
				 i ? ", " : "file changed: ", member_text(k, "key", "?"));
		}
	}
	if (i > MAX_KEYS) {
		buf_adds(out, " ...");
	}
	if (strcmp(member_text(item, "action", ""), "left") == 0) {
		buf_adds(out, "not in its file any more");
	}
}

static void add_note(json_t *app, struct buf *text)
{
	const json_t *procs = json_object_get(app, "procs");
	const char *note = member_text(app, "note", "");
	if (!note[0] && json_array_size(procs) == 1) {
		note = member_text(json_array_get(procs, 0), "note",
				   ""); /* it stands in its place */
	}
	struct buf both = {0};
	buf_addf(&both, "%s%s%s", note, note[0] ? "; " : "", text->data);
	client_set(app, "note", json_string(both.data));
	buf_finish(&both);
}

static void mark(const struct drift *d, json_t *app)
{
	const json_t *item = member_find(json_object_get(d->reply.result, "apps"), "app",
					 member_text(app, "name", ""));
	size_t i;
	const json_t *k;
	struct buf text = {0};
	json_t *drift = d->trouble[0] ? json_null() : json_array();
	json_array_foreach(json_object_get(item, "keys"), i, k)
	{
		json_array_append_new(drift, json_pack("{s:O?,s:O?,s:O?}", "key",
						       json_object_get(k, "key"), "old",
						       json_object_get(k, "old"), "new",
						       json_object_get(k, "new")));
	}
	client_set(app, "drift", drift);
	drift_text(item, &text);
	if (d->trouble[0]) {
		buf_addf(&text, "its file %s", d->trouble);
	}
	if (text.len) {
		add_note(app, &text);
	}
	buf_finish(&text);
}

static bool is_of(const json_t *app, const json_t *list)
{
	const char *file = member_text(app, "list", member_text(app, "file", ""));
	return file[0] && strcmp(file, member_text(list, "file", "")) == 0;
}

void drift_look(struct client *c, json_t *result)
{
	struct rpc_reply reply = {.id = -1};
	struct conn_wait w = {0};
	struct err err;
	size_t i, k;
	const json_t *list;
	json_t *app;
	if (!conn_call(&c->conn, "lists", NULL, &w, &reply, &err)) {
		return; /* an older daemon */
	}
	json_array_foreach(json_object_get(reply.result, "lists"), i, list)
	{
		struct drift d = {.list = list, .reply = {.id = -1}};
		if (drift_is_younger(list)) {
			compare(c, &d);
		}
		json_array_foreach(json_object_get(result, "apps"), k, app)
		{
			if (is_of(app, list)) {
				mark(&d, app);
			}
		}
		rpc_reply_finish(&d.reply);
	}
	rpc_reply_finish(&reply);
}
