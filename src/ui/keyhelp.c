/* SPDX-License-Identifier: MIT */
#include "ui/keyhelp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "ui/grid.h"
#include "ui/input.h"

#define LABEL 9	 /* columns of the groups' names */
#define GAP   4	 /* between two items */
#define KEYS  13 /* columns of the keys, where each has a line */

static const char *shown(const char *name, bool utf8)
{
	static const char *const arrows[][2] = {
		{"Down", "↓"}, {"Up", "↑"}, {"Left", "←"}, {"Right", "→"}};
	for (size_t i = 0; utf8 && i < ARRAY_LEN(arrows); i++) {
		if (strcmp(arrows[i][0], name) == 0) {
			return arrows[i][1];
		}
	}
	return name;
}

/* "0 1 2 3" is a range. */
static size_t digits_in_row(const char *keys, size_t from)
{
	uint32_t first = keymap_key(keys, from, NULL);
	size_t n = 0;
	while (first >= '0' && first <= '9' && keymap_key(keys, from + n, NULL) == first + n) {
		n++;
	}
	return n;
}

static void add_keys(const char *keys, bool utf8, struct buf *out)
{
	char name[16];
	for (size_t i = 0; keymap_key(keys, i, name) != UK_NONE; i++) {
		size_t row = digits_in_row(keys, i);
		buf_addf(out, "%s%s", out->len && out->data[out->len - 1] != ' ' ? " " : "",
			 shown(name, utf8));
		if (row > 2) {
			i += row - 1;
			keymap_key(keys, i, name);
			buf_addf(out, "-%s", name);
		}
	}
}

void keyhelp_keys(const struct keybind *b, bool utf8, struct buf *out)
{
	struct buf keys = {0};
	add_keys(b->keys, utf8, &keys);
	add_keys(b->also, utf8, &keys);
	buf_adds(out, keys.data);
	buf_finish(&keys);
}

/* --- the box --- */

struct flow {
	struct buf *out;
	int width, used;
};

static void new_line(struct flow *f, const char *label)
{
	buf_addf(f->out, "%s%-*s", f->out->len ? "\n" : "", LABEL, label);
	f->used = LABEL;
}

