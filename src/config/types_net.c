/* SPDX-License-Identifier: MIT */
#include "config/types.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "config/names.h"
#include "config/probe.h"

/* listen */

static void finish_addr(struct listen_addr *a)
{
	free(a->host);
	free(a->path);
	free(a->text);
	*a = (struct listen_addr){0};
}

static bool check_host(const char *host, struct err *err)
{
	struct in_addr v4;
	char shown[SHOWN_MAX];
	if (strspn(host, "0123456789.") == strlen(host)) {
		if (inet_pton(AF_INET, host, &v4) == 1) {
			return true;
		}
	} else if (*host && host[0] != '-' &&
		   !host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-")]) {
		return true;
	}
	return err_set(err, ERR_CONFIG, "\"%s\" is not a host name or address",
		       names_shown(host, shown));
}

/* "[V6]:PORT"; *port is left at the port. */
static bool split_v6(const char *text, char **host, const char **port, struct err *err)
{
	struct in6_addr v6;
	const char *end = strchr(text, ']');
	if (!end || end[1] != ':') {
		return err_set(err, ERR_CONFIG, "an IPv6 address is written [ADDRESS]:PORT");
	}
	char *inner = xstrndup(text + 1, (size_t)(end - text - 1));
	if (inet_pton(AF_INET6, inner, &v6) != 1) {
		char shown[SHOWN_MAX];
		err_set(err, ERR_CONFIG, "\"%s\" is not an IPv6 address",
			names_shown(inner, shown));
		free(inner);
		return false;
	}
	*host = inner;
	*port = end + 2;
	return true;
}

/* "PORT", "HOST:PORT", "*:PORT", "[V6]:PORT"; host stays NULL where there is none. */
static bool split_host(const char *text, char **host, const char **port, struct err *err)
{
	if (text[0] == '[') {
		return split_v6(text, host, port, err);
	}
	const char *colon = strchr(text, ':');
	if (!colon) {
		*port = text;
		return true;
	}
	if (strchr(colon + 1, ':')) {
		return err_set(err, ERR_CONFIG, "an IPv6 address is written [ADDRESS]:PORT");
	}
	*port = colon + 1;
	if (colon - text == 1 && text[0] == '*') {
		return true;
	}
	char *name = xstrndup(text, (size_t)(colon - text));
	if (!check_host(name, err)) {
		free(name);
		return false;
	}
	*host = name;
	return true;
}

static bool parse_inet(struct listen_addr *a, const char *text, struct err *err)
{
	const char *port = NULL;
	long long n;
	char shown[SHOWN_MAX];
	if (!split_host(text, &a->host, &port, err)) {
		return false;
	}
	if (!types_read_number(port, 65535, &n) || n < 1) {
		return err_set(err, ERR_CONFIG, "\"%s\" is not a port from 1 to 65535",
			       names_shown(port, shown));
	}
	a->port = (uint16_t)n;
	return true;
}

