/* SPDX-License-Identifier: MIT */
#include "client/skew.h"

#include <stdio.h>
#include <string.h>

/* glibc's order of "0.9.1" and "0.10"; a suffix such as "-rc1" counts as what it says. */
bool skew_text(const char *daemon_version, const char *own_version, char *out, size_t cap)
{
	int order = strverscmp(daemon_version, own_version);
	if (!daemon_version[0] || order == 0) {
		return false;
	}
	snprintf(out, cap, "pmctld is %s and this is pmctl %s; %s", daemon_version, own_version,
		 order < 0 ? "run pmctl daemon upgrade (the apps keep running)"
			   : "use the pmctl that came with it");
	return true;
}
