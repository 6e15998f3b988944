/* SPDX-License-Identifier: MIT */
#include "client/import/read.h"

#include <string.h>

#include "client/import/json.h"
#include "client/import/map.h"
#include "common/mem.h"
#include "common/utf8.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

static enum import_format by_name(const char *path)
{
	static const struct {
		const char *end;
		enum import_format format;
	} ends[] = {
		{".js", FORMAT_CODE},	{".cjs", FORMAT_CODE},	   {".mjs", FORMAT_CODE},
		{".json", FORMAT_JSON}, {".json5", FORMAT_JSON},   {".yml", FORMAT_YAML},
		{".yaml", FORMAT_YAML}, {"dump.pm2", FORMAT_DUMP}, {"dump.pm2.bak", FORMAT_DUMP},
	};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (strncmp(name, "Procfile", 8) == 0 || ends_with(name, ".procfile")) {
		return FORMAT_PROCFILE;
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (ends_with(name, ends[i].end)) {
			return ends[i].format;
		}
	}
	if (strncmp(name, "supervisor", 10) == 0 &&
	    (ends_with(name, ".conf") || ends_with(name, ".ini"))) {
		return FORMAT_SUPERVISORD;
	}
	return FORMAT_UNKNOWN;
}

enum import_format importread_format(const char *path, const char *text)
{
	enum import_format f = by_name(path);
	if (f != FORMAT_UNKNOWN || !text) {
		return f;
	}
	const char *s = text + strspn(text, " \t\r\n");
	if (strncmp(s, "[program:", 9) == 0 || strstr(text, "\n[program:") ||
	    strncmp(s, "[supervisord]", 13) == 0) {
		return FORMAT_SUPERVISORD;
	}
	return *s == '{' || *s == '[' ? FORMAT_JSON : FORMAT_UNKNOWN;
}

const char *importread_name(enum import_format format)
{
	static const char *const names[] = {"unknown",	   "pm2-code", "pm2-json", "pm2-yaml",
					    "supervisord", "procfile", "pm2-dump"};
	return names[format];
}

/* Both are taken over; root NULL = *err says why. */
static bool read_tree(struct import *im, enum import_format *format, json_t *root, json_t *where,
		      struct err *err)
{
	const struct import_source src = {.root = root, .where = where};
	const json_t *first = json_array_get(root, 0);
	bool ok = root != NULL;
	if (ok && json_object_get(first, "pm_exec_path")) {
		*format = FORMAT_DUMP;
	}
	if (ok && *format == FORMAT_DUMP) {
		ok = import_dump(im, root, where, err);
	} else if (ok) {
		ok = import_pm2(im, &src, err);
	}
	json_decref(root);
	json_decref(where);
	return ok;
}

/* As text our INI can hold. */
static bool check_text(const char *text, size_t len, struct err *err)
{
	unsigned line = 1;
	uint32_t cp;
	if (memchr(text, '\0', len)) {
		return err_set(err, ERR_CONFIG, "there is a NUL byte in it");
	}
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(text + i, len - i, &cp);
		if (n == 0) {
			return err_set(err, ERR_CONFIG,
				       "line %u is not UTF-8; iconv -f latin1 -t utf8 may help",
				       line);
		}
		line += text[i] == '\n';
	}
	return true;
}

bool importread_text(struct import *im, enum import_format *format, const char *text, size_t len,
		     struct err *err)
{
	json_t *root, *where = NULL;
	switch (*format) {
	case FORMAT_JSON:
	case FORMAT_DUMP:
		root = importjson_read(text, len, &where, err);
		return read_tree(im, format, root, where, err);
	case FORMAT_YAML:
		root = importyaml_read(text, len, &where, err);
		return read_tree(im, format, root, where, err);
	case FORMAT_SUPERVISORD:
	case FORMAT_PROCFILE:
		if (!check_text(text, len, err)) {
			return false;
		}
		return *format == FORMAT_PROCFILE ? import_procfile(im, text, err)
						  : import_supervisord(im, text, err);
	case FORMAT_CODE:
	case FORMAT_UNKNOWN:
		break;
	}
	return err_set(err, ERR_CONFIG,
		       "is no app list we know: ecosystem.config.js, .json, .yml, "
		       "supervisord.conf, Procfile, dump.pm2");
}