/* An item that is wider than a line: word by word. */
static void add_words(struct flow *f, const char *text)
{
	while (*text) {
		char word[64];
		size_t len = strcspn(text, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		int gap = f->used > LABEL, w = grid_width(word);
		if (gap && f->used + gap + w > f->width) {
			new_line(f, "");
			gap = 0;
		}
		buf_addf(f->out, "%*s%s", gap, "", word);
		f->used += gap + w;
		text += len + (text[len] == ' ');
	}
}

static void add_item(struct flow *f, const char *text)
{
	int gap = f->used > LABEL ? GAP : 0, w = grid_width(text);
	if (LABEL + w > f->width) {
		add_words(f, text);
		return;
	}
	if (gap && f->used + gap + w > f->width) {
		new_line(f, "");
		gap = 0;
	}
	buf_addf(f->out, "%*s%s", gap, "", text);
	f->used += gap + w;
}

/* Rows that say nothing are told with the next one: "j ↓ k ↑ move". */
static void add_group(struct flow *f, enum key_group group, bool utf8)
{
	struct buf item = {0};
	new_line(f, keymap_group(group));
	for (size_t i = 0; i < keymap_count; i++) {
		const struct keybind *b = &keymap[i];
		if (b->group != group) {
			continue;
		}
		buf_adds(&item, item.len ? " " : "");
		keyhelp_keys(b, utf8, &item);
		if (b->brief[0]) {
			buf_addf(&item, " %s", b->brief);
			add_item(f, item.data);
			buf_reset(&item);
		}
	}
	buf_finish(&item);
}

static void add_line(const struct keybind *b, bool utf8, struct buf *out)
{
	struct buf keys = {0};
	keyhelp_keys(b, utf8, &keys);
	int w = grid_width(keys.data);
	buf_addf(out, "%s%*s%s", keys.data, w < KEYS ? KEYS - w : 1, "", b->doc);
	buf_finish(&keys);
}

static void find(bool utf8, const char *search, struct buf *out)
{
	for (size_t i = 0; i < keymap_count; i++) {
		struct buf line = {0};
		buf_addf(&line, "%-*s", LABEL, keymap_group(keymap[i].group));
		add_line(&keymap[i], utf8, &line);
		if (strcasestr(line.data, search) || strcasestr(keymap[i].brief, search)) {
			buf_addf(out, "%s\n", line.data);
		}
		buf_finish(&line);
	}
}

void keyhelp_box(int width, bool utf8, const char *search, struct buf *out)
{
	struct flow f = {.out = out, .width = width};
	if (search[0]) {
		find(utf8, search, out);
		return;
	}
	for (int group = 0; group < KEYS_GROUPS; group++) {
		add_group(&f, (enum key_group)group, utf8);
	}
	buf_addc(out, '\n');
}

/* --- columns --- */

/* The lines of all groups, each under its name. */
static void make_lines(bool utf8, struct buf *out)
{
	for (int group = 0; group < KEYS_GROUPS; group++) {
		buf_addf(out, "%s\n", keymap_group((enum key_group)group));
		for (size_t i = 0; i < keymap_count; i++) {
			if (keymap[i].group == (enum key_group)group) {
				buf_adds(out, "  ");
				add_line(&keymap[i], utf8, out);
				buf_addc(out, '\n');
			}
		}
	}
}

static const char *line_at(const char *text, int n, size_t *len)
{
	for (; n > 0 && *text; n--) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	*len = strcspn(text, "\n");
	return text;
}

/* One cell: what does not fit is left out. */
static void add_cell(struct buf *out, const char *text, size_t len, int width, bool last)
{
	int used = 0;
	while (len > 0) {
		int w;
		size_t n = grid_step(text, len, &w);
		if (used + w > width) {
			break;
		}
		buf_add(out, text, n);
		used += w;
		text += n;
		len -= n;
	}
	if (!last) {
		buf_addf(out, "%*s", width - used + 2, "");
	}
}

void keyhelp_columns(int columns, int width, bool utf8, struct buf *out)
{
	struct buf all = {0};
	make_lines(utf8, &all);
	int n = (int)keymap_count + KEYS_GROUPS, rows = (n + columns - 1) / columns;
	for (int y = 0; y < rows; y++) {
		for (int x = 0; x < columns; x++) {
			size_t len;
			const char *text = line_at(all.data, x * rows + y, &len);
			add_cell(out, text, len, width, x + 1 == columns);
		}
		buf_addc(out, '\n');
	}
	buf_finish(&all);
}

/* --- the foot --- */

static bool is_off(const struct keybind *b, bool away)
{
	return away && (b->flags & KEY_DAEMON || b->action == ACT_MENU);
}

/* The next row of the key line behind this rank; `quit` comes last. */
static const struct keybind *next_by_rank(enum ui_pane pane, bool away, int *rank)
{
	const struct keybind *best = NULL;
	for (size_t i = 0; i < keymap_count; i++) {
		const struct keybind *b = &keymap[i];
		if (b->foot && b->panes & 1u << pane && b->rank > *rank && b->rank < 100 &&
		    !is_off(b, away) && (!best || b->rank < best->rank)) {
			best = b;
		}
	}
	*rank = best ? best->rank : *rank;
	return best;
}

void keyhelp_foot(enum ui_pane pane, bool away, int width, struct buf *out)
{
	const struct keybind *b, *quit = keymap_row(ACT_QUIT);
	char name[16], item[64];
	int rank = 0, used = 0;
	size_t room = (size_t)(width < 0 ? 0 : width);
	while ((b = next_by_rank(pane, away, &rank)) != NULL) {
		keymap_key(b->keys, 0, name);
		snprintf(item, sizeof(item), "%s%s %s", used ? "  " : "", name, b->foot);
		if ((size_t)used + strlen(item) + 3 > room) {
			break;
		}
		used += (int)strlen(item);
		buf_adds(out, item);
	}
	keymap_key(quit->keys, 0, name);
	snprintf(item, sizeof(item), "%s%s %s", used ? "  " : "", name, quit->foot);
	/* it may lose its word, but not its place */
	buf_add(out, item,
		(size_t)used + strlen(item) <= room ? strlen(item)
						    : strlen(item) - strlen(quit->foot) - 1);
}

static void add_wide(const struct keybind *b, const char *key, const char *gap, struct buf *out)
{
	char word[24];
	snprintf(word, sizeof(word), "%s", b->foot);
	word[0] = (char)toupper((unsigned char)word[0]);
	buf_addf(out, "%s%s %s", gap, key, word);
}

void keyhelp_wide(bool away, bool utf8, struct buf *out)
{
	const char *rule = utf8 ? " │ " : " | ";
	char name[16];
	for (uint32_t f = 1; f <= 12; f++) {
		const struct keybind *b = keymap_find(UK_FN + f, PANE_LIST);
		if (b && b->flags & KEY_WIDE && b->group != KEYS_DO && b->group != KEYS_ASKS &&
		    b->action != ACT_QUIT_NOW) {
			keymap_key(b->also, 0, name);
			add_wide(b, name, out->len ? " " : "", out);
		}
	}
	const char *gap = rule;
	static const enum action letters[] = {ACT_MENU, ACT_RELOAD, ACT_START, ACT_STOP,
					      ACT_RESTART};
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		const struct keybind *b = keymap_row(letters[i]);
		if (!is_off(b, away)) {
			keymap_key(b->keys, 0, name);
			add_wide(b, name, gap, out);
			gap = "  ";
		}
	}
	keymap_key(keymap_row(ACT_QUIT_NOW)->also, 0, name);
	add_wide(keymap_row(ACT_QUIT_NOW), name, rule, out);
}
