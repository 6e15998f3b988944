/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_JSONQUOTE_H
#define PMCTL_TESTS_JSONQUOTE_H
/* jsonquote - JSON as one can read it in C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* JSON with ' for ". */
static inline json_t *json(const char *text)
{
	json_error_t why;
	char *quoted = xstrdup(text);
	for (char *s = quoted; (s = strchr(s, '\'')); s++) {
		*s = '"';
	}
	json_t *v = json_loads(quoted, JSON_DECODE_ANY, &why);
	if (!v) {
		fail_msg("%s: %s", why.text, text);
	}
	free(quoted);
	return v;
}

#endif
