/* SPDX-License-Identifier: MIT */
/* The text of an app list: a verdict on every one, and an accepted app decodes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/conf.h"
#include "config/ini.h"
#include "config/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ini_file f = {0};
	struct err_list errs = {0};
	struct ini_source src = {.text = (const char *)data,
				 .len = size,
				 .file = "/d/pmctl.ini",
				 .dir = "/d",
				 .project = "d",
				 .profile = size % 2 ? "p" : NULL};
	bool ok = ini_parse_apps(&f, &src, &errs);
	if (ok != (errs.count == 0 && errs.dropped == 0)) {
		abort();
	}
	order_check(f.apps, f.napps, NULL, 0, &errs);
	order_sort(f.apps, f.napps);
	for (size_t i = 0; ok && i < f.napps; i++) {
		struct err_list more = {0};
		struct app_conf conf = {0};
		if (!conf_decode(&conf, f.apps[i], &more)) {
			abort(); /* what the client accepts the daemon accepts */
		}
		conf_finish(&conf);
		err_list_finish(&more);
	}
	ini_file_finish(&f);
	err_list_finish(&errs);
	return 0;
}
