/* SPDX-License-Identifier: MIT */
/* __gen: the files of the tree that are made from tables; a test compares them. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/complete/complete.h"
#include "client/manpage.h"
#include "client/startup/unit.h"

/* As a package ships it; conf/meson.build knows where the programs are. */
static void add_unit(struct buf *out, bool user)
{
	struct unit u = {.user = user, .pmctld = "@BINDIR@/pmctld", .pmctl = "@BINDIR@/pmctl"};
	unit_add(out, &u);
}

int cmd_gen(struct client *c)
{
	const char *what = c->args.operand[0];
	if (strcmp(what, "man") == 0) {
		manpage_commands(&c->out);
	} else if (strcmp(what, "man-ini") == 0) {
		manpage_keys(&c->out);
	} else if (strcmp(what, "completion-bash") == 0) {
		complete_bash(&c->out);
	} else if (strcmp(what, "completion-zsh") == 0) {
		complete_zsh(&c->out);
	} else if (strcmp(what, "completion-fish") == 0) {
		complete_fish(&c->out);
	} else if (strcmp(what, "unit") == 0 || strcmp(what, "unit-user") == 0) {
		add_unit(&c->out, strcmp(what, "unit-user") == 0);
	} else {
		return client_usage(c, "__gen: one of %s", c->cmd->args);
	}
	return client_flush(c) ? 0 : 1;
}
