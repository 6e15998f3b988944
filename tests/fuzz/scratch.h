/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_SCRATCH_H
#define PMCTL_TESTS_SCRATCH_H
/* scratch - a folder in memory for the files of a fuzz target; it goes when the program ends. */
#include <stddef.h>

/* The folder, made at the first call. */
const char *scratch_dir(void);
/* NAME below it (may have a / in it); valid until the eighth call from now. */
const char *scratch_path(const char *name);
/* Make a file of these bytes, anew. */
void scratch_write(const char *name, const void *data, size_t len);
/* Make an empty folder of NAME, whatever was there. */
void scratch_fresh(const char *name);

/* Inputs of several files: "=== NAME" lines, each followed by the bytes of that file. Calls fn for
 * each; what stands before the first such line is "". */
void scratch_sections(const void *data, size_t len,
		      void (*fn)(void *ctx, const char *name, const char *text, size_t len),
		      void *ctx);

#endif
