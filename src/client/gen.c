/* SPDX-License-Identifier: MIT */
/* __gen: the files of the tree that are made from tables; a test compares them. */
#include <string.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/complete.h"
#include "client/manpage.h"

int cmd_gen(struct client *c)
{
	const char *what = c->args.operand[0];
	if (strcmp(what, "man") == 0) {
		manpage_commands(&c->out);
	} else if (strcmp(what, "man-ini") == 0) {
		manpage_keys(&c->out);
	} else if (strcmp(what, "completion-bash") == 0) {
		complete_bash(&c->out);
	} else {
		return client_usage(c, "__gen: one of man, man-ini, completion-bash");
	}
	return client_flush(c) ? 0 : 1;
}
