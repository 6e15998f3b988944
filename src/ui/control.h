/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_CONTROL_H
#define PMCTL_UI_CONTROL_H
/*
 * control - what a key does, and the mouse. Pure: it changes the ui, and asks for effects.
 *
 * control.c finds the row of the key table and calls the handler of its action; control_*.c hold
 * the handlers, by topic.
 */
#include "ui/input.h"
#include "ui/keymap.h"
#include "ui/ui.h"

void control_input(struct ui *u, const struct ui_input *in);
/* Do what a key of this action would do in the pane that has the focus. */
void control_action(struct ui *u, enum action action, uint32_t key);
/* Whether it has a handler. */
bool control_handles(enum action action);
/* Show what a command has printed; the box does not take the place of another one. */
void control_show_output(struct ui *u);

#endif
