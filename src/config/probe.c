/* SPDX-License-Identifier: MIT */
#include "config/probe.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/buf.h"
#include "common/mem.h"
#include "config/names.h"

#define HTTP_PORT 80

/* --- placeholders --- */

static bool replace(const char *text, int port, int slot, struct buf *out, struct err *err)
{
	for (const char *s = text; *s;) {
		if (strncmp(s, "{slot}", 6) == 0) {
			buf_addf(out, "%d", slot);
			s += 6;
		} else if (strncmp(s, "{port}", 6) == 0) {
			if (port <= 0) {
				return err_set(
					err, ERR_CONFIG,
					"{port} is not known: set env.PORT, with increment_var "
					"= PORT for one a slot");
			}
			buf_addf(out, "%d", port);
			s += 6;
		} else {
			buf_addc(out, *s++);
		}
	}
	return true;
}

/* --- addresses --- */

static bool set_host(struct probe_target *t, const char *text, size_t len, struct err *err)
{
	unsigned char addr[16];
	char shown[SHOWN_MAX];
	char *host = xstrndup(text, len);
	if (strcmp(host, "localhost") == 0) {
		t->host = xstrdup("127.0.0.1");
	} else if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		t->host = xstrndup(host + 1, len - 2);
	} else {
		t->host = xstrdup(host);
	}
	bool ok = inet_pton(strchr(t->host, ':') ? AF_INET6 : AF_INET, t->host, addr) == 1;
	if (!ok) {
		err_set(err, ERR_CONFIG,
			"\"%s\" is not an address; a probe asks 127.0.0.1, [::1] or localhost",
			names_shown(host, shown));
	}
	free(host);
	return ok;
}

static bool set_port(struct probe_target *t, const char *text, size_t len, struct err *err)
{
	char shown[SHOWN_MAX];
	char *end;
	char *copy = xstrndup(text, len);
	unsigned long n = strtoul(copy, &end, 10);
	bool ok = len > 0 && len <= 5 && !copy[strspn(copy, "0123456789")] && n > 0 && n <= 65535;
	if (ok) {
		t->port = (uint16_t)n;
	} else {
		err_set(err, ERR_CONFIG, "\"%s\" is not a port from 1 to 65535",
			names_shown(copy, shown));
	}
	free(copy);
	return ok;
}

/* HOST[:PORT] of len bytes; def = the port where none is given, 0 = one must be. */
static bool set_address(struct probe_target *t, const char *text, size_t len, uint16_t def,
			struct err *err)
{
	const char *from = text;
	if (len && text[0] == '[') {
		const char *end = memchr(text, ']', len);
		from = end ? end : text + len;
	}
	const char *colon = memchr(from, ':', len - (size_t)(from - text));
	if (!colon) {
		t->port = def;
		return (def || err_set(err, ERR_CONFIG, "has no port")) &&
		       set_host(t, text, len, err);
	}
	return set_host(t, text, (size_t)(colon - text), err) &&
	       set_port(t, colon + 1, len - (size_t)(colon + 1 - text), err);
}

/* --- kinds --- */

static bool expand_http(struct probe_target *t, const char *text, struct err *err)
{
	const char *rest = text + strlen("http://");
	if (strncmp(text, "http://", 7) != 0) {
		return err_set(err, ERR_CONFIG,
			       "https:// is not supported; ask with http:// or tcp://");
	}
	size_t len = strcspn(rest, "/?#");
	const char *path = rest + len;
	for (const char *s = path; *s; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s == 0x7f) {
			return err_set(err, ERR_CONFIG, "a URL has no blanks; write them as %%20");
		}
	}
	if (!set_address(t, rest, len, HTTP_PORT, err)) {
		return false;
	}
	t->path = path[0] == '/' ? xstrndup(path, strcspn(path, "#")) : xasprintf("/%s", path);
	t->text = xasprintf("GET %.100s", t->path);
	return true;
}

static bool expand_tcp(struct probe_target *t, const char *text, struct err *err)
{
	const char *rest = text + strlen("tcp://");
	if (!set_address(t, rest, strlen(rest), 0, err)) {
		return false;
	}
	bool v6 = strchr(t->host, ':') != NULL;
	t->text = xasprintf("tcp %s%s%s:%u", v6 ? "[" : "", t->host, v6 ? "]" : "", t->port);
	return true;
}

static bool expand_unix(struct probe_target *t, const char *text, struct err *err)
{
	const char *path = text + strlen("unix:");
	if (path[0] != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		return err_set(err, ERR_CONFIG, "unix: needs a path of at most %zu bytes",
			       sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	}
	t->path = xstrdup(path);
	t->text = xasprintf("unix %s", path);
	return true;
}

static bool expand_exec(struct probe_target *t, const char *text, struct err *err)
{
	const char *command = text + strlen("exec:");
	if (!words_split(&t->argv, command, err)) {
		return false;
	}
	if (!t->argv.n) {
		return err_set(err, ERR_CONFIG, "exec: needs a command");
	}
	t->text = xasprintf("%.100s", t->argv.v[0]);
	return true;
}

bool probe_expand(const struct probe *p, int port, int slot, struct probe_target *out,
		  struct err *err)
{
	struct buf text = {0};
	*out = (struct probe_target){.kind = p->kind};
	bool ok = replace(p->arg, port, slot, &text, err);
	const char *s = text.data;
	switch (ok && s ? p->kind : PROBE_NONE) {
	case PROBE_HTTP:
		ok = expand_http(out, s, err);
		break;
	case PROBE_TCP:
		ok = expand_tcp(out, s, err);
		break;
	case PROBE_UNIX:
		ok = expand_unix(out, s, err);
		break;
	case PROBE_EXEC:
		ok = expand_exec(out, s, err);
		break;
	default:
		break;
	}
	buf_finish(&text);
	return ok;
}

void probe_target_finish(struct probe_target *t)
{
	free(t->host);
	free(t->path);
	free(t->text);
	words_finish(&t->argv);
	*t = (struct probe_target){0};
}

/* --- which port --- */

int probe_port(const struct app_conf *c, int slot)
{
	const char *name = c->increment_var ? c->increment_var : "PORT";
	for (size_t i = 0; i < c->nenv; i++) {
		if (strcmp(c->env[i].name, name) == 0) {
			int n = atoi(c->env[i].value) + (c->increment_var ? slot : 0);
			return n > 0 && n <= 65535 ? n : 0;
		}
	}
	for (size_t i = 0; i < c->nlisten; i++) {
		if (c->listen[i].kind == LISTEN_TCP) {
			return c->listen[i].port;
		}
	}
	return 0;
}

bool probe_is_shared(const struct app_conf *c, const struct probe_target *t)
{
	for (size_t i = 0; i < c->nlisten; i++) {
		const struct listen_addr *a = &c->listen[i];
		bool tcp = t->kind == PROBE_HTTP || t->kind == PROBE_TCP;
		if ((tcp && a->kind == LISTEN_TCP && a->port == t->port) ||
		    (t->kind == PROBE_UNIX && a->kind == LISTEN_UNIX &&
		     strcmp(a->path, t->path) == 0)) {
			return true;
		}
	}
	return false;
}