static bool parse_addr(struct listen_addr *a, const char *dir, const char *text, struct err *err)
{
	a->text = xstrdup(text);
	if (strncmp(text, "unix:", 5) == 0) {
		a->kind = LISTEN_UNIX;
		if (!text[5]) {
			return err_set(err, ERR_CONFIG, "unix: needs a path");
		}
		a->path = types_join_path(dir, text + 5);
		if (strlen(a->path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
			return err_set(err, ERR_CONFIG,
				       "the path of a Unix socket is %zu bytes, %zu is the most",
				       strlen(a->path),
				       sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
		}
		return true;
	}
	if (strncmp(text, "udp:", 4) == 0) {
		a->kind = LISTEN_UDP;
		return parse_inet(a, text + 4, err);
	}
	a->kind = LISTEN_TCP;
	return parse_inet(a, strncmp(text, "tcp:", 4) == 0 ? text + 4 : text, err);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcasecmp(a, b) == 0 : a == b;
}

static bool same_addr(const struct listen_addr *a, const struct listen_addr *b)
{
	if (a->kind != b->kind) {
		return false;
	}
	return a->kind == LISTEN_UNIX ? strcmp(a->path, b->path) == 0
				      : a->port == b->port && same_text(a->host, b->host);
}

static bool add_addr(struct app_conf *c, const char *text, struct err *err)
{
	struct listen_addr a = {0};
	char shown[SHOWN_MAX];
	bool ok = true;
	if (!*text) {
		ok = err_set(err, ERR_CONFIG, "there is nothing between two commas");
	} else if (c->nlisten >= LIMIT_LISTEN) {
		ok = err_set(err, ERR_CONFIG, "more than %d addresses", LIMIT_LISTEN);
	} else {
		ok = parse_addr(&a, c->dir, text, err);
	}
	for (size_t i = 0; ok && i < c->nlisten; i++) {
		if (same_addr(&a, &c->listen[i])) {
			ok = err_set(err, ERR_CONFIG, "\"%s\" is given twice",
				     names_shown(text, shown));
		}
	}
	if (!ok) {
		finish_addr(&a);
		return false;
	}
	c->listen = xreallocarray(c->listen, c->nlisten + 1, sizeof(*c->listen));
	c->listen[c->nlisten++] = a;
	return true;
}

static bool parse_listen(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			 struct err *err)
{
	(void)sub;
	bool ok = true;
	for (bool last = false; ok && !last;) {
		size_t n = strcspn(text, ",");
		last = !text[n];
		const char *from = text + strspn(text, " \t");
		const char *to = text + n;
		while (to > from && (to[-1] == ' ' || to[-1] == '\t')) {
			to--;
		}
		char *item = xstrndup(from, to > from ? (size_t)(to - from) : 0);
		ok = add_addr(c, item, err);
		free(item);
		text += n + 1;
	}
	if (!ok) {
		k->type->free(c, k);
	}
	return ok;
}

static char *format_listen(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)k;
	(void)sub;
	struct buf b = {0};
	for (size_t i = 0; i < c->nlisten; i++) {
		const struct listen_addr *a = &c->listen[i];
		buf_adds(&b, i ? ", " : "");
		if (a->kind == LISTEN_UNIX) {
			buf_addf(&b, "unix:%s", a->path);
			continue;
		}
		buf_adds(&b, a->kind == LISTEN_UDP ? "udp:" : "");
		if (a->host) {
			buf_addf(&b, strchr(a->host, ':') ? "[%s]:" : "%s:", a->host);
		}
		buf_addf(&b, "%u", a->port);
	}
	return c->nlisten ? buf_take(&b) : NULL;
}

static void free_listen(struct app_conf *c, const struct key *k)
{
	(void)k;
	for (size_t i = 0; i < c->nlisten; i++) {
		finish_addr(&c->listen[i]);
	}
	free(c->listen);
	c->listen = NULL;
	c->nlisten = 0;
}

const struct key_type type_listen = {"a list of addresses", false, parse_listen, format_listen,
				     free_listen};

/* ready, health */

static const struct {
	const char *text;
	enum probe_kind kind;
	bool has_arg; /* text is a prefix then */
} probes[] = {
	{"auto", PROBE_AUTO, false},	       {"spawn", PROBE_SPAWN, false},
	{"listening", PROBE_LISTENING, false}, {"message", PROBE_MESSAGE, false},
	{"notify", PROBE_NOTIFY, false},       {"http://", PROBE_HTTP, true},
	{"https://", PROBE_HTTP, true},	       {"tcp://", PROBE_TCP, true},
	{"unix:", PROBE_UNIX, true},	       {"exec:", PROBE_EXEC, true},
};

static int find_probe(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		if (probes[i].has_arg ? strncmp(text, probes[i].text, strlen(probes[i].text)) == 0
				      : strcmp(text, probes[i].text) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* A path of unix: is looked for below the file's directory. */
static char *absolute(const struct app_conf *c, enum probe_kind kind, const char *text)
{
	if (kind != PROBE_UNIX) {
		return xstrdup(text);
	}
	char *path = types_join_path(c->dir, text + strlen("unix:"));
	char *all = xasprintf("unix:%s", path);
	free(path);
	return all;
}

static bool parse_probe(struct app_conf *c, const struct key *k, const char *text, int i,
			struct err *err)
{
	struct probe p = {.kind = probes[i].kind};
	struct probe_target sample = {0};
	bool ok = true;
	if (probes[i].has_arg && !text[strlen(probes[i].text)]) {
		return err_set(err, ERR_CONFIG, "there is nothing behind %s", probes[i].text);
	}
	if (probes[i].has_arg) {
		p.arg = absolute(c, p.kind, text);
		ok = probe_expand(&p, 1, 0, &sample, err);
	}
	probe_target_finish(&sample);
	if (ok) {
		TYPES_FIELD(c, k, struct probe) = p;
	} else {
		free(p.arg);
	}
	return ok;
}

static bool parse_ready(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			struct err *err)
{
	(void)sub;
	int i = find_probe(text);
	return i < 0 ? types_bad_choice(err, text, k->choices) : parse_probe(c, k, text, i, err);
}

static char *format_probe(const struct app_conf *c, const struct key *k, const char *sub)
{
	(void)sub;
	const struct probe *p = &TYPES_CONST_FIELD(c, k, struct probe);
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		if (probes[i].kind == p->kind) {
			return xstrdup(p->arg ? p->arg : probes[i].text);
		}
	}
	return NULL;
}

static bool parse_health(struct app_conf *c, const struct key *k, const char *sub, const char *text,
			 struct err *err)
{
	(void)sub;
	int i = find_probe(text);
	if (i < 0 || (!probes[i].has_arg && probes[i].kind != PROBE_NOTIFY)) {
		return types_bad_choice(err, text, k->choices);
	}
	return parse_probe(c, k, text, i, err);
}

static void free_probe(struct app_conf *c, const struct key *k)
{
	struct probe *p = &TYPES_FIELD(c, k, struct probe);
	free(p->arg);
	*p = (struct probe){0};
}

const struct key_type type_ready = {"a readiness signal", false, parse_ready, format_probe,
				    free_probe};
const struct key_type type_health = {"a probe", false, parse_health, format_probe, free_probe};
