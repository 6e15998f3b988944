/* SPDX-License-Identifier: MIT */
/*
 * What `pmctl logs` reads: any bytes as log files and their indexes. Sections (scratch.h): log,
 * log.idx, log.1, log.1.idx ..., and more, which is added while somebody follows. Backward and
 * forward the same lines are found, whatever the block size, and all bytes are in them.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/logset.h"
#include "common/limits.h"
#include "common/mem.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf more;

static void on_section(void *ctx, const char *name, const char *text, size_t len)
{
	(void)ctx;
	char path[64];
	static const char *const names[] = {"log",   "log.idx",	  "log.1",   "log.1.idx",
					    "log.2", "log.2.idx", "log.1.gz"};
	if (strcmp(name, "more") == 0) {
		buf_add(&more, text, len);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0 || (i == 0 && !name[0])) {
			snprintf(path, sizeof(path), "log/%s", names[i]);
			scratch_write(path, text, len);
		}
	}
}

/* Lines with their ends; times never go back. */
static void all_forward(struct logsrc *s, struct buf *out)
{
	struct logline l;
	int64_t t = INT64_MIN;
	while (logsrc_next(s, true, &l)) {
		if (l.t_ns < t) {
			abort();
		}
		t = l.t_ns;
		buf_add(out, l.data, l.len);
		buf_adds(out, l.open || l.cut ? "" : "\n");
	}
}

/* Of the newest file: between a rotation and the next line there is no "log". */
static size_t newest_size(void)
{
	struct stat st;
	return stat(scratch_path("log/log"), &st) == 0 || stat(scratch_path("log/log.1"), &st) == 0
		       ? (size_t)st.st_size
		       : 0;
}

/* Down to the beginning of the oldest file; returns the bytes of all lines. */
static size_t all_backward(struct logsrc *s, size_t *seg, uint64_t *at)
{
	struct logline l;
	size_t total = 0;
	int64_t t = INT64_MAX;
	*seg = 0;
	*at = 0;
	while (logsrc_prev(s, false, &l, seg, at)) {
		if (l.t_ns > t || l.len > LIMIT_LOG_LINE) {
			abort();
		}
		t = l.t_ns;
		total += l.len + (!l.open && !l.cut);
	}
	return total;
}

static void one_source(size_t block_size)
{
	struct logsrc s;
	struct buf forward = {0};
	size_t seg;
	uint64_t at;
	logsrc_init(&s, "web", 0, LOG_OUT, scratch_path("log/log"), block_size);
	s.want_pid = true;
	size_t back = all_backward(&s, &seg, &at);
	logsrc_start_at(&s, seg, at);
	all_forward(&s, &forward);
	/* A line over the limit is cut, and its pieces have no newline of their own. */
	if (forward.len != back && back <= LIMIT_LOG_LINE) {
		abort();
	}
	if (s.files.all_open && s.files.n <= 1 && forward.len != newest_size()) {
		abort();
	}
	if (more.len) {
		int fd = open(scratch_path("log/log"), O_WRONLY | O_APPEND | O_CLOEXEC);
		if (fd >= 0 && write(fd, more.data, more.len) != (ssize_t)more.len) {
			abort();
		}
		close(fd);
		logsrc_refresh(&s);
		all_forward(&s, &forward);
	}
	buf_finish(&forward);
	logsrc_finish(&s);
}

static void a_set(int64_t since_ns, uint64_t last)
{
	struct logset set;
	const struct logset_entry *e;
	int64_t t = INT64_MIN;
	logset_init(&set);
	logset_add(&set, "web", 0, LOG_OUT, scratch_path("log/log"));
	logset_add(&set, "web", 1, LOG_ERR, scratch_path("log/log.1"));
	logset_add(&set, "web", 2, LOG_ERR, scratch_path("log/none"));
	if (last) {
		logset_start_last(&set, last, since_ns);
	} else {
		logset_start_since(&set, since_ns);
	}
	while ((e = logset_next(&set))) {
		if (e->next.t_ns < t) {
			abort();
		}
		t = e->next.t_ns;
	}
	logset_refresh(&set);
	while (logset_next(&set)) {
	}
	logset_finish(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t blocks[] = {1, 7, 65536};
	scratch_fresh("log");
	scratch_sections(data, size, on_section, NULL);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		if (size < 5000 || blocks[i] > 1000) {
			one_source(blocks[i]);
		}
	}
	a_set(INT64_C(1763892000) * 1000000000, 0);
	a_set(0, 3);
	buf_reset(&more);
	return 0;
}
