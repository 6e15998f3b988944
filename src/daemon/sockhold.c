/* SPDX-License-Identifier: MIT */
/* sockhold - which of the sockets that were taken over stay open. */
#include <string.h>

#include "daemon/sockets.h"

void sockets_drop_unused(struct sockets *s)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		if (l->refs == 0) {
			l->refs = 1;
			sockets_unref(s, l);
		}
	}
}

void sockets_hold(struct sockets *s, const char *app)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		if (!l->held && strcmp(l->app, app) == 0) {
			l->held = true;
			l->refs++;
		}
	}
}

void sockets_release(struct sockets *s, const char *app)
{
	struct lsock *l, *next;
	list_for_each(l, next, &s->all, node)
	{
		if (l->held && strcmp(l->app, app) == 0) {
			l->held = false;
			sockets_unref(s, l);
		}
	}
}
