/* SPDX-License-Identifier: MIT */
/* stop, restart, reload, delete, scale: one request each, the result is printed by result.c. */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/foreign.h"
#include "client/result.h"
#include "common/mem.h"

/* What somebody who knows PM2 should know of an option or operand. */
static int change(struct client *c, const char *method)
{
	if (args_has(&c->args, "update-env")) {
		client_note(c, "note: --update-env has no effect: an app never has the caller's "
			       "environment; env_file is read again at each start, and what "
			       "changed in the file comes with pmctl apply");
	}
	int status = result_of(c, method, method, client_selectors(c, 0));
	if (status == err_info(ERR_NO_TARGET)->exit_status) {
		foreign_note(c);
	}
	return status;
}

int cmd_stop(struct client *c)
{
	return change(c, "stop");
}

int cmd_restart(struct client *c)
{
	return change(c, "restart");
}

int cmd_reload(struct client *c)
{
	return change(c, "reload");
}

int cmd_delete(struct client *c)
{
	return change(c, "delete");
}

static bool is_count(const char *s)
{
	s += *s == '+' || *s == '-';
	return *s && !s[strspn(s, "0123456789")] && strlen(s) < 8;
}

static int scale_one(struct client *c, const char *app, const char *count)
{
	json_t *params = json_pack("{s:s,s:s}", "app", app, "count", count);
	if (!params) {
		return client_usage(c, "scale: the name is not UTF-8");
	}
	return result_of(c, "scale", "scale", params);
}

/* APP=N APP=N ...: all are checked before the first is done. */
static int scale_pairs(struct client *c)
{
	int status = 0;
	for (size_t i = 0; i < c->args.n; i++) {
		const char *eq = strchr(c->args.operand[i], '=');
		if (!eq || eq == c->args.operand[i] || !is_count(eq + 1)) {
			return client_usage(c,
					    "scale: \"%.60s\" is not APP=N; usage: pmctl scale %s",
					    c->args.operand[i], c->cmd->args);
		}
	}
	for (size_t i = 0; i < c->args.n; i++) {
		const char *eq = strchr(c->args.operand[i], '=');
		char *app = xstrndup(c->args.operand[i], (size_t)(eq - c->args.operand[i]));
		int one = scale_one(c, app, eq + 1);
		status = status ? status : one;
		free(app);
	}
	return status;
}

int cmd_scale(struct client *c)
{
	if (strchr(c->args.operand[0], '=')) {
		return scale_pairs(c);
	}
	if (c->args.n != 2 || !is_count(c->args.operand[1])) {
		return client_usage(
			c,
			"scale needs an app and a number such as 4, +2 or -1; nothing was "
			"done; usage: pmctl scale %s",
			c->cmd->args);
	}
	return scale_one(c, c->args.operand[0], c->args.operand[1]);
}
