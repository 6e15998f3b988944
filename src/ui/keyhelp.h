/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_KEYHELP_H
#define PMCTL_UI_KEYHELP_H
/* keyhelp - what is said about the keys, made from their table (ui/keymap.h). Pure. */
#include <stdbool.h>

#include "common/buf.h"
#include "ui/keymap.h"

/* The keys of a row as people read them: "j ↓", "0-6 F3". */
void keyhelp_keys(const struct keybind *b, bool utf8, struct buf *out);
/* All keys for a box of this width, a line each ended by \n; `search` != "": only those that have
 * it, one a line, with what they do. */
void keyhelp_box(int width, bool utf8, const char *search, struct buf *out);
/* Each key with what it does, in `columns` columns of this width, lines ended by \n. */
void keyhelp_columns(int columns, int width, bool utf8, struct buf *out);
/* The key line at the foot, as much of it as fits. */
void keyhelp_foot(enum ui_pane pane, bool away, int width, struct buf *out);
/* The same for wide screens, with the function keys. */
void keyhelp_wide(bool away, bool utf8, struct buf *out);

#endif
