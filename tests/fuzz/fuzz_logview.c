/* SPDX-License-Identifier: MIT */
/* A line an app wrote, as it is shown: nothing of it controls a terminal but colours, and as JSON
 * it is one line that reads. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/color.h"
#include "client/listview.h"
#include "client/logview.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of a colour sequence at s; 0 if there is none. */
static size_t colour(const char *s)
{
	size_t n = strncmp(s, "\033[", 2) == 0 ? 2 + strspn(s + 2, "0123456789;:") : 0;
	return n && s[n] == 'm' ? n + 1 : 0;
}

static void check_shown(const struct buf *out)
{
	uint32_t cp;
	if (memchr(out->data, '\n', out->len) != out->data + out->len - 1) {
		abort();
	}
	for (size_t i = 0, n; i + 1 < out->len; i += n) {
		n = colour(out->data + i);
		if (n == 0) {
			n = utf8_decode(out->data + i, out->len - i, &cp);
			if (n == 0 || !utf8_is_safe(cp)) {
				abort();
			}
		}
	}
}

static void check_json(const struct buf *out)
{
	json_t *v = json_loadb(out->data, out->len, JSON_ALLOW_NUL, NULL);
	if (!v || memchr(out->data, '\n', out->len) != out->data + out->len - 1) {
		abort();
	}
	json_decref(v);
}

/* A line has no newline within. */
static void show(const char *data, size_t len, bool color)
{
	char app[] = "web";
	struct logsrc src = {.app = app, .slot = 1, .stream = color ? LOG_ERR : LOG_OUT};
	struct logline line = {.data = data, .len = len, .t_ns = INT64_C(1763820000250000000)};
	struct logview v = {.form = LOGVIEW_NAMED, .color = color, .pad = 6};
	struct buf out = {0};
	logview_line(&v, &src, 0, &line, &out);
	check_shown(&out);
	buf_reset(&out);
	v.form = LOGVIEW_JSON;
	logview_line(&v, &src, 0, &line, &out);
	check_json(&out);
	buf_finish(&out);
}

/* An event: its text may repeat what an app said. */
static void event(const char *data, size_t len)
{
	struct logview v = {.utf8 = true, .pad = 6};
	struct buf out = {0};
	json_t *e = json_loadb(data, len, 0, NULL);
	if (json_is_object(e)) {
		logview_event(&v, e, &out);
		check_shown(&out);
		free(listview_exit_text(e));
	}
	json_decref(e);
	buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	const char *nl = memchr(text, '\n', size);
	size_t len = nl ? (size_t)(nl - text) : size;
	show(text, len, false);
	show(text, len, true);
	event(text, size);
	return 0;
}
