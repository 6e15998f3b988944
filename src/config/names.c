/* SPDX-License-Identifier: MIT */
#include "config/names.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

#define DIGITS	"0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bool names_check_group(const char *name, struct err *err)
{
	if (!*name) {
		return err_set(err, ERR_CONFIG, "the name is empty");
	}
	if (strlen(name) > LIMIT_NAME) {
		return err_set(err, ERR_CONFIG, "the name is longer than %d characters",
			       LIMIT_NAME);
	}
	if (name[strspn(name, LETTERS DIGITS "_.-")]) {
		return err_set(err, ERR_CONFIG,
			       "the name may have only letters, digits, _ . and -");
	}
	if (name[0] == '.' || name[0] == '-') {
		return err_set(err, ERR_CONFIG, "the name must not start with %c", name[0]);
	}
	return true;
}

bool names_check_app(const char *name, struct err *err)
{
	if (!names_check_group(name, err)) {
		return false;
	}
	if (!name[strspn(name, DIGITS)]) {
		return err_set(err, ERR_CONFIG, "the name is all digits, which would mean an id");
	}
	if (strcmp(name, "all") == 0) {
		return err_set(err, ERR_CONFIG, "\"all\" means every app and cannot be a name");
	}
	return true;
}

bool names_check_env(const char *name, struct err *err)
{
	if (!*name) {
		return err_set(err, ERR_CONFIG, "the variable has no name");
	}
	if (strchr(DIGITS, name[0]) || name[strspn(name, LETTERS DIGITS "_")]) {
		char shown[SHOWN_MAX];
		return err_set(err, ERR_CONFIG,
			       "\"%s\" is not a variable name; letters, digits and _ only",
			       names_shown(name, shown));
	}
	return true;
}

bool names_is_reserved_env(const char *name)
{
	static const char *const reserved[] = {
		"LISTEN_FDS",	   "LISTEN_PID",     "LISTEN_FDNAMES",
		"NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "NODE_CHANNEL_SERIALIZATION_MODE",
		"NOTIFY_SOCKET",
	};
	if (strncmp(name, "PMCTL_", 6) == 0) {
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (strcmp(name, reserved[i]) == 0) {
			return true;
		}
	}
	return false;
}

const char *names_shown(const char *text, char out[SHOWN_MAX])
{
	enum { SHOWN_BYTES = 80 };
	size_t len = strlen(text);
	size_t cut = len > SHOWN_BYTES ? SHOWN_BYTES : len;
	/* Not in the middle of a character. */
	while (len > cut && cut > SHOWN_BYTES - 4 && ((unsigned char)text[cut] & 0xc0) == 0x80) {
		cut--;
	}
	struct buf b = {0};
	buf_add_escaped(&b, text, cut, 0);
	snprintf(out, SHOWN_MAX, "%s%s", b.data ? b.data : "", cut < len ? "..." : "");
	buf_finish(&b);
	return out;
}
