/* SPDX-License-Identifier: MIT */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static const struct err_info infos[ERR_COUNT] = {
	[ERR_NONE] = {"ok", 0, 0, "done, or already so"},
	[ERR_FAILED] = {"failed", 1, -32001, "failed for at least one target"},
	[ERR_USAGE] = {"usage", 2, -32602, "misuse"},
	[ERR_NOT_RUNNING] = {"not_running", 3, -32003,
			     "status, is-active, wait: something selected is not running"},
	[ERR_NO_TARGET] = {"no_such_target", 4, -32004, "no such app, instance, namespace or id"},
	[ERR_NO_DAEMON] = {"no_daemon", 5, -32005, "daemon not running or not answering"},
	[ERR_PERMISSION] = {"not_permitted", 6, -32006, "not permitted"},
	[ERR_CONFIG] = {"invalid_config", 7, -32007, "the INI file is not valid"},
	[ERR_DEADLINE] = {"deadline", 8, -32008, "deadline passed (the operation goes on)"},
	[ERR_PARTIAL] = {"incomplete", 9, -32009,
			 "a reload or apply stopped half way; the previous version still serves"},
	[ERR_PENDING] = {"changes_pending", 10, -32010, "plan --exit-code: changes are pending"},
	[ERR_LIMIT] = {"limit", 1, -32011, NULL},
	[ERR_BUSY] = {"busy", 1, -32013, NULL},
	[ERR_SYSTEM] = {"system", 1, -32012, NULL},
};

const struct err_info *err_info(enum err_code code)
{
	return &infos[code < ERR_COUNT ? code : ERR_FAILED];
}

enum err_code err_by_name(const char *name)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		if (strcmp(infos[i].name, name) == 0) {
			return (enum err_code)i;
		}
	}
	return ERR_FAILED;
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		e->code = code;
		vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
	}
	return false;
}

bool err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		e->code = saved == EACCES || saved == EPERM ? ERR_PERMISSION : ERR_SYSTEM;
		int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
		if (n >= 0 && (size_t)n < sizeof(e->msg)) {
			snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", strerror(saved));
		}
	}
	errno = saved;
	return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
	if (e) {
		char inner[sizeof(e->msg)];
		memcpy(inner, e->msg, sizeof(inner));
		va_list ap;
		va_start(ap, fmt);
		int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
		if (n >= 0 && (size_t)n < sizeof(e->msg)) {
			snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %.900s", inner);
		}
	}
	return false;
}

void err_list_add(struct err_list *l, const char *fmt, ...)
{
	if (l->count >= ERR_LIST_MAX) {
		l->dropped++;
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	char *msg = xvasprintf(fmt, ap);
	va_end(ap);
	l->msg = xreallocarray(l->msg, l->count + 1, sizeof(*l->msg));
	l->msg[l->count++] = msg;
}

void err_list_finish(struct err_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->msg[i]);
	}
	free(l->msg);
	*l = (struct err_list){0};
}
