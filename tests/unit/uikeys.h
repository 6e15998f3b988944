/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_UIKEYS_H
#define PMCTL_TESTS_UIKEYS_H
/* uikeys - types into the dashboard: "jj<Enter>y" is j, j, Enter, y. Names as in ui/keymap.c. */
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "ui/control.h"

static inline void uikeys_key(struct ui *u, uint32_t key)
{
	struct ui_input in = {.key = key};
	control_input(u, &in);
}

static inline void uikeys(struct ui *u, const char *keys)
{
	while (*keys) {
		const char *end = keys[0] == '<' && keys[1] != '<' ? strchr(keys, '>') : NULL;
		char name[16];
		if (end && end > keys + 1) {
			snprintf(name, sizeof(name), "%.*s", (int)(end - keys - 1), keys + 1);
			bool back = strcmp(name, "Back") == 0;
			uikeys_key(u, back ? UK_BACK : keymap_key(name, 0, NULL));
			keys = end + 1;
		} else {
			uint32_t cp = 0;
			keys += utf8_decode(keys, strlen(keys), &cp);
			uikeys_key(u, cp);
		}
	}
}

static inline void uikeys_mouse(struct ui *u, uint32_t key, int y, int x)
{
	struct ui_input in = {.key = key, .y = y, .x = x};
	control_input(u, &in);
}

/* The next effect of this kind, those before it are lost; NULL = there is none. Borrowed until the
 * next call. */
static inline const char *uikeys_effect(struct ui *u, enum effect_kind kind)
{
	static struct effect e;
	while (effects_take(&u->effects, &e)) {
		if (e.kind == kind) {
			return e.text;
		}
	}
	return NULL;
}

#endif
