/* SPDX-License-Identifier: MIT */
#include "client/startup/servicemgr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/startup/unit.h"
#include "client/tool.h"
#include "common/mem.h"
#include "sys/fileio.h"
#include "sys/users.h"

#define CTL_MS	  30000
#define ASK_MS	  5000
#define UNIT_SIZE (64 * 1024)

/* systemctl [--user|--root=DIR] WORDS..., at most 3 of them. */
static int run(const struct servicemgr *m, const char *const *words, int timeout_ms,
	       struct buf *out)
{
	char *root = m->root ? xasprintf("--root=%s", m->root) : NULL;
	const char *argv[8] = {"systemctl"};
	size_t n = 1;
	if (m->user) {
		argv[n++] = "--user";
	}
	if (root) {
		argv[n++] = root;
	}
	for (; *words; words++) {
		argv[n++] = *words;
	}
	int status = tool_run(argv, timeout_ms, out);
	free(root);
	return status;
}

/* What a program said, for an error: its first line, made short. */
static const char *first_line(struct buf *said)
{
	if (!said->len) {
		return "without a word";
	}
	said->data[strcspn(said->data, "\n")] = '\0';
	return said->data;
}

bool servicemgr_runs(const struct servicemgr *m, struct err *err)
{
	static const char *const words[] = {"show", "--property=Version", NULL};
	struct buf said = {0};
	int status = run(m, words, ASK_MS, &said);
	if (status == TOOL_MISSING) {
		err_set(err, ERR_FAILED, "there is no systemd on this machine (no systemctl)");
	} else if (status == TOOL_KILLED) {
		err_set(err, ERR_FAILED, "systemctl does not answer within %d s", ASK_MS / 1000);
	} else if (status != 0) {
		err_set(err, ERR_FAILED, "systemd does not run %s (systemctl%s: %.400s)",
			m->user ? "for this user" : "here", m->user ? " --user" : "",
			first_line(&said));
	}
	buf_finish(&said);
	return status == 0;
}

char *servicemgr_unit_dir(const struct servicemgr *m, struct err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	if (!m->user) {
		return xasprintf("%s/etc/systemd/system", m->root ? m->root : "");
	}
	if (config && config[0] == '/') {
		return xasprintf("%s/systemd/user", config);
	}
	if (!home || home[0] != '/') {
		err_set(err, ERR_FAILED, "HOME is not set, so that no place for a unit is known");
		return NULL;
	}
	return xasprintf("%s/.config/systemd/user", home);
}

char *servicemgr_read(const char *path)
{
	char *text = xmalloc(UNIT_SIZE);
	if (file_read(AT_FDCWD, path, text, UNIT_SIZE) < 0) {
		int saved = errno;
		free(text);
		errno = saved;
		return NULL;
	}
	return text;
}

char *servicemgr_vendor_unit(const struct servicemgr *m, char **where)
{
	static const char *const dirs[] = {"/usr/local/lib", "/usr/lib", "/lib"};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path = xasprintf("%s%s/systemd/%s/" UNIT_NAME, m->root ? m->root : "",
				       dirs[i], m->user ? "user" : "system");
		char *text = servicemgr_read(path);
		if (text) {
			*where = path;
			return text;
		}
		free(path);
	}
	return NULL;
}

bool servicemgr_ctl(const struct servicemgr *m, const char *word, bool on_unit, struct err *err)
{
	const char *words[] = {word, on_unit ? UNIT_NAME : NULL, NULL};
	struct buf said = {0};
	int status = m->root && !on_unit ? 0 : run(m, words, CTL_MS, &said);
	if (status == TOOL_KILLED) {
		err_set(err, ERR_FAILED, "systemctl %s did not end by itself within %d s", word,
			CTL_MS / 1000);
	} else if (status != 0) {
		err_set(err, ERR_FAILED, "systemctl %s failed: %.400s", word,
			status == TOOL_MISSING ? "it is not there" : first_line(&said));
	}
	buf_finish(&said);
	return status == 0;
}

void servicemgr_word(const struct servicemgr *m, const char *word, char *out, size_t cap)
{
	const char *words[] = {word, UNIT_NAME, NULL};
	struct buf said = {0};
	int status = run(m, words, ASK_MS, &said);
	const char *text = status >= 0 && said.len ? first_line(&said) : "";
	snprintf(out, cap, "%s", strchr(text, ' ') ? "" : text); /* a sentence is an error */
	buf_finish(&said);
}

bool servicemgr_verify(const struct servicemgr *m, const char *path, bool *looked, struct err *err)
{
	const char *argv[] = {
		"systemd-analyze",     "verify", "--man=no", m->user ? "--user" : path,
		m->user ? path : NULL, NULL};
	struct buf said = {0};
	int status = tool_run(argv, CTL_MS, &said);
	/* It complains about other units as well, and where it cannot work; neither is about ours.
	 */
	const char *name = strrchr(path, '/') + 1;
	bool about_us = status > 0 && said.len && strstr(said.data, name);
	*looked = status == 0 || about_us;
	if (about_us) {
		err_set(err, ERR_FAILED, "systemd-analyze verify: %.800s", said.data);
	}
	buf_finish(&said);
	return !about_us;
}

char *servicemgr_linger_fix(void)
{
	struct user u;
	struct err ignored;
	if (!users_resolve(NULL, NULL, &u, &ignored)) {
		return xstrdup("loginctl enable-linger");
	}
	char *path = xasprintf("/var/lib/systemd/linger/%s", u.name);
	char *fix = access(path, F_OK) == 0
			    ? NULL
			    : xasprintf("loginctl enable-linger (where that is denied: sudo "
					"loginctl enable-linger %s)",
					u.name);
	free(path);
	users_finish(&u);
	return fix;
}
