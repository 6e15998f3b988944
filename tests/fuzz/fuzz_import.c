/* SPDX-License-Identifier: MIT */
/*
 * App lists of other programs: the first byte chooses the format. A verdict on every one; the
 * result of an import is an app list that our own parser takes, and reads as it was written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/read.h"
#include "client/import/report.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum import_look look(const char *path)
{
	return (enum import_look)(strlen(path) % 3);
}

static const char *variable(const char *name)
{
	return strcmp(name, "HOME") == 0 ? "/home/u" : NULL;
}

/* Each pattern means two files, and what lies beside a list is always there. */
static bool files_of(const char *pattern, struct words *out)
{
	words_add(out, pattern);
	words_add(out, "/srv/app/other.conf");
	return strlen(pattern) % 5 != 0;
}

static bool text_of(const char *path, struct buf *out, struct err *err)
{
	const char *slash = strrchr(path, '/');
	if (strcmp(slash ? slash : "", "/.foreman") == 0) {
		buf_adds(out, "port: 70\nformation: web=2,all=0\n");
	} else if (strcmp(slash ? slash : "", "/.env") == 0) {
		buf_adds(out, "PORT=65535\n");
	} else if (strlen(path) % 7 == 0) {
		return err_set(err, ERR_CONFIG, "%.60s: no", path);
	} else {
		buf_adds(out, "[program:z]\ncommand=%(here)s/x\n[include]\nfiles=*\n[group:g]\n"
			      "programs=z,a\n");
	}
	return true;
}

static void check(struct import *im, enum import_format format)
{
	struct err_list problems = {0};
	struct buf text = {0}, ini = {0};
	import_settle(im);
	import_verify(im, &problems);
	/* Two apps that wait for each other were so in the source. */
	for (size_t i = 0; i < problems.count; i++) {
		if (!strstr(problems.msg[i], "after")) {
			abort();
		}
	}
	import_render(im, &ini, true);
	importreport_text(im, &text);
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.data[i] < ' ' && text.data[i] != '\n' &&
		    text.data[i] != '\t') {
			abort(); /* it would reach the terminal */
		}
	}
	importreport_json(im, importread_name(format), ini.data, &problems, &text);
	buf_finish(&text);
	buf_finish(&ini);
	err_list_finish(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct import_world world = {
		.look = look, .env = variable, .glob = files_of, .text = text_of};
	static const enum import_format formats[] = {FORMAT_JSON, FORMAT_YAML, FORMAT_SUPERVISORD,
						     FORMAT_PROCFILE, FORMAT_DUMP};
	static const char letters[] = "jyspd";
	const char *which = size ? memchr(letters, data[0], 5) : NULL;
	if (!which || size > 20000) {
		return 0;
	}
	enum import_format format = formats[which - letters];
	char *text = xstrndup((const char *)data + 1, size - 1);
	struct import im;
	struct err err = {0};
	import_init(&im, &world, "list", "/srv/app", size % 2 ? "/srv/app" : "/etc");
	if (importread_text(&im, &format, text, strlen(text), &err)) {
		check(&im, format);
	} else if (!err.msg[0]) {
		abort(); /* a refusal has a reason */
	}
	import_finish(&im);
	free(text);
	return 0;
}
