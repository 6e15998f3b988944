/* SPDX-License-Identifier: MIT */
#include "config/filekeys.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "config/conf.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/names.h"
#include "config/types.h"

static bool set_project(struct ini_file *f, const char *dir, const char *value, unsigned line,
			struct err *err)
{
	(void)dir;
	(void)line;
	if (!names_check_group(value, err)) {
		return false;
	}
	free(f->project);
	f->project = xstrdup(value);
	f->project_line = line;
	return true;
}

static bool add_include(struct ini_file *f, const char *dir, const char *value, unsigned line,
			struct err *err)
{
	(void)err;
	f->includes = xreallocarray(f->includes, f->nincludes + 1, sizeof(*f->includes));
	f->includes[f->nincludes++] =
		(struct ini_include){.glob = types_join_path(dir, value), .line = line};
	return true;
}

/* Who can connect needs no password, so only this machine can. */
static char *loopback_text(const struct listen_addr *a)
{
	struct in_addr v4;
	struct in6_addr v6;
	char host[INET6_ADDRSTRLEN];
	struct buf b = {0};
	const char *text = a->host && strcmp(a->host, "localhost") == 0 ? "127.0.0.1" : a->host;
	if (text && inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127) {
		buf_addf(&b, "%s:%u", inet_ntop(AF_INET, &v4, host, sizeof(host)), a->port);
	} else if (text && inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6)) {
		buf_addf(&b, "[::1]:%u", a->port);
	} else {
		return NULL;
	}
	return buf_take(&b);
}

static bool one_address(const struct app_conf *c, char **out, struct err *err)
{
	const struct listen_addr *a = c->listen;
	if (c->nlisten != 1) {
		return err_set(err, ERR_CONFIG, "takes one address");
	}
	if (a->kind == LISTEN_UDP) {
		return err_set(err, ERR_CONFIG, "metrics are not served over UDP");
	}
	char *text = a->kind == LISTEN_UNIX ? xasprintf("unix:%s", a->path) : loopback_text(a);
	if (!text) {
		return err_set(err, ERR_CONFIG,
			       "\"%.60s\" can be reached from elsewhere, and there is no password: "
			       "unix:PATH or 127.0.0.1:PORT, and a proxy for others",
			       a->text);
	}
	*out = text;
	return true;
}

bool filekeys_metrics(const char *dir, const char *value, char **out, struct err *err)
{
	struct app_conf c = {.dir = (char *)(uintptr_t)dir};
	const struct key *k = keys_find("listen");
	if (types_read_bool(value) == 0) {
		*out = NULL;
		return true;
	}
	bool ok = types_parse(&c, k, NULL, value, err) && one_address(&c, out, err);
	k->type->free(&c, k);
	return ok;
}

static bool set_metrics(struct ini_file *f, const char *dir, const char *value, unsigned line,
			struct err *err)
{
	f->metrics_line = line;
	return filekeys_metrics(dir, value, &f->metrics, err);
}

/* In the order of the manual page. */
const struct file_key file_keys[] = {
	{"project", set_project, "NAME",
	 "A name for all apps of the file. Default that of its folder."},
	{"include", add_include, "GLOB",
	 "A pattern of more files. Each has its own [defaults]; its apps belong to this project "
	 "unless it names another. The file itself is passed over where a pattern matches it, too. "
	 "An included file includes no others."},
	{"metrics", set_metrics, "unix:PATH|127.0.0.1:PORT|no",
	 "Where the daemon serves its figures as OpenMetrics, for Prometheus and its like: all of "
	 "them, also those of apps of other files. Only Unix sockets (mode 0600) and loopback "
	 "addresses are taken, as there is no password. It is known to the daemon once the file is "
	 "started, and kept over its restarts; a change or removal holds once the file is started "
	 "again. It also ends with the last app of the project. Several files may name the same "
	 "address, or others: it is served at each. An address that is taken is no reason not to "
	 "start: it is tried again, and pmctl daemon status says so. Default: no."},
};
const size_t file_keys_count = ARRAY_LEN(file_keys);

const struct file_key *filekeys_find(const char *name)
{
	for (size_t i = 0; i < file_keys_count; i++) {
		if (strcmp(file_keys[i].name, name) == 0) {
			return &file_keys[i];
		}
	}
	return NULL;
}
