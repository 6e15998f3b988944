/* SPDX-License-Identifier: MIT */
/* logs, flush, rotate: what was written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/launch.h"
#include "daemon/methods.h"
#include "daemon/outputtail.h"
#include "daemon/runner.h"

static const char *const formats[] = {[LOG_RAW] = "raw", [LOG_TIME] = "time", [LOG_JSON] = "json"};

static void write_file(struct jw *w, const struct inst *in, const char *stream, const char *path)
{
	jw_obj(w);
	jw_kstr(w, "app", in->app->conf.name);
	jw_kint(w, "slot", in->slot);
	jw_kint(w, "id", (int64_t)in->id);
	jw_kint(w, "pid", in->pid);
	jw_kstr(w, "stream", stream);
	jw_kstr(w, "path", path);
	jw_kint(w, "keep", in->app->conf.log_keep);
	jw_kstr(w, "format", formats[in->app->conf.log_format]);
	jw_end(w);
}

static void write_files(void *ctx, struct inst *in)
{
	char *out = launch_log_path(in, false);
	char *err = launch_log_path(in, true);
	if (out && err && strcmp(out, err) == 0) {
		write_file(ctx, in, "both", out);
	} else {
		if (out) {
			write_file(ctx, in, "out", out);
		}
		if (err) {
			write_file(ctx, in, "err", err);
		}
	}
	free(out);
	free(err);
}

bool method_logs(struct call *call)
{
	jw_obj(call->w);
	jw_kint(call->w, "v", 1);
	jw_kstr(call->w, "log_dir", call->daemon->paths.log);
	jw_key(call->w, "files");
	jw_arr(call->w);
	if (!call_select(call, write_files, call->w)) {
		return false;
	}
	jw_end(call->w);
	jw_end(call->w);
	return true;
}

struct file_work {
	struct daemon *daemon;
	const struct asker *by;
	const struct app *told; /* of this one an event was made */
	bool rotate;
	int n;
	struct err err; /* the first one; the other files are done all the same */
};

/* Nobody writes to it now. */
static void work_on_closed(const struct file_work *f, const struct inst *in, bool is_err,
			   const char *path, struct err *err)
{
	const struct app_conf *c = &in->app->conf;
	struct sink_conf conf = {.path = path,
				 .user = &in->app->user,
				 .chosen = is_err ? c->log_err : c->log_out,
				 .format = c->log_format,
				 .max_size = c->log_max_size,
				 .keep = c->log_keep,
				 .compress = c->log_compress};
	struct list alone;
	list_init(&alone);
	struct sink *s = sink_get(&alone, &conf);
	if (f->rotate) {
		sink_rotate(s, true, err);
	} else {
		logfile_flush(&s->file);
	}
	sink_unref(s);
}

static void work_on(struct file_work *f, const struct inst *in, bool is_err, char *path)
{
	struct outputs *o = &f->daemon->outputs;
	struct err err = {0};
	if (!path) {
		return;
	}
	if (!(f->rotate ? outputs_rotate(o, path, &err) : outputs_flush(o, path))) {
		work_on_closed(f, in, is_err, path, &err);
	}
	if (err.code != ERR_NONE && f->err.code == ERR_NONE) {
		f->err = err;
	}
	f->n++;
	free(path);
}

static void drain(struct inst *in)
{
	if (in->out) {
		output_drain(in->out);
	}
	if (in->err) {
		output_drain(in->err);
	}
}

static void work_one(void *ctx, struct inst *in)
{
	struct file_work *f = ctx;
	if (f->told != in->app) {
		f->told = in->app;
		events_add(&f->daemon->events, in->app->conf.name, -1, "logs", f->by, "%s",
			   f->rotate ? "rotated" : "emptied");
	}
	drain(in);
	char *out = launch_log_path(in, false);
	char *err = launch_log_path(in, true);
	if (out && err && strcmp(out, err) == 0) {
		free(err);
		err = NULL;
	}
	work_on(ctx, in, false, out);
	work_on(ctx, in, true, err);
}

static bool work_all(struct call *call, bool rotate)
{
	struct file_work f = {.daemon = call->daemon, .by = &call->conn->peer, .rotate = rotate};
	if (!call_select(call, work_one, &f)) {
		return false;
	}
	if (f.err.code != ERR_NONE) {
		call->err = f.err;
		return false;
	}
	jw_obj(call->w);
	jw_kint(call->w, "files", f.n);
	jw_end(call->w);
	return true;
}

bool method_flush(struct call *call)
{
	return work_all(call, false);
}

bool method_rotate(struct call *call)
{
	return work_all(call, true);
}
