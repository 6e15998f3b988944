/* SPDX-License-Identifier: MIT */
#include "client/storyhint.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "common/mem.h"
#include "common/units.h"

#define MOST 2

struct hints {
	const struct story *s;
	const json_t *trouble, *exit;
	struct buf *out;
	int n;
};

static void begin(struct hints *h)
{
	buf_adds(h->out, h->n++ ? "          " : "  try     ");
}

static void say(struct hints *h, const char *text)
{
	if (h->n < MOST) {
		begin(h);
		buf_adds(h->out, text);
		buf_addc(h->out, '\n');
	}
}

/* The last line that has one of these words; NULL = none. */
static const char *line_with(const struct hints *h, const char *const *words)
{
	for (size_t i = json_array_size(h->s->lines); i > 0; i--) {
		const char *text = member_text(json_array_get(h->s->lines, i - 1), "text", "");
		for (size_t k = 0; words[k]; k++) {
			if (strcasestr(text, words[k])) {
				return text;
			}
		}
	}
	return NULL;
}

/* "listen EADDRINUSE: address already in use :::3000" -> 3000; 0 if no port is named. */
static int port_in(const char *text)
{
	int port = 0;
	for (const char *s = strchr(text, ':'); s; s = strchr(s + 1, ':')) {
		char *end;
		long n = isdigit((unsigned char)s[1]) ? strtol(s + 1, &end, 10) : 0;
		if (n > 0 && n < 65536 && *end != '.' &&
		    !(*end == ':' && isdigit((unsigned char)end[1]))) {
			port = (int)n;
		}
	}
	return port;
}

static void about_port(struct hints *h)
{
	static const char *const words[] = {"EADDRINUSE", "address already in use",
					    "address in use", NULL};
	const char *text = line_with(h, words);
	int port = text ? port_in(text) : 0;
	struct buf holder = {0};
	if (!text) {
		return;
	}
	if (port && h->s->holder) {
		h->s->holder(&holder, port);
	}
	begin(h);
	if (holder.len) {
		buf_addf(h->out, "port %d is ", port);
		buf_add(h->out, holder.data, holder.len);
	} else if (port) {
		buf_addf(h->out, "port %d was taken, and is free now: pmctl restart ", port);
		client_add_text(h->out, member_text(h->s->slot, "app", ""));
	} else {
		buf_adds(h->out, "its port is taken by another process; ours: pmctl ports");
	}
	buf_addc(h->out, '\n');
	buf_finish(&holder);
}

struct rule {
	const char *words[4]; /* in the event or in a line */
	const char *hint;
};

static void about_words(struct hints *h)
{
	static const struct rule rules[] = {
		{{"No such file", "ENOENT", "command not found"},
		 "is the file there? script, command, cwd and env_file: pmctl show"},
		{{"Cannot find module", "MODULE_NOT_FOUND", "ModuleNotFoundError"},
		 "a module is missing: are the dependencies installed where it runs?"},
		{{"Permission denied", "EACCES", "Operation not permitted"},
		 "what its user may not do: file modes, and ports below 1024 unless listen = opens "
		 "them"},
		{{"ECONNREFUSED", "Connection refused"},
		 "what it connects to does not answer; if that is an app of ours: after = NAME"},
		{{"out of memory", "heap limit", "MemoryError"},
		 "it ran out of memory by its own limit (node: interpreter_args = "
		 "--max-old-space-size=...)"},
	};
	const char *told = member_text(h->trouble, "text", "");
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		bool fits = line_with(h, rules[i].words) != NULL;
		for (size_t k = 0; rules[i].words[k] && !fits; k++) {
			fits = strstr(told, rules[i].words[k]) != NULL;
		}
		if (fits) {
			say(h, rules[i].hint);
			return;
		}
	}
}

static void about_memory(struct hints *h)
{
	char size[24];
	int64_t max = member_int(h->s->slot, "memory_max", 0);
	if (max > 0) {
		units_format_size(max, size, sizeof(size));
		begin(h);
		buf_addf(h->out,
			 "memory_max is %s: raise it, or see whether it leaks: pmctl show\n", size);
	} else {
		say(h, "the machine or its control group is short of memory; with memory_max it is "
		       "replaced before the kernel kills it");
	}
}

static void about_signal(struct hints *h, const char *signal)
{
	static const char *const own[] = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"};
	bool ours = strstr(member_text(h->trouble, "text", ""), "(pmctl signal)") != NULL;
	if (strcmp(signal, "SIGKILL") == 0 && !ours) {
		say(h, "not sent by pmctl: a kill -9 of somebody, or the kernel (see: dmesg)");
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(signal, own[i]) == 0) {
			say(h, "a fault of the program itself, or of a native module (see: "
			       "coredumpctl)");
		}
	}
}

static void about_exit(struct hints *h)
{
	const char *cause = member_text(h->exit, "cause", "");
	const char *signal = member_text(h->exit, "signal", NULL);
	int64_t code = member_int(h->exit, "code", -1);
	if (strcmp(cause, "memory") == 0 || strcmp(cause, "oom") == 0) {
		about_memory(h);
	} else if (strcmp(cause, "not-ready") == 0) {
		say(h, "it ran, but was not ready in time: is `ready` right, or ready_timeout too "
		       "short?");
	} else if (signal) {
		about_signal(h, signal);
	} else if (code == 127 || code == 126) {
		say(h, code == 127 ? "127 is a shell's \"command not found\": check PATH in env."
				   : "126 is a shell's \"cannot execute\": check the file's mode");
	} else if (code == 0 && strcmp(member_text(h->s->slot, "autorestart", ""), "always") == 0) {
		say(h, "it ends by itself with 0: if that is its work, autorestart = on-failure");
	}
}

static void about_descriptors(struct hints *h)
{
	if (strcmp(member_text(h->trouble, "type", ""), "descriptors") == 0) {
		begin(h);
		buf_addf(h->out,
			 "raise limit.nofile, or see what it leaves open: ls -l /proc/%lld/fd\n",
			 (long long)member_int(h->s->slot, "pid", 0));
	}
}

void storyhint_add(const struct story *s, const json_t *trouble, struct buf *out)
{
	struct hints h = {
		.s = s, .trouble = trouble, .exit = json_object_get(trouble, "exit"), .out = out};
	const char *cause = member_text(h.exit, "cause", "");
	bool known = strcmp(cause, "memory") == 0 || strcmp(cause, "oom") == 0 ||
		     strcmp(cause, "not-ready") == 0;
	about_descriptors(&h);
	about_port(&h);
	if (h.n == 0 && !known) {
		about_words(&h);
	}
	if (h.exit && h.n == 0) {
		about_exit(&h);
	}
}
