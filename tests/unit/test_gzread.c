/* SPDX-License-Identifier: MIT */
/* Any place of a compressed file: as it was before it was compressed. */
#include "client/gzread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

/* Lines, as logs have them; some parts do not compress. */
static char *make_text(size_t size)
{
	char *text = malloc(size + 100);
	unsigned seed = 5;
	size_t at = 0;
	for (unsigned i = 0; at < size; i++) {
		if (i % 1000 < 900) {
			at += (size_t)sprintf(text + at, "line %u of %u at %d\n", i, seed,
					      rand_r(&seed));
		} else {
			for (int k = 0; k < 20; k++) {
				text[at++] = (char)rand_r(&seed);
			}
		}
	}
	return text;
}

/* One more member of the file. */
static void zip(int fd, const char *text, size_t len)
{
	z_stream z = {0};
	size_t cap = len + len / 100 + 100;
	unsigned char *out = malloc(cap);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(write(fd, out, cap - z.avail_out), cap - z.avail_out);
	deflateEnd(&z);
	free(out);
}

static int new_file(void)
{
	int fd = memfd_create("gz", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void expect(struct gzread *g, const char *text, size_t size, uint64_t at, size_t len)
{
	char *got = malloc(len + 1);
	size_t want = at >= size ? 0 : size - at < len ? size - at : len;
	assert_int_equal(gzread_at(g, got, len, at), want);
	assert_memory_equal(got, text + (at < size ? at : 0), want);
	free(got);
}

static void all_ways(int fd, uint64_t spacing, const char *text, size_t size)
{
	struct gzread *g = gzread_open(fd, spacing);
	unsigned seed = 9;
	for (size_t at = 0; at <= size; at += 100000) { /* on and on */
		expect(g, text, size, at, 100000);
	}
	assert_int_equal(gzread_size(g), size);
	gzread_rest(g);
	for (size_t end = size; end > 0; end -= end < 65536 ? end : 65536) { /* backward */
		size_t n = end < 65536 ? end : 65536;
		expect(g, text, size, end - n, n);
	}
	for (int i = 0; i < 30; i++) {
		expect(g, text, size, (uint64_t)rand_r(&seed) % (size + 10),
		       (size_t)rand_r(&seed) % 200000);
	}
	assert_false(gzread_is_damaged(g));
	gzread_free(g);
}

static void small_and_big(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 100, 65536, 2000000, 8000000};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = make_text(sizes[i]);
		int fd = new_file();
		zip(fd, text, sizes[i]);
		all_ways(fd, i % 2 ? 4096 : GZREAD_SPACING, text, sizes[i]);
		free(text);
	}
}

static void of_many_members(void **state)
{
	(void)state;
	size_t size = 3000000, n;
	char *text = make_text(size);
	int fd = new_file();
	for (size_t at = 0; at < size; at += n) {
		n = at % 7 ? 90001 : 1;
		n = at + n < size ? n : size - at;
		zip(fd, text + at, n);
		zip(fd, "", 0);
	}
	assert_int_equal(write(fd, "\0\0\0", 3), 3); /* padding */
	all_ways(fd, 16384, text, size);
	free(text);
}

static void the_size_first(void **state)
{
	(void)state;
	char *text = make_text(5000000);
	int fd = new_file();
	zip(fd, text, 5000000);
	struct gzread *g = gzread_open(fd, GZREAD_SPACING);
	assert_int_equal(gzread_size(g), 5000000);
	expect(g, text, 5000000, 4999000, 5000);
	expect(g, text, 5000000, 0, 100);
	expect(g, text, 5000000, 100, 100);
	gzread_free(g);
	gzread_free(NULL);
	free(text);
}

/* What came before the damage is read all the same. */
static void cut_and_damaged(void **state)
{
	(void)state;
	size_t size = 2000000;
	char *text = make_text(size);
	for (int kind = 0; kind < 3; kind++) {
		int fd = new_file();
		zip(fd, text, size);
		off_t end = lseek(fd, 0, SEEK_END);
		if (kind == 0) {
			assert_int_equal(ftruncate(fd, end / 2), 0);
		} else if (kind == 1) {
			assert_int_equal(ftruncate(fd, end - 3), 0);
		} else {
			assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, end / 2),
					 8);
		}
		struct gzread *g = gzread_open(fd, GZREAD_SPACING);
		uint64_t have = gzread_size(g);
		assert_true(gzread_is_damaged(g));
		assert_true(have > size / 4 && have <= size);
		expect(g, text, have, 0, 100000);
		expect(g, text, have, have / 2, 100000);
		if (kind == 1) {
			assert_int_equal(have, size);
		}
		gzread_free(g);
	}
	free(text);
}

static void no_gzip_file(void **state)
{
	(void)state;
	char buf[10];
	static const char *const texts[] = {"", "\x1f", "\x1f\x8b", "plain text, and more of it"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = new_file();
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
		struct gzread *g = gzread_open(fd, GZREAD_SPACING);
		assert_int_equal(gzread_at(g, buf, sizeof(buf), 0), 0);
		assert_int_equal(gzread_size(g), 0);
		assert_true(gzread_is_damaged(g));
		gzread_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_and_big),  cmocka_unit_test(of_many_members),
		cmocka_unit_test(the_size_first), cmocka_unit_test(cut_and_damaged),
		cmocka_unit_test(no_gzip_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
