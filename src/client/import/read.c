/* SPDX-License-Identifier: MIT */
#include "client/import/read.h"

#include <string.h>

#include "client/import/json.h"
#include "client/import/map.h"
#include "common/affix.h"
#include "common/mem.h"
#include "common/utf8.h"

static enum import_format by_name(const char *path)
{
	static const struct {
		const char *end;
		enum import_format format;
	} ends[] = {
		{".js", FORMAT_CODE},	      {".cjs", FORMAT_CODE},
		{".mjs", FORMAT_CODE},	      {".ts", FORMAT_CODE},
		{".cts", FORMAT_CODE},	      {".mts", FORMAT_CODE},
		{".json", FORMAT_JSON},	      {".json5", FORMAT_JSON},
		{".yml", FORMAT_YAML},	      {".yaml", FORMAT_YAML},
		{"dump.pm2", FORMAT_DUMP},    {"dump.pm2.bak", FORMAT_DUMP},
		{".service", FORMAT_SYSTEMD},
	};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (text_starts(name, "Procfile") || text_ends(name, ".procfile")) {
		return FORMAT_PROCFILE;
	}
	if (text_starts(name, "docker-compose") || text_starts(name, "compose.y")) {
		return FORMAT_COMPOSE;
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (text_ends(name, ends[i].end)) {
			return ends[i].format;
		}
	}
	if (text_starts(name, "supervisor") &&
	    (text_ends(name, ".conf") || text_ends(name, ".ini"))) {
		return FORMAT_SUPERVISORD;
	}
	return FORMAT_UNKNOWN;
}

/* Whether a line begins with this. */
static bool has_line(const char *text, const char *start)
{
	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (text_starts(s, start)) {
			return true;
		}
	}
	return false;
}

/* Each line that is none of comment is NAME: COMMAND. */
static bool is_procfile(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";
	bool any = false;
	for (const char *s = text; *s; s += *s == '\n') {
		size_t len = strcspn(s, "\n"), name = strspn(s, letters);
		size_t blanks = strspn(s, " \t\r");
		if (name && s[name] == ':' && name + 1 + strspn(s + name + 1, " \t\r") < len) {
			any = true;
		} else if (blanks < len && s[blanks] != '#') {
			return false;
		}
		s += len;
	}
	return any;
}

static enum import_format by_text(const char *text)
{
	static const struct {
		const char *line;
		enum import_format format;
	} lines[] = {
		{"[program:", FORMAT_SUPERVISORD},
		{"[fcgi-program:", FORMAT_SUPERVISORD},
		{"[supervisord]", FORMAT_SUPERVISORD},
		{"[include]", FORMAT_SUPERVISORD},
		{"[Unit]", FORMAT_SYSTEMD},
		{"[Service]", FORMAT_SYSTEMD},
		{"module.exports", FORMAT_CODE},
		{"exports.", FORMAT_CODE},
		{"export ", FORMAT_CODE},
		{"import ", FORMAT_CODE},
		{"const ", FORMAT_CODE},
		{"services:", FORMAT_COMPOSE},
		{"apps:", FORMAT_YAML},
		{"- name:", FORMAT_YAML},
		{"- script:", FORMAT_YAML},
	};
	text += text_starts(text, "\xEF\xBB\xBF") ? 3 : 0;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (has_line(text, lines[i].line)) {
			return lines[i].format;
		}
	}
	char first = text[strspn(text, " \t\r\n")];
	return first == '{' || first == '[' ? FORMAT_JSON
	       : is_procfile(text)	    ? FORMAT_PROCFILE
					    : FORMAT_UNKNOWN;
}

enum import_format importread_format(const char *path, const char *text)
{
	enum import_format f = path ? by_name(path) : FORMAT_UNKNOWN;
	return f == FORMAT_UNKNOWN && text ? by_text(text) : f;
}

const char *importread_name(enum import_format format)
{
	static const char *const names[] = {"unknown",	"pm2-code",    "pm2-json",
					    "pm2-yaml", "supervisord", "procfile",
					    "pm2-dump", "compose",     "systemd"};
	return names[format];
}

enum import_format importread_named(const char *name)
{
	static const struct {
		const char *name;
		enum import_format format;
	} known[] = {{"js", FORMAT_CODE},
		     {"json", FORMAT_JSON},
		     {"yaml", FORMAT_YAML},
		     {"yml", FORMAT_YAML},
		     {"supervisord", FORMAT_SUPERVISORD},
		     {"procfile", FORMAT_PROCFILE},
		     {"dump", FORMAT_DUMP}};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) == 0) {
			return known[i].format;
		}
	}
	return FORMAT_UNKNOWN;
}

bool importread_check(const char *text, size_t len, struct err *err)
{
	if (len >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
		return err_set(err, ERR_CONFIG,
			       "is UTF-16, which PM2 does not read either; iconv -f utf16 -t utf8 "
			       "makes UTF-8 of it");
	}
	return true;
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

bool importread_check_text(const char *text, size_t len, struct err *err)
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
		if (!importread_check_text(text, len, err)) {
			return false;
		}
		return *format == FORMAT_PROCFILE ? import_procfile(im, text, err)
						  : import_supervisord(im, text, err);
	case FORMAT_COMPOSE:
		return err_set(err, ERR_CONFIG,
			       "is a list of containers (compose), which is not imported: pmctl "
			       "runs programs; write an [app:NAME] for what a container runs");
	case FORMAT_SYSTEMD:
		return err_set(err, ERR_CONFIG,
			       "is a unit of systemd, which is not imported: write an [app:NAME] "
			       "whose command is its ExecStart, or let systemd go on with it");
	case FORMAT_CODE:
	case FORMAT_UNKNOWN:
		break;
	}
	return err_set(err, ERR_CONFIG,
		       "is no app list we know: ecosystem.config.js, .json, .yml, "
		       "supervisord.conf, Procfile, dump.pm2; --format says which one it is");
}
