/* SPDX-License-Identifier: MIT */
#include "common/utf8.h"

#include <string.h>
#include <wchar.h>

size_t utf8_decode(const char *s, size_t len, uint32_t *cp)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (len == 0) {
		return 0;
	}
	unsigned char c = (unsigned char)s[0];
	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	size_t n = c >= 0xf0 && c < 0xf5   ? 4
		   : c >= 0xe0 && c < 0xf0 ? 3
		   : c >= 0xc2 && c < 0xe0 ? 2
					   : 0;
	if (n == 0 || n > len) {
		return 0;
	}
	uint32_t v = c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		unsigned char d = (unsigned char)s[i];
		if ((d & 0xc0) != 0x80) {
			return 0;
		}
		v = v << 6 | (d & 0x3f);
	}
	if (v < smallest[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)) {
		return 0;
	}
	*cp = v;
	return n;
}

bool utf8_is_safe(uint32_t cp)
{
	if (cp == '\t') {
		return true;
	}
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
		return false;
	}
	return !(cp == 0x61c || cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
		 (cp >= 0x2066 && cp <= 0x2069) || cp == 0x2028 || cp == 0x2029);
}

size_t utf8_width(const char *s)
{
	size_t len = strlen(s);
	size_t width = 0;
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(s + i, len - i, &cp);
		int w = n ? wcwidth((wchar_t)cp) : 1;
		width += w > 0 ? (size_t)w : 0;
		i += n ? n : 1;
	}
	return width;
}
