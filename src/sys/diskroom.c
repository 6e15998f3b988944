/* SPDX-License-Identifier: MIT */
#include "sys/diskroom.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/mem.h"
#include "common/units.h"

#define MIB (INT64_C(1024) * 1024)

/* So much, or this part of a small file system. */
#define LITTLE_BYTES (256 * MIB)
#define LITTLE_PART  10
#define LITTLE_LARGE 50 /* and at least this part of a large one */
#define NONE_BYTES   (16 * MIB)
#define NONE_PART    50
#define LITTLE_FILES 1000
#define NONE_FILES   10

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Below which of these the number is; a fourth more is asked for where it was already. */
static enum diskroom_is judge(int64_t left, int64_t little, int64_t none, bool was)
{
	int64_t factor = was ? 5 : 4;
	return left * 4 < none * factor	    ? DISKROOM_NONE
	       : left * 4 < little * factor ? DISKROOM_LITTLE
					    : DISKROOM_ENOUGH;
}

enum diskroom_is diskroom_judge(const struct diskroom *r, enum diskroom_is was)
{
	bool few = was == DISKROOM_LITTLE || was == DISKROOM_NONE;
	enum diskroom_is bytes = DISKROOM_ENOUGH, files = DISKROOM_ENOUGH;
	if (r->is == DISKROOM_READ_ONLY) {
		return DISKROOM_READ_ONLY;
	}
	if (r->all > 0) {
		int64_t little = least(LITTLE_BYTES, r->all / LITTLE_PART);
		int64_t large = r->all / LITTLE_LARGE;
		bytes = judge(r->left, little > large ? little : large,
			      least(NONE_BYTES, r->all / NONE_PART), few);
	}
	if (r->files > 0) {
		files = judge(r->files_left, least(LITTLE_FILES, r->files / LITTLE_PART),
			      least(NONE_FILES, r->files / LITTLE_PART), few);
	}
	return bytes > files ? bytes : files;
}

bool diskroom_read(const char *dir, struct diskroom *out)
{
	char *path = xstrdup(dir);
	struct statvfs v;
	struct stat st;
	bool ok;
	while (!(ok = statvfs(path, &v) == 0 && stat(path, &st) == 0) && errno == ENOENT &&
	       path[1]) {
		char *slash = strrchr(path, '/');
		slash[slash == path] = '\0';
	}
	free(path);
	if (!ok) {
		return false;
	}
	*out = (struct diskroom){.is = v.f_flag & ST_RDONLY ? DISKROOM_READ_ONLY : DISKROOM_ENOUGH,
				 .dev = st.st_dev,
				 .left = (int64_t)(v.f_bavail * v.f_frsize),
				 .all = (int64_t)(v.f_blocks * v.f_frsize),
				 .files_left = (int64_t)v.f_favail,
				 .files = (int64_t)v.f_files};
	out->is = diskroom_judge(out, DISKROOM_ENOUGH);
	return true;
}

/* Of the two the one that is told. */
static bool is_short_of_files(const struct diskroom *r)
{
	struct diskroom bytes = *r;
	bytes.files = 0;
	return r->is != DISKROOM_ENOUGH && diskroom_judge(&bytes, r->is) < r->is;
}

void diskroom_text(const struct diskroom *r, const char *dir, char *out, size_t cap)
{
	char size[24];
	if (r->is == DISKROOM_READ_ONLY) {
		snprintf(out, cap, "%s is on a read-only file system", dir);
	} else if (is_short_of_files(r)) {
		snprintf(out, cap, "room for %lld files left for %s", (long long)r->files_left,
			 dir);
	} else {
		units_format_mem(r->left, size, sizeof(size));
		snprintf(out, cap, "%s left for %s", size, dir);
	}
}

void diskroom_fix(const struct diskroom *r, const char *dir, char *out, size_t cap)
{
	if (r->is == DISKROOM_READ_ONLY) {
		snprintf(out, cap, "mount it writable, or set PMCTL_HOME");
	} else {
		snprintf(
			out, cap,
			"make room; what fills it: du -xh %s | sort -h | tail; logs of ours: pmctl "
			"flush, log_max_size, log_keep",
			dir);
	}
}
