/* SPDX-License-Identifier: MIT */
#include "client/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/import/read.h"
#include "common/affix.h"
#include "common/mem.h"
#include "common/words.h"
#include "sys/fileio.h"

bool foreign_is_list(const char *path)
{
	static const char *const lists[] = {
		".config.js",  ".config.cjs",  ".config.mjs",	".config.ts",	 ".config.cts",
		".config.mts", "ecosystem.js", "ecosystem.cjs", "ecosystem.mjs", "ecosystem.ts"};
	enum import_format f = importread_format(path, NULL);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (text_ends(path, lists[i])) {
			return true;
		}
	}
	if (f == FORMAT_PROCFILE || text_ends(path, ".conf")) {
		return file_is_regular(path);
	}
	return f != FORMAT_CODE && f != FORMAT_UNKNOWN && f < FORMAT_COMPOSE;
}

/* As a word of a command that is told. Caller frees. */
static char *quoted(const char *path)
{
	struct buf word = {0};
	words_add_quoted(&word, path);
	return buf_take(&word);
}

int foreign_refuse(struct client *c, const char *path)
{
	struct err err;
	char *word = quoted(path);
	char *hint = xasprintf("pmctl import %s -o " APPFILE_DEFAULT "\npmctl start", word);
	err_set(&err, ERR_USAGE,
		"start: %.100s is an app list of another program and is not run as a script; turn "
		"it into " APPFILE_DEFAULT " first:",
		path);
	int status = client_fail(c, &err, hint);
	free(hint);
	free(word);
	return status;
}

void foreign_note(const struct client *c)
{
	for (size_t i = 0; i < c->args.n; i++) {
		const char *path = c->args.operand[i];
		char *word = quoted(path);
		if (foreign_is_list(path) && file_is_regular(path)) {
			client_note(c,
				    "  %.100s is an app list of another program: pmctl import %s "
				    "-o " APPFILE_DEFAULT ", then pmctl apply",
				    path, word);
		} else if (text_ends(path, ".ini") && file_is_regular(path)) {
			client_note(
				c,
				"  %.100s is an app list: pmctl apply -c %s makes what runs match "
				"it",
				path, word);
		}
		free(word);
	}
}
