/* SPDX-License-Identifier: MIT */
/* Preloaded into pmctld: a state file with "crash-here" in it makes the supervisor abort. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void *loadb(const char *text, size_t len, size_t flags, void *error);
loadb json_loadb;

void *json_loadb(const char *text, size_t len, size_t flags, void *error)
{
	loadb *next;
	*(void **)&next = dlsym(RTLD_NEXT, "json_loadb");
	if (memmem(text, len, "\"format\":", 9) && memmem(text, len, "crash-here", 10)) {
		abort();
	}
	return next(text, len, flags, error);
}
