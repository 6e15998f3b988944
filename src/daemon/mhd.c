/* SPDX-License-Identifier: MIT */
#include "daemon/mhd.h"

#ifdef PMCTL_HAVE_MICROHTTPD
#include <dlfcn.h>
#include <stddef.h>

#include "common/mem.h"

#define LIBRARY "libmicrohttpd.so.12"

static struct mhd mhd;
static void *library;

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	{"MHD_start_daemon", offsetof(struct mhd, start_daemon)},
	{"MHD_stop_daemon", offsetof(struct mhd, stop_daemon)},
	{"MHD_run", offsetof(struct mhd, run)},
	{"MHD_get_timeout", offsetof(struct mhd, get_timeout)},
	{"MHD_get_daemon_info", offsetof(struct mhd, get_daemon_info)},
	{"MHD_add_connection", offsetof(struct mhd, add_connection)},
	{"MHD_get_connection_info", offsetof(struct mhd, get_connection_info)},
	{"MHD_lookup_connection_value", offsetof(struct mhd, lookup_connection_value)},
	{"MHD_create_response_from_buffer", offsetof(struct mhd, create_response)},
	{"MHD_create_response_from_buffer_with_free_callback",
	 offsetof(struct mhd, create_freed_response)},
	{"MHD_add_response_header", offsetof(struct mhd, add_response_header)},
	{"MHD_queue_response", offsetof(struct mhd, queue_response)},
	{"MHD_destroy_response", offsetof(struct mhd, destroy_response)},
};

static bool load(struct err *err)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		return err_set(err, ERR_FAILED,
			       "metrics are not served: %s is missing (Debian: libmicrohttpd12)",
			       LIBRARY);
	}
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		void *f = dlsym(lib, functions[i].name);
		if (!f) {
			dlclose(lib);
			return err_set(err, ERR_FAILED, "metrics are not served: %s has no %s",
				       LIBRARY, functions[i].name);
		}
		*(void **)(void *)((char *)&mhd + functions[i].offset) = f;
	}
	library = lib; /* for good */
	return true;
}

const struct mhd *mhd_get(struct err *err)
{
	return library || load(err) ? &mhd : NULL;
}
#endif
