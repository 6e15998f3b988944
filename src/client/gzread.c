/* SPDX-License-Identifier: MIT */
#include "client/gzread.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/mem.h"
#include "sys/fileio.h"

#define WINDOW	(32 * 1024)
#define INPUT	(64 * 1024)
#define PIECE	(64 * 1024)
#define KEPT	(1024 * 1024) /* at least so much of what was unpacked last */
#define POINTS	24
#define TRAILER 8 /* of a member of the file: its checksum and size */

enum { RAW = -15, GZIP = 31 };

struct point {
	uint64_t out, in;
	int bits; /* of the byte before `in` that belong to what follows; -1 = a member begins */
	unsigned char *window;
};

struct points {
	struct point v[POINTS];
	size_t n;
	uint64_t spacing;
};

struct gzread {
	int fd;
	z_stream z;
	bool active, raw; /* z is in use; without the header and checksum of the member */
	bool ended, damaged;
	uint64_t size;		 /* UINT64_MAX = not known */
	uint64_t out;		 /* offset of what comes next */
	uint64_t in;		 /* behind what is in `input` */
	uint64_t least;		 /* between two points */
	struct points far, near; /* near: between two of the far ones */
	unsigned char *input;
	char *kept; /* from kept_at on, up to `out` unless a stream went on behind */
	size_t nkept;
	uint64_t kept_at;
};

struct gzread *gzread_open(int fd, uint64_t spacing)
{
	struct gzread *g = xcalloc(1, sizeof(*g));
	g->fd = fd;
	g->size = UINT64_MAX;
	g->far.spacing = g->least = spacing;
	return g;
}

static void forget(struct points *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].window);
	}
	p->n = 0;
}

void gzread_rest(struct gzread *g)
{
	if (g->active) {
		inflateEnd(&g->z);
		g->active = false;
	}
	forget(&g->far);
	forget(&g->near);
	g->far.spacing = g->least;
	free(g->input);
	free(g->kept);
	g->input = NULL;
	g->kept = NULL;
	g->nkept = 0;
}

void gzread_free(struct gzread *g)
{
	if (g) {
		gzread_rest(g);
		close(g->fd);
		free(g);
	}
}

int gzread_fd(const struct gzread *g)
{
	return g->fd;
}

bool gzread_is_damaged(const struct gzread *g)
{
	return g->damaged;
}

/* --- places to begin at --- */

static struct point *add_point(struct points *p)
{
	if (p->n == POINTS) { /* every other one goes */
		for (size_t i = 0; i < POINTS; i++) {
			if (i % 2) {
				free(p->v[i].window);
			} else {
				p->v[i / 2] = p->v[i];
			}
		}
		p->n = POINTS / 2;
		p->spacing *= 2;
	}
	return &p->v[p->n++];
}

static bool is_due(const struct gzread *g, const struct points *p)
{
	return p->spacing && g->out >= (p->n ? p->v[p->n - 1].out : 0) + p->spacing;
}

/* A block of the stream has ended, or with bits < 0 a member of the file. */
static void note_point(struct gzread *g, struct points *p, int bits)
{
	struct point *to = add_point(p);
	*to = (struct point){.out = g->out, .in = g->in - g->z.avail_in, .bits = bits};
	if (bits >= 0) {
		unsigned len = 0;
		to->window = xcalloc(1, WINDOW);
		inflateGetDictionary(&g->z, to->window, &len);
		if (len < WINDOW) { /* at its end, as if zeros had stood before */
			memmove(to->window + WINDOW - len, to->window, len);
			memset(to->window, 0, WINDOW - len);
		}
	}
}

static void may_note(struct gzread *g, int bits)
{
	if (is_due(g, &g->far)) {
		note_point(g, &g->far, bits);
	} else if (g->near.spacing && is_due(g, &g->near)) {
		note_point(g, &g->near, bits);
	}
}

/* --- the stream --- */

static void end_here(struct gzread *g, bool damaged)
{
	g->ended = true;
	g->damaged |= damaged;
	g->size = g->out;
}

static bool fill_input(struct gzread *g)
{
	if (g->z.avail_in == 0) {
		ssize_t n = pread(g->fd, g->input, INPUT, (off_t)g->in);
		g->z.next_in = g->input;
		g->z.avail_in = n > 0 ? (unsigned)n : 0;
		g->in += g->z.avail_in;
	}
	return g->z.avail_in > 0;
}

/* The z_stream for what follows. False without memory, which zlib reports and we do not survive. */
static void prepare(struct gzread *g, bool raw)
{
	int bits = raw ? RAW : GZIP;
	if (!g->input) {
		g->input = xmalloc(INPUT);
	}
	if ((g->active ? inflateReset2(&g->z, bits) : inflateInit2(&g->z, bits)) != Z_OK) {
		abort();
	}
	g->active = true;
	g->raw = raw;
}

static int next_byte(struct gzread *g)
{
	if (!fill_input(g)) {
		return -1;
	}
	g->z.avail_in--;
	return *g->z.next_in++;
}

