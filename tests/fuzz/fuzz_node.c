/* SPDX-License-Identifier: MIT */
/* Bytes from a worker on its channel. What goes back to workers must be one line of valid JSON. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/lines.h"
#include "proto/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const struct buf *out)
{
	struct node_msg m;
	if (memchr(out->data, '\n', out->len) != out->data + out->len - 1 ||
	    !node_is_internal(out->data, out->len - 1) ||
	    !node_parse(&m, out->data, out->len - 1)) {
		abort();
	}
	node_msg_finish(&m);
}

static void answer(const struct node_msg *m)
{
	struct buf key = {0};
	struct buf out = {0};
	node_make_key(m, &key);
	struct node_reply r = {.key = key.data, .ack = m->seq, .seq = 1, .data = m->data};
	node_write_shared(&out, &r, NODE_TCP);
	check_line(&out);
	buf_reset(&out);
	node_write_error(&out, &r, -98);
	check_line(&out);
	buf_finish(&out);
	buf_finish(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines l;
	char *line;
	size_t len;
	lines_init(&l, 1 << 20);
	lines_feed(&l, (const char *)data, size);
	while (lines_next(&l, &line, &len)) {
		if (!node_is_internal(line, len)) {
			node_message_ok(line, len);
			continue;
		}
		struct node_msg m;
		if (node_parse(&m, line, len)) {
			answer(&m);
		}
		node_msg_finish(&m);
	}
	lines_finish(&l);
	return 0;
}
