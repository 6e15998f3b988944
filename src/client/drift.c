/* SPDX-License-Identifier: MIT */
#include "client/drift.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/deploy.h"
#include "common/mem.h"

#define MAX_KEYS 3 /* named in a note */

/* Of one list, what is different. */
struct drift {
	const json_t *list;	/* of the daemon's: {"file", ...} */
	const char *trouble;	/* why it cannot be compared; NULL = it can */
	struct rpc_reply reply; /* the plan */
};

static int64_t changed_ms(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return errno == ENOENT ? INT64_MAX : 0;
	}
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

static bool is_younger(const json_t *list)
{
	int64_t read_ms = member_int(list, "read_ms", 0);
	const json_t *files = json_object_get(list, "files"), *file;
	size_t i;
	if (changed_ms(member_text(list, "file", "")) >= read_ms) {
		return true;
	}
	json_array_foreach(files, i, file)
	{
		if (changed_ms(json_string_value(file)) >= read_ms) {
			return true;
		}
	}
	return false;
}

/* --- one list --- */

static void compare(struct client *c, struct drift *d)
{
	struct deploy deploy = {0};
	struct conn_wait w = {0};
	struct err_list errs = {0};
	struct err err;
	const char *path = member_text(d->list, "file", "");
	const char *profile = member_text(d->list, "profile", "");
	if (!appfile_read(path, profile, &deploy.f, &errs, &err)) {
		d->trouble = changed_ms(path) == INT64_MAX ? "its file is gone"
							   : "its file is not valid: pmctl check";
	} else {
		json_t *params = deploy_send(c, &deploy, &err);
		if (!params || !conn_call(&c->conn, "plan", params, &w, &d->reply, &err)) {
			d->trouble = "its file cannot be compared: pmctl plan";
		}
	}
	err_list_finish(&errs);
	deploy_finish(&deploy);
}

/* --- one app --- */

static const json_t *keys_of(const struct drift *d, const json_t *app, bool *gone)
{
	const json_t *item = member_find(json_object_get(d->reply.result, "apps"), "app",
					 member_text(app, "name", ""));
	*gone = item && strcmp(member_text(item, "action", ""), "left") == 0;
	return json_object_get(item, "keys");
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
	bool gone;
	size_t i;
	const json_t *k, *keys = keys_of(d, app, &gone);
	struct buf text = {0};
	json_t *drift = json_array();
	json_array_foreach(keys, i, k)
	{
		json_array_append_new(drift, json_pack("{s:O?,s:O?,s:O?}", "key",
						       json_object_get(k, "key"), "old",
						       json_object_get(k, "old"), "new",
						       json_object_get(k, "new")));
		if (i < MAX_KEYS) {
			buf_addf(&text, "%s%s",
				 i ? ", " : "file changed: ", member_text(k, "key", "?"));
		}
	}
	if (i > MAX_KEYS) {
		buf_adds(&text, " ...");
	}
	if (gone || d->trouble) {
		buf_adds(&text, gone ? "not in its file any more" : d->trouble);
	}
	client_set(app, "drift", d->trouble ? json_null() : drift);
	if (d->trouble) {
		json_decref(drift);
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
		if (is_younger(list)) {
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