/* Behind the last block of a member: another one, or the end. What else stands there is padding. */
static void next_member(struct gzread *g)
{
	for (int i = 0; g->raw && i < TRAILER; i++) {
		if (next_byte(g) < 0) {
			end_here(g, true);
			return;
		}
	}
	uint64_t at = g->in - g->z.avail_in;
	unsigned char magic[2];
	if (!file_pread_all(g->fd, magic, sizeof(magic), (off_t)at) || magic[0] != 0x1f ||
	    magic[1] != 0x8b) {
		end_here(g, false);
		return;
	}
	unsigned char *next = g->z.next_in;
	unsigned have = g->z.avail_in;
	prepare(g, false);
	g->z.next_in = next;
	g->z.avail_in = have;
	may_note(g, -1);
}

/* Unpack what comes next; 0 = the end. */
static size_t produce(struct gzread *g, char *to, size_t len)
{
	g->z.next_out = (unsigned char *)to;
	g->z.avail_out = (unsigned)len;
	while (g->z.avail_out && !g->ended) {
		if (!fill_input(g)) {
			end_here(g, true);
			break;
		}
		unsigned before = g->z.avail_out;
		int r = inflate(&g->z, Z_BLOCK);
		g->out += before - g->z.avail_out;
		if (r == Z_STREAM_END) {
			next_member(g);
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			end_here(g, true);
		} else if ((g->z.data_type & 192) == 128) {
			may_note(g, g->z.data_type & 7);
		}
	}
	return len - g->z.avail_out;
}

static void begin(struct gzread *g)
{
	prepare(g, false);
	g->z.avail_in = 0;
	g->in = g->out = 0;
	g->ended = false;
}

static void begin_at(struct gzread *g, const struct point *p)
{
	unsigned char before = 0;
	prepare(g, p->bits >= 0);
	g->z.avail_in = 0;
	g->in = p->in;
	g->out = p->out;
	g->ended = false;
	if (p->bits > 0 && file_pread_all(g->fd, &before, 1, (off_t)(p->in - 1))) {
		inflatePrime(&g->z, p->bits, before >> (8 - p->bits));
	}
	if (p->bits >= 0) {
		inflateSetDictionary(&g->z, p->window, WINDOW);
	}
}

/* --- jumps --- */

static const struct point *last_before(const struct points *p, uint64_t at)
{
	const struct point *best = NULL;
	for (size_t i = 0; i < p->n && p->v[i].out <= at; i++) {
		best = &p->v[i];
	}
	return best;
}

/* Where the stream stands may be the nearest place before. */
static void jump(struct gzread *g, uint64_t at)
{
	const struct point *far = last_before(&g->far, at);
	const struct point *near = last_before(&g->near, at);
	const struct point *best = near && (!far || near->out > far->out) ? near : far;
	if (g->active && !g->ended && g->out <= at && (!best || g->out >= best->out)) {
		return;
	}
	if (best == far) { /* another part of the file */
		struct point from = far ? *far : (struct point){.bits = -1};
		forget(&g->near);
		g->near.spacing = g->far.spacing / POINTS;
		if (g->near.spacing >= g->least) {
			*add_point(&g->near) = from;
			g->near.v[0].window = NULL;
			if (from.window) {
				g->near.v[0].window = xmalloc(WINDOW);
				memcpy(g->near.v[0].window, from.window, WINDOW);
			}
		} else {
			g->near.spacing = 0;
		}
	}
	if (best) {
		begin_at(g, best);
	} else {
		begin(g);
	}
}

/* Unpack up to there, and keep the last of it. */
static void keep_to(struct gzread *g, uint64_t end)
{
	if (!g->kept) {
		g->kept = xmalloc(KEPT + KEPT / 2 + PIECE);
	}
	g->nkept = 0;
	g->kept_at = g->out;
	while (g->out < end) {
		size_t want = end - g->out < PIECE ? (size_t)(end - g->out) : PIECE;
		size_t n = produce(g, g->kept + g->nkept, want);
		if (n == 0) {
			return;
		}
		g->nkept += n;
		if (g->nkept >= KEPT + KEPT / 2) {
			size_t drop = g->nkept - KEPT;
			memmove(g->kept, g->kept + drop, KEPT);
			g->nkept = KEPT;
			g->kept_at += drop;
		}
	}
}

static size_t copy_kept(const struct gzread *g, char *to, size_t len, uint64_t at)
{
	if (at < g->kept_at || at >= g->kept_at + g->nkept) {
		return 0;
	}
	size_t n = (size_t)(g->kept_at + g->nkept - at);
	n = n < len ? n : len;
	memcpy(to, g->kept + (at - g->kept_at), n);
	return n;
}

size_t gzread_at(struct gzread *g, void *buf, size_t len, uint64_t at)
{
	size_t got = 0;
	while (got < len && at + got < g->size) {
		char *to = (char *)buf + got;
		size_t n = copy_kept(g, to, len - got, at + got);
		if (n == 0 && g->active && !g->ended && g->out == at + got) {
			n = produce(g, to, len - got);
		} else if (n == 0) {
			jump(g, at + got);
			keep_to(g, at + len);
			n = copy_kept(g, to, len - got, at + got);
		}
		if (n == 0) {
			break;
		}
		got += n;
	}
	return got;
}

uint64_t gzread_size(struct gzread *g)
{
	if (g->size == UINT64_MAX) {
		jump(g, UINT64_MAX);
		keep_to(g, UINT64_MAX);
	}
	return g->size;
}
