/* SPDX-License-Identifier: MIT */
#include "sys/switches.h"

#include <stdlib.h>
#include <string.h>

bool switches_is_off(const char *feature)
{
	const char *list = getenv("PMCTL_FEATURES");
	size_t n = strlen(feature);
	while (list && *list) {
		size_t item = strcspn(list, ",");
		if (item == n + 1 && list[0] == '-' && memcmp(list + 1, feature, n) == 0) {
			return true;
		}
		list += item + (list[item] == ',');
	}
	return false;
}
