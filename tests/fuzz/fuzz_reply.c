/* SPDX-License-Identifier: MIT */
/*
 * What the client makes of a daemon's answers, whatever they are: the first byte is the command,
 * the second the kind of terminal, then comes what the daemon says before it hangs up. Outside of
 * a terminal no byte that controls one is printed.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "common/limits.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
bool __wrap_file_write_all(int fd, const void *data, size_t len);

static bool on_tty;
static const struct client *asking;

/* Where all output goes through. */
bool __wrap_file_write_all(int fd, const void *data, size_t len)
{
	const unsigned char *s = data;
	(void)fd;
	for (size_t i = 0; i < len && !on_tty; i++) {
		if ((s[i] < 0x20 && s[i] != '\n' && s[i] != '\t') ||
		    (s[i] == 0x7f && !asking->json)) {
			abort();
		}
	}
	if (asking->json && fd == STDOUT_FILENO) {
		json_t *v = json_loadb(
			data, len, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (len && !v) {
			abort();
		}
		json_decref(v);
	}
	return true;
}

static const struct {
	const char *word, *operand;
} asked[] = {
	{"list", NULL},	   {"list", "web"},   {"status", NULL}, {"is-active", "web"},
	{"show", "web"},   {"env", "web"},    {"events", NULL}, {"why", NULL},
	{"ports", NULL},   {"jlist", NULL},   {"stop", "web"},	{"restart", "web"},
	{"reload", "web"}, {"delete", "web"}, {"scale", "web"}, {"signal", "HUP"},
	{"reset", "web"},  {"flush", NULL},   {"rotate", NULL}, {"save", NULL},
	{"wait", "web"},   {"ping", NULL},    {"logs", NULL},
};

/* The daemon is gone after what it said: nobody waits for another one. */
static void speak(struct client *c, const uint8_t *data, size_t size)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
		abort();
	}
	if (size > 0 && send(fds[1], data, size, MSG_NOSIGNAL) < 0) {
		abort();
	}
	shutdown(fds[1], SHUT_WR);
	c->conn = (struct conn){.fd = fds[0], .open = true};
	lines_init(&c->conn.lines, LIMIT_REPLY);
	c->cmd->run(c);
	rpc_reply_finish(&c->reply);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 60000) {
		return 0;
	}
	const char *word = asked[data[0] % ARRAY_LEN(asked)].word;
	const char *operand[2] = {asked[data[0] % ARRAY_LEN(asked)].operand, "2"};
	struct client c = {.cmd = commands_find(word),
			   .timeout_ms = 1000,
			   .wait = !(data[1] & 16),
			   .json = data[1] & 1,
			   .out_tty = data[1] & 2,
			   .err_tty = data[1] & 4,
			   .out_color = data[1] & 8,
			   .utf8 = data[1] & 32,
			   .args.operand = operand,
			   .args.n = !operand[0]		  ? 0
				     : strcmp(word, "scale") == 0 ? 2
								  : 1};
	struct err err;
	on_tty = c.out_tty || c.err_tty || c.out_color;
	asking = &c;
	setenv("PMCTL_HOME", "/nonexistent", 1);
	setenv("TERM", "xterm", 1);
	setenv("COLUMNS", data[1] & 64 ? "40" : "100", 1);
	if (!client_paths(&c, &err)) {
		abort();
	}
	speak(&c, data + 2, size - 2);
	c.args = (struct args){0};
	client_finish(&c);
	return 0;
}
