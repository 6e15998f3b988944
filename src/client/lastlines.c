/* SPDX-License-Identifier: MIT */
#include "client/lastlines.h"

#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/logsrc.h"
#include "common/mem.h"

#define BLOCK	  16384
#define SKIP_MOST 300000 /* younger lines are passed over for so long: one that writes a flood */
#define TEXT_MOST 2000	 /* bytes of a line */

struct line {
	int64_t t_ns;
	size_t order; /* of equal times */
	json_t *json;
};

struct found {
	struct line *v;
	size_t n;
};

static void add(struct found *all, const struct logsrc *src, const char *stream,
		const struct logline *l)
{
	struct buf text = {0};
	buf_add_escaped(&text, l->data, l->len < TEXT_MOST ? l->len : TEXT_MOST, 0);
	json_t *o = json_object();
	client_set(o, "ms", json_integer(l->t_ns / 1000000));
	client_set(o, "slot", src->slot < 0 ? json_null() : json_integer(src->slot));
	client_set(o, "stream", json_string(stream));
	client_set(o, "text", json_stringn(text.data ? text.data : "", text.len));
	buf_finish(&text);
	all->v = xreallocarray(all->v, all->n + 1, sizeof(*all->v));
	/* They come youngest first. */
	all->v[all->n] = (struct line){l->t_ns, SIZE_MAX - all->n, o};
	all->n++;
}

static void read_one(struct found *all, const struct lastlines *want, const json_t *file)
{
	struct logsrc src;
	struct logline l;
	size_t seg, got = 0, skipped = 0;
	uint64_t at;
	const char *stream = member_text(file, "stream", "both");
	logsrc_init(&src, want->app, (int)member_int(file, "slot", -1), LOG_BOTH,
		    member_text(file, "path", ""), BLOCK);
	src.stamp = logstamp_of(file);
	while (got < want->n && skipped < SKIP_MOST && logsrc_prev(&src, false, &l, &seg, &at) &&
	       l.t_ns / 1000000 >= want->since_ms) {
		if (l.t_ns / 1000000 > want->until_ms) {
			skipped++;
		} else {
			add(all, &src, stream, &l);
			got++;
		}
	}
	logsrc_finish(&src);
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	return x->t_ns != y->t_ns ? (x->t_ns > y->t_ns) - (x->t_ns < y->t_ns)
				  : (x->order > y->order) - (x->order < y->order);
}

static bool is_wanted(const struct lastlines *want, const json_t *file)
{
	return strcmp(member_text(file, "app", ""), want->app) == 0 &&
	       (want->slot < 0 || member_int(file, "slot", -1) == want->slot);
}

json_t *lastlines_read(const struct lastlines *want, const json_t *files)
{
	struct found all = {0};
	json_t *out = json_array();
	size_t i;
	const json_t *file;
	json_array_foreach(files, i, file)
	{
		if (is_wanted(want, file)) {
			read_one(&all, want, file);
		}
	}
	if (all.n) {
		qsort(all.v, all.n, sizeof(*all.v), by_time);
	}
	for (size_t k = 0; k < all.n; k++) {
		if (k + want->n >= all.n) {
			json_array_append(out, all.v[k].json);
		}
		json_decref(all.v[k].json);
	}
	free(all.v);
	return out;
}
