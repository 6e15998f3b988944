/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_UTF8_H
#define PMCTL_COMMON_UTF8_H
/* utf8 - strict decoding (RFC 3629), and what may reach a terminal. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s (1 to 4) and its code point; 0 if it is not valid UTF-8. */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);

/* Whether printing this code point cannot move a cursor, change a title or reorder text. */
bool utf8_is_safe(uint32_t cp);

/* Columns a string takes on a terminal once escaped; never negative. For text already made safe. */
size_t utf8_width(const char *s);

#endif
