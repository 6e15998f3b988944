/* SPDX-License-Identifier: MIT */
/* An object walked over without building it: jansson must agree where it can read the text. */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "proto/jscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts both readers must judge alike: UTF-8 without escapes, exponents, long numbers and NUL, and
 * not nested as deep as either gives up. */
static bool is_common(const char *s, size_t len)
{
	size_t digits = 0, brackets = 0;
	uint32_t cp;
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(s + i, len - i, &cp);
		digits = cp >= '0' && cp <= '9' ? digits + 1 : 0;
		brackets += cp == '[' || cp == '{';
		if (n == 0 || cp == 0 || strchr("\\eE", (int)(cp < 0x80 ? cp : ' ')) ||
		    digits > 17 || brackets > JSCAN_DEPTH) {
			return false;
		}
	}
	return true;
}

static void check_value(struct span v, const char *text, size_t len)
{
	struct buf s = {0};
	int64_t n;
	if (v.len == 0 || v.p < text || v.p + v.len > text + len) {
		abort();
	}
	bool is_text = span_text(v, &s);
	if (is_text != (v.p[0] == '"') || (is_text && s.len > v.len) ||
	    (is_text && span_int(v, &n))) {
		abort();
	}
	buf_finish(&s);
}

/* Whether it is an object; its members, written one behind the other, go to *again. */
static bool walk(const char *text, size_t len, struct buf *again)
{
	struct jscan s;
	struct span key, value;
	int r = -1;
	bool first = true;
	if (!jscan_begin(&s, text, len)) {
		return false;
	}
	buf_addc(again, '{');
	while ((r = jscan_next(&s, &key, &value)) > 0) {
		check_value(value, text, len);
		check_value((struct span){key.p - 1, key.len + 2}, text, len);
		buf_adds(again, first ? "" : ",");
		buf_add(again, key.p - 1, key.len + 2);
		buf_addc(again, ':');
		buf_add(again, value.p, value.len);
		first = false;
	}
	buf_addc(again, '}');
	return r == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf once = {0}, twice = {0};
	bool ok = walk(text, size, &once);
	if (ok && (!walk(once.data, once.len, &twice) || twice.len != once.len ||
		   memcmp(once.data, twice.data, once.len) != 0)) {
		abort();
	}
	if (is_common(text, size)) {
		json_t *v = json_loadb(text, size, 0, NULL);
		if (ok != json_is_object(v)) {
			abort();
		}
		json_decref(v);
	}
	buf_finish(&once);
	buf_finish(&twice);
	return 0;
}
