/* SPDX-License-Identifier: MIT */
/*
 * What a supervisor finds when it begins: any bytes in its files. Sections ("=== NAME", scratch.h):
 * state, prev, sockets, journal are written as they are, state+ prev+ and sockets+ get the header
 * that makes them valid; table has records of living processes, one a line; bytes lies over the
 * table, behind its offset; held are the descriptors the keeper has.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "fakedaemon.h"
#include "scratch.h"
#include "sys/statefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake fake;
static int state_fd;

static void save(const char *name, const char *text, size_t len)
{
	struct err err;
	int fd;
	if (!statefile_save(state_fd, name, text, len, &fd, &err)) {
		abort();
	}
	close(fd);
}

/* "APP SLOT PID START STATE WANTED FLAGS RUN LISTENED" */
static void add_record(struct runtab *t, const char *line)
{
	struct err err;
	char app[LIMIT_NAME + 8] = "";
	long v[8] = {0};
	sscanf(line, "%47s %ld %ld %ld %ld %ld %ld %ld %ld", app, &v[0], &v[1], &v[2], &v[3], &v[4],
	       &v[5], &v[6], &v[7]);
	struct runtab_rec *r = runtab_alloc(t, &err);
	if (!r) {
		return;
	}
	memcpy(r->app, app, sizeof(app));
	r->id = runtab_next_id(t);
	r->slot = (int32_t)v[0];
	r->pid = (int32_t)v[1];
	r->starttime = (uint64_t)v[2];
	r->state = (uint8_t)v[3];
	r->wanted = v[4] & 1;
	r->flags = (uint8_t)v[5];
	r->extra[0] = (uint64_t)v[6];
	r->extra[1] = (uint64_t)v[7];
	r->window_count = (uint32_t)v[2] % 20;
	runtab_commit(r);
}

static struct runtab *open_table(void)
{
	char boot[PROC_BOOT_ID];
	enum runtab_fresh fresh;
	struct err err;
	proc_boot_id(boot);
	struct runtab *t = runtab_open(state_fd, "instances", boot, &fresh, &err);
	if (!t) {
		abort();
	}
	return t;
}

static void make_table(const char *text, size_t len)
{
	struct runtab *t = open_table();
	char *copy = xstrndup(text, len), *save_ptr = NULL;
	int n = 0;
	for (char *l = strtok_r(copy, "\n", &save_ptr); l && n < 100;
	     l = strtok_r(NULL, "\n", &save_ptr), n++) {
		add_record(t, l);
	}
	free(copy);
	runtab_close(t);
}

static void lay_over(const char *text, size_t len)
{
	unsigned offset = 0;
	int at = 0;
	char *copy = xstrndup(text, len);
	sscanf(copy, "%6u %n", &offset, &at);
	free(copy);
	runtab_close(open_table());
	int fd = openat(state_fd, "instances", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, text + at, len - (size_t)at, offset) < 0) {
		abort();
	}
	close(fd);
}

static void on_section(void *ctx, const char *name, const char *text, size_t len)
{
	(void)ctx;
	if (strcmp(name, "state+") == 0 || strcmp(name, "") == 0) {
		save("state", text, len);
	} else if (strcmp(name, "prev+") == 0) {
		save("state.prev", text, len);
	} else if (strcmp(name, "sockets+") == 0) {
		save("sockets", text, len);
	} else if (strcmp(name, "state") == 0) {
		scratch_write("state/state", text, len);
	} else if (strcmp(name, "prev") == 0) {
		scratch_write("state/state.prev", text, len);
	} else if (strcmp(name, "sockets") == 0) {
		scratch_write("state/sockets", text, len);
	} else if (strcmp(name, "journal") == 0) {
		scratch_write("state/events.jsonl", text, len);
	} else if (strcmp(name, "table") == 0) {
		make_table(text, len);
	} else if (strcmp(name, "bytes") == 0) {
		lay_over(text, len);
	} else if (strcmp(name, "held") == 0) {
		free((char *)(uintptr_t)fake.held);
		fake.held = xstrndup(text, len);
	}
}

/* What it goes on with it can save, and finds again. */
static void use(void)
{
	static const char ask[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"save\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"show\",\"params\":{\"sel\":[\"all\"]}}"
		"\n"
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"why\"}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"events\",\"params\":{\"n\":50}}\n";
	struct buf text = {0};
	struct err warning = {0};
	enum statefile_source src;
	fake_turn(&fake);
	fake_client(&fake, ask, sizeof(ask) - 1);
	fake_pass(&fake, 3000);
	if (!statefile_load(state_fd, "state", &text, &src, &warning) || src != STATEFILE_CURRENT) {
		abort();
	}
	buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fake_fresh();
	state_fd = open(scratch_path("state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scratch_sections(data, size, on_section, NULL);
	if (fake_begin(&fake, true)) {
		use();
	} else if (!strstr(fake.err.msg, "newer pmctld")) {
		abort(); /* whatever else the files say, it begins */
	}
	fake_end(&fake);
	free((char *)(uintptr_t)fake.held);
	fake.held = NULL;
	close(state_fd);
	return 0;
}
