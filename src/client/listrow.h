/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LISTROW_H
#define PMCTL_CLIENT_LISTROW_H
/* listrow - what stands in the cells of a row of `list` and `show`. Pure. */
#include <jansson.h>
#include <stdbool.h>

#include "client/listview.h"
#include "client/table.h"

/* The columns of both tables. */
enum {
	C_MARK,
	C_APP,
	C_NS,
	C_INST,
	C_STATE,
	C_JOINED, /* INST and STATE in one, where it is narrow */
	C_ID,
	C_MODE,
	C_PID,
	C_UP,
	C_RST,
	C_CPU,
	C_MEM,
	C_LIMIT,
	C_SPARK,
	C_FD,
	C_READY,
	C_USER,
	C_EXIT,
	C_NOTE,
	C_COUNT
};

/* A text member; `absent` if it is missing or empty. */
const char *listrow_text(const json_t *o, const char *key, const char *absent);

/* Begin a row and fill it. */
void listrow_app(struct table *t, const struct listview *v, const json_t *app);
void listrow_proc(struct table *t, const struct listview *v, const json_t *app, const json_t *proc,
		  bool last);

#endif
