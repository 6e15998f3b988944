/* SPDX-License-Identifier: MIT */
/* Text people write by hand: command lines, durations, sizes, signals, selectors, env_file. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/select.h"
#include "common/buf.h"
#include "common/mem.h"
#include "common/signals.h"
#include "common/units.h"
#include "common/words.h"
#include "config/envfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Joined and split again, they are the same words. */
static void split(const char *text)
{
	struct words a = {0}, b = {0};
	struct err err;
	if (words_split(&a, text, &err)) {
		char *joined = words_join(a.v, a.n);
		if (!words_split(&b, joined, &err) || a.n != b.n) {
			abort();
		}
		for (size_t i = 0; i < a.n; i++) {
			if (strcmp(a.v[i], b.v[i]) != 0) {
				abort();
			}
		}
		free(joined);
	}
	words_finish(&a);
	words_finish(&b);
}

static void units(const char *text)
{
	char out[32];
	int64_t v, again;
	if (units_parse_duration(text, &v)) {
		units_format_duration(v, out, sizeof(out));
		if (!units_parse_duration(out, &again) || again != v) {
			abort();
		}
	}
	if (units_parse_size(text, &v)) {
		units_format_size(v, out, sizeof(out));
		if (!units_parse_size(out, &again) || again != v) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct selector sel;
	struct env_file f = {0};
	struct buf safe = {0};
	struct err err;
	split(text);
	units(text);
	signals_number(text);
	selector_parse(&sel, text, &err);
	envfile_parse(&f, (const char *)data, size, &err);
	envfile_finish(&f);
	buf_add_escaped(&safe, (const char *)data, size, 0);
	for (size_t i = 0; i < safe.len; i++) {
		unsigned char c = (unsigned char)safe.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			abort();
		}
	}
	buf_finish(&safe);
	free(text);
	return 0;
}
