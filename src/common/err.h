/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_ERR_H
#define PMCTL_COMMON_ERR_H
/*
 * err - what went wrong, in words a person can act on.
 *
 * A function that can fail in a way somebody must hear about returns bool (or a pointer) and takes
 * `struct err *` last. The sentence grows on its way up: err_sys() at the bottom names the thing,
 * err_wrap() puts the context in front. Lower layers never log; whoever decides what happens next
 * reports once. Code, JSON name and exit status all come from the one table in err.c.
 */
#include <stdbool.h>
#include <stddef.h>

enum err_code {
	ERR_NONE,
	ERR_FAILED,	 /* failed for at least one target, or an internal failure */
	ERR_USAGE,	 /* the command line or a request is malformed */
	ERR_NOT_RUNNING, /* status, is-active, wait: something selected is not running */
	ERR_NO_TARGET,	 /* a selector matches nothing */
	ERR_NO_DAEMON,	 /* pmctld is not running or does not answer */
	ERR_PERMISSION,	 /* not permitted */
	ERR_CONFIG,	 /* the INI file is not valid */
	ERR_DEADLINE,	 /* deadline passed, the operation goes on */
	ERR_PARTIAL,	 /* a reload or apply stopped half way */
	ERR_PENDING,	 /* plan --exit-code: changes are pending */
	ERR_LIMIT,	 /* a limit of ours was reached */
	ERR_BUSY,	 /* something else is under way; try again */
	ERR_SYSTEM,	 /* a system call failed */
	ERR_COUNT
};

struct err {
	enum err_code code;
	char msg[1024];
};

/* Facts about a code: its name in JSON, its exit status, its JSON-RPC error number. */
struct err_info {
	const char *name;
	int exit_status;
	int rpc_code;
	const char
		*meaning; /* the line of `pmctl help exit-codes`; NULL where it has no own status */
};

/* Never NULL. */
const struct err_info *err_info(enum err_code code);

/* The code with this JSON name; ERR_FAILED when unknown. */
enum err_code err_by_name(const char *name);

/* Set *e and return false, so that a failure is one line: return err_set(err, ...). e may be NULL.
 */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set with ERR_SYSTEM (ERR_PERMISSION for EACCES, EPERM); ": strerror(errno)" is appended.
 */
bool err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "context: " in front of the message; keeps the code. Returns false. */
bool err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Many errors in one go. Owns its messages. Zeroed = empty. */
struct err_list {
	char **msg;
	size_t count;
	size_t dropped; /* errors beyond ERR_LIST_MAX were counted, not kept */
};

#define ERR_LIST_MAX 1000

void err_list_add(struct err_list *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_list_finish(struct err_list *l);

#endif
