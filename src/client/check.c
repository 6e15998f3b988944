/* SPDX-License-Identifier: MIT */
/* check: validate app lists; needs no daemon. */
#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/scripts.h"

static bool check_one(struct client *c, const char *path, struct err_list *errs, struct err *first)
{
	struct ini_file f;
	struct err err;
	if (appfile_read(path, args_value(&c->args, "env", NULL), &f, errs, &err)) {
		if (!c->json) {
			client_add_text(&c->out, path);
			buf_addf(&c->out, ": %zu app%s, no errors\n", f.napps,
				 f.napps == 1 ? "" : "s");
		}
		scripts_warn(c, f.apps, f.napps);
		ini_file_finish(&f);
		return true;
	}
	if (err.msg[0]) {
		err_list_add(errs, "%s", err.msg);
	}
	if (first->code == ERR_NONE) {
		*first = err;
	}
	return false;
}

int cmd_check(struct client *c)
{
	struct err_list errs = {0};
	struct err first = {0};
	const char *alone = c->config ? c->config : APPFILE_DEFAULT;
	bool ok = true;
	if (c->args.n == 0) {
		ok = check_one(c, alone, &errs, &first);
	}
	for (size_t i = 0; i < c->args.n; i++) {
		ok &= check_one(c, c->args.operand[i], &errs, &first);
	}
	int status = ok ? 0 : err_info(first.code)->exit_status;
	if (ok && c->json) {
		buf_adds(&c->out, "{\"v\":1,\"ok\":true}\n");
	}
	if (!client_flush(c)) {
		status = 1;
	}
	if (!ok) {
		appfile_report(c, &errs, "nothing applied");
	}
	err_list_finish(&errs);
	return status;
}
