/* SPDX-License-Identifier: MIT */
#include "client/monitsay.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/err.h"
#include "ui/control.h"
#include "ui/grid.h"

#define PLAN_ID	     "--if-plan " /* before the number of a plan in its text */
#define STATUS_TAKES 12		  /* columns of the status line: margins and the time */

/* Behind the time that a line of progress begins with: "14:02:50.203 ". */
static const char *behind_time(const char *line)
{
	static const char form[] = "dd:dd:dd.ddd ";
	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)line[i]) : line[i] != form[i]) {
			return line;
		}
	}
	return line + sizeof(form) - 1;
}

/* The last line that says something. */
static void last_line(const struct monitrun_child *ch, char *out, size_t cap)
{
	size_t end = ch->len, from;
	while (end > 0 && isspace((unsigned char)ch->out[end - 1])) {
		end--;
	}
	for (from = end; from > 0 && ch->out[from - 1] != '\n'; from--) {
	}
	char line[1024];
	snprintf(line, sizeof(line), "%.*s", (int)(end - from), ch->out + from);
	snprintf(out, cap, "%.*s", (int)cap - 1, behind_time(line));
}

/* The first line that is none of progress; and whether there are more behind it. */
static bool first_line(const struct monitrun_child *ch, char *out, size_t cap)
{
	const char *s = ch->out;
	for (; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		if (s[0] != '\n' && behind_time(s) == s) {
			break;
		}
	}
	size_t len = strcspn(s, "\n");
	const char *rest = s + len;
	s += strncmp(s, "pmctl: ", 7) == 0 ? 7 : 0;
	snprintf(out, cap, "%.*s", (int)(rest - s), s);
	return s[0] && rest[strspn(rest, "\n ")];
}

static int count_lines(const struct monitrun_child *ch)
{
	int n = 0;
	for (const char *s = ch->out; *s; s++) {
		n += *s != '\n' && (s[1] == '\n' || !s[1]);
	}
	return n;
}

static void keep_output(struct ui *u, const struct monitrun_child *ch)
{
	struct ui_output *o = &u->output;
	snprintf(o->title, sizeof(o->title), "%s", ch->title);
	snprintf(o->text, sizeof(o->text), "%s", ch->out);
	const char *id = ch->plan ? strstr(o->text, PLAN_ID) : NULL;
	o->is_plan = id != NULL;
	snprintf(o->plan, sizeof(o->plan), "%.*s",
		 id ? (int)strcspn(id + strlen(PLAN_ID), ")\n ") : 0,
		 id ? id + strlen(PLAN_ID) : "");
	o->fresh = true;
}

/* Add what stands behind a line, and cut the line so that it is seen. */
static void add_behind(const struct ui *u, char *line, size_t cap, const char *behind)
{
	const char *dots = u->utf8 ? "…" : "~";
	int room = u->width - STATUS_TAKES - (int)strlen(behind), used = 0;
	for (size_t at = 0; u->width > 0 && line[at];) {
		int w;
		size_t n = grid_step(line + at, strlen(line + at), &w);
		if (used + w >= room && line[at + n]) {
			snprintf(line + at, cap - at, "%s", dots);
			break;
		}
		used += w;
		at += n;
	}
	size_t len = strlen(line);
	snprintf(line + len, cap - len, "%s", behind);
}

static void tell_failure(struct ui *u, const struct monitrun_child *ch, int status)
{
	char line[240];
	const char *behind = first_line(ch, line, sizeof(line)) ? "  (Enter: all)" : "";
	keep_output(u, ch);
	u->output.is_plan = false;
	if (WIFSIGNALED(status)) {
		ui_say(u, UI_FAIL, true, "%s: ended by signal %d", ch->title, WTERMSIG(status));
	} else if (line[0]) {
		add_behind(u, line, sizeof(line), behind);
		ui_say(u, UI_FAIL, true, "%s", line);
	} else {
		ui_say(u, UI_FAIL, true, "%s: exit status %d", ch->title, WEXITSTATUS(status));
	}
}

static void tell_success(struct ui *u, const struct monitrun_child *ch)
{
	char line[240];
	bool boxed = u->overlay.kind != OVERLAY_NONE; /* that one stays */
	last_line(ch, line, sizeof(line));
	keep_output(u, ch);
	if (ch->shows && count_lines(ch) > 1) {
		ui_say(u, UI_PLAIN, boxed, "%s%s", ch->title,
		       boxed ? ": Enter shows what it printed" : "");
		if (!boxed) {
			control_show_output(u);
		}
	} else {
		u->output.fresh = false;
		ui_say(u, UI_PLAIN, false, "%s%s", line[0] ? line : ch->title,
		       line[0] ? "" : ": done");
	}
}

void monitsay_progress(struct ui *u, const struct monitrun_child *ch)
{
	char line[240];
	if (!ch->shows && !u->status.stays) {
		last_line(ch, line, sizeof(line));
		ui_say(u, UI_INFO, false, "%s", line);
	}
}

void monitsay_end(struct ui *u, const struct monitrun_child *ch, int status)
{
	bool pending = ch->plan && WIFEXITED(status) &&
		       WEXITSTATUS(status) == err_info(ERR_PENDING)->exit_status;
	if (status == 0 || pending) {
		tell_success(u, ch);
	} else {
		tell_failure(u, ch, status);
	}
}
