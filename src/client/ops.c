/* SPDX-License-Identifier: MIT */
/* stop, restart, reload, delete, scale: one request each, the result is printed by result.c. */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/result.h"
#include "common/mem.h"

int cmd_stop(struct client *c)
{
	return result_of(c, "stop", "stop", client_selectors(c, 0));
}

int cmd_restart(struct client *c)
{
	return result_of(c, "restart", "restart", client_selectors(c, 0));
}

int cmd_reload(struct client *c)
{
	return result_of(c, "reload", "reload", client_selectors(c, 0));
}

int cmd_delete(struct client *c)
{
	return result_of(c, "delete", "delete", client_selectors(c, 0));
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
