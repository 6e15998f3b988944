/* SPDX-License-Identifier: MIT */
/*
 * What clients and programs may send to a daemon that runs apps (fakedaemon.h). Each line is a
 * request, but for what happens beside: ~exit N STATUS, ~lost N, ~say N TEXT, ~channel N TEXT,
 * ~hangup N, ~pass MS, ~no-room, ~no-program, ~client. N counts the processes that were started.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"
#include "fakedaemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake fake;

static void say(long n, const char *text, bool channel)
{
	struct fake_child *c = fake_child(&fake, (size_t)n);
	struct buf line = {0};
	int fd = !c ? -1 : channel ? c->channel : c->out;
	buf_addf(&line, "%s\n", text);
	if (fd >= 0 && (channel ? send(fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL)
				: write(fd, line.data, line.len)) < 0) {
		fake_turn(&fake); /* nobody reads: fine */
	}
	buf_finish(&line);
	fake_turn(&fake);
}

static void hang_up(long n)
{
	struct fake_child *c = fake_child(&fake, (size_t)n);
	if (c && c->channel >= 0) {
		close(c->channel);
		c->channel = -1;
	}
	fake_turn(&fake);
}

static void happen(const char *what)
{
	char verb[16] = "";
	long n = 0;
	int at = 0;
	sscanf(what, "%15s %ld %n", verb, &n, &at);
	const char *rest = what + (at > 0 ? (size_t)at : strlen(what));
	if (strcmp(verb, "exit") == 0) {
		fake_exit(&fake, (size_t)n, atoi(rest) & 0xffff);
	} else if (strcmp(verb, "lost") == 0) {
		fake_lose(&fake, (size_t)n);
	} else if (strcmp(verb, "say") == 0) {
		say(n, rest, false);
	} else if (strcmp(verb, "channel") == 0) {
		say(n, rest, true);
	} else if (strcmp(verb, "hangup") == 0) {
		hang_up(n);
	} else if (strcmp(verb, "pass") == 0) {
		fake_pass(&fake, n > 0 && n < 1000000 ? n : 10);
	} else if (strcmp(verb, "no-room") == 0) {
		fake.no_room = true;
	} else if (strcmp(verb, "no-program") == 0) {
		fake.no_program = true;
	} else {
		fake_disconnect(&fake);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;
	if (size > 65536) {
		return 0; /* a hundred thousand requests are only slow */
	}
	fake_fresh();
	if (!fake_begin(&fake, false)) {
		abort();
	}
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl + 1 : end) - text);
		if (*text == '~') {
			char *line = xstrndup(text + 1, len - 1);
			happen(line);
			free(line);
		} else {
			fake_client(&fake, text, len);
		}
		text += len;
	}
	fake_pass(&fake, 20000);
	fake_end(&fake);
	return 0;
}
