/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STARTUP_SERVICEMGR_H
#define PMCTL_CLIENT_STARTUP_SERVICEMGR_H
/*
 * servicemgr - systemd as startup, unstartup and doctor see it: through systemctl, and the
 * directories of its units. The system's own manager, that of the user, or units below another root
 * directory, where nothing runs.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

struct servicemgr {
	bool user;
	const char *root; /* another root directory; NULL = / */
};

/* Whether it runs and answers us. ERR_FAILED with the reason. */
bool servicemgr_runs(const struct servicemgr *m, struct err *err);

/* Where a unit of the administrator or user is, and where packages put theirs. The caller frees;
 * NULL (ERR_FAILED): HOME is not set. */
char *servicemgr_unit_dir(const struct servicemgr *m, struct err *err);
/* The text of the unit that came with a package, *where = its path; NULL if there is none. The
 * caller frees both. */
char *servicemgr_vendor_unit(const struct servicemgr *m, char **where);

/* systemctl WORD UNIT_NAME, or only WORD. Without effect on another root but for enable and
 * disable. */
bool servicemgr_ctl(const struct servicemgr *m, const char *word, bool on_unit, struct err *err);
/* The one word that systemctl WORD UNIT_NAME prints: is-enabled, is-active. "" = none. */
void servicemgr_word(const struct servicemgr *m, const char *word, char *out, size_t cap);
/* Let systemd-analyze look at a unit. ERR_FAILED with what it says; true also where that is not
 * there or cannot work, *looked tells. */
bool servicemgr_verify(const struct servicemgr *m, const char *path, bool *looked, struct err *err);

/* What makes services of the user we are start at boot and run on after the last log out; NULL if
 * they do. The caller frees. */
char *servicemgr_linger_fix(void);

/* A small file as text, NULL with errno. The caller frees. */
char *servicemgr_read(const char *path);

#endif
