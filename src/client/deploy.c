/* SPDX-License-Identifier: MIT */
#include "client/deploy.h"

#include <stdlib.h>
#include <string.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/defbatch.h"
#include "client/workdir.h"
#include "common/clock.h"
#include "common/mem.h"

/* --- the profile --- */

/* What the daemon knows of the list; NULL if nothing, or if none runs. Borrowed from *reply. One
 * that runs and does not tell is a failure, reported in *status: without its profile the list would
 * be another one. */
static const json_t *known_list(struct client *c, const struct ini_file *f, struct rpc_reply *reply,
				int *status)
{
	struct err err;
	size_t i;
	const json_t *l;
	if (!client_connect(c, &err) || !client_ask(c, "lists", NULL, reply, status)) {
		return NULL;
	}
	json_array_foreach(json_object_get(reply->result, "lists"), i, l)
	{
		bool named = f->project_line && json_is_true(json_object_get(l, "named")) &&
			     strcmp(member_text(l, "project", ""), f->project) == 0;
		if (named || strcmp(member_text(l, "file", ""), f->file) == 0) {
			return l;
		}
	}
	return NULL;
}

static int load_with(struct client *c, const char *path, const char *profile, struct deploy *out)
{
	out->read_ms = clock_real_ms();
	int status = appfile_load(c, path, profile, &out->f);
	out->profile = profile && *profile ? xstrdup(profile) : NULL;
	return status;
}

int deploy_load(struct client *c, const char *path, struct deploy *out)
{
	struct rpc_reply reply = {.id = -1};
	*out = (struct deploy){0};
	if (args_has(&c->args, "env")) {
		return load_with(c, path, args_value(&c->args, "env", NULL), out);
	}
	int status = load_with(c, path, NULL, out);
	/* Standard input cannot be read again. */
	bool ask = status == 0 && out->f.nprofiles && strcmp(path, "-") != 0;
	const json_t *known = !ask ? NULL : known_list(c, &out->f, &reply, &status);
	const char *profile = known ? member_text(known, "profile", "") : "";
	if (profile[0]) {
		deploy_finish(out);
		client_note(c, "with the profile %s, as before (--env= for none)", profile);
		status = load_with(c, path, profile, out);
	}
	rpc_reply_finish(&reply);
	return status;
}

void deploy_finish(struct deploy *d)
{
	ini_file_finish(&d->f);
	free(d->profile);
	*d = (struct deploy){0};
}

/* --- sending --- */

static json_t *files_of(const struct ini_file *f)
{
	json_t *files = json_array();
	const char *last = "";
	for (size_t i = 0; i < f->napps; i++) {
		const char *file = f->apps[i]->list ? f->apps[i]->file : "";
		if (file[0] && strcmp(file, last) != 0) { /* those of one file stand together */
			json_array_append_new(files, json_string(file));
			last = file;
		}
	}
	return files;
}

json_t *deploy_list(const struct deploy *d)
{
	json_t *o = json_object();
	client_set(o, "file", json_string(d->f.file));
	client_set(o, "project", json_string(d->f.project));
	client_set(o, "named", json_boolean(d->f.project_line > 0));
	client_set(o, "profile", d->profile ? json_string(d->profile) : json_null());
	client_set(o, "read_ms", json_integer(d->read_ms));
	client_set(o, "files", files_of(&d->f));
	client_set(o, "metrics", d->f.metrics ? json_string(d->f.metrics) : json_null());
	return o;
}

struct sending {
	struct client *c;
	json_t *last;
	size_t staged;
};

/* All but the last ones go ahead. */
static bool send_batch(void *ctx, json_t *batch, bool last, struct err *err)
{
	struct sending *s = ctx;
	struct rpc_reply reply = {.id = -1};
	struct conn_wait w = {0};
	if (last) {
		s->last = batch;
		return true;
	}
	json_t *params = json_object();
	s->staged += json_array_size(batch);
	client_set(params, "apps", batch);
	bool ok = conn_call(&s->c->conn, "stage", params, &w, &reply, err);
	rpc_reply_finish(&reply);
	return ok;
}

json_t *deploy_params(const struct deploy *d, json_t *defs, size_t staged)
{
	json_t *params = json_object();
	client_set(params, "apps", defs);
	client_set(params, "list", deploy_list(d));
	if (staged) {
		client_set(params, "staged", json_integer((json_int_t)staged));
	}
	return params;
}

json_t *deploy_send(struct client *c, const struct deploy *d, struct err *err)
{
	struct sending s = {.c = c};
	if (!client_connect(c, err) || !defbatch_each(d->f.apps, d->f.napps, send_batch, &s, err)) {
		return NULL;
	}
	return deploy_params(d, s.last, s.staged);
}
