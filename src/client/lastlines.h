/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LASTLINES_H
#define PMCTL_CLIENT_LASTLINES_H
/*
 * lastlines - what instances wrote last, at a point in time: for `why` and `show`.
 *
 * Read from the log files, so it is there after a reboot too, and nobody has to keep it.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct lastlines {
	const char *app;
	int slot;		    /* -1 = all of the app */
	size_t n;		    /* at most so many */
	int64_t since_ms, until_ms; /* real ms; neither older nor younger */
};

/* `files` of the answer to `logs`. An array of {"ms", "slot", "stream", "text"}, oldest first, the
 * text escaped. Never NULL; the caller's. */
json_t *lastlines_read(const struct lastlines *want, const json_t *files);

#endif
