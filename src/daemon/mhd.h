/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_MHD_H
#define PMCTL_DAEMON_MHD_H
/*
 * mhd - libmicrohttpd, loaded when metrics are first to be served.
 *
 * Linked in the ordinary way it would bring a TLS library and nine others into keeper and
 * supervisor of everybody: 2 MB each, and a start that takes several times as long.
 */
#include <stdbool.h>

#include "common/err.h"
#include "version.h"

#ifdef PMCTL_HAVE_MICROHTTPD
#include <microhttpd.h>

struct mhd {
	__typeof__(&MHD_start_daemon) start_daemon;
	__typeof__(&MHD_stop_daemon) stop_daemon;
	__typeof__(&MHD_run) run;
	__typeof__(&MHD_get_timeout) get_timeout;
	__typeof__(&MHD_get_daemon_info) get_daemon_info;
	__typeof__(&MHD_add_connection) add_connection;
	__typeof__(&MHD_get_connection_info) get_connection_info;
	__typeof__(&MHD_lookup_connection_value) lookup_connection_value;
	__typeof__(&MHD_create_response_from_buffer) create_response;
	__typeof__(&MHD_create_response_from_buffer_with_free_callback) create_freed_response;
	__typeof__(&MHD_add_response_header) add_response_header;
	__typeof__(&MHD_queue_response) queue_response;
	__typeof__(&MHD_destroy_response) destroy_response;
};

/* NULL if it is not installed, or not the one we know. */
const struct mhd *mhd_get(struct err *err);
#endif

#endif
