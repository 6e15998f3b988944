/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_UIGOLDEN_H
#define PMCTL_TESTS_UIGOLDEN_H
/*
 * uigolden - screens against files in screens/.
 *
 * After a change that is meant: PMCTL_SCREENS_WRITE=1 meson test ..., then read the difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

static inline char *uigolden_read(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf b = {0};
	char part[4096];
	size_t n;
	while (f && (n = fread(part, 1, sizeof(part), f)) > 0) {
		buf_add(&b, part, n);
	}
	if (f) {
		fclose(f);
	}
	return buf_take(&b);
}

static inline void uigolden_check(const char *name, const struct buf *got)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s.txt", getenv("PMCTL_SCREENS"), name);
	if (getenv("PMCTL_SCREENS_WRITE")) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(got->data, 1, got->len, f), got->len);
		fclose(f);
		return;
	}
	char *want = uigolden_read(path);
	if (!want || strcmp(want, got->data) != 0) {
		print_message("%s is:\n%s", path, got->data);
		fail_msg("%s is another screen", name);
	}
	free(want);
}

#endif
