/* SPDX-License-Identifier: MIT */
#include "daemon/environ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "daemon/runner.h"

extern char **environ;

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void add(struct words *env, const char *name, const char *value)
{
	char *entry = NULL;
	if (asprintf(&entry, "%s=%s", name, value) < 0) {
		abort();
	}
	words_add(env, entry);
	free(entry);
}

static void add_number(struct words *env, const char *name, long long n)
{
	char value[24];
	snprintf(value, sizeof(value), "%lld", n);
	add(env, name, value);
}

/* Variables that are about us, or about the program that started us. */
static bool is_private(const char *entry)
{
	static const char *const prefixes[] = {"PMCTL_",	"NOTIFY_SOCKET=",  "LISTEN_",
					       "NODE_CHANNEL_", "NODE_UNIQUE_ID=", "WATCHDOG_"};
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_name_of(const struct words *env, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;
	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], entry, len) == 0) {
			return true;
		}
	}
	return false;
}

/* pmctld --foreground --pass-env: of a container, which is configured by them. */
static void add_passed(struct words *env)
{
	for (char **e = environ; *e; e++) {
		if (strchr(*e, '=') && !is_private(*e) && !has_name_of(env, *e)) {
			words_add(env, *e);
		}
	}
}

static void add_base(struct words *env, const struct user *user)
{
	const char *path = getenv("PATH");
	add(env, "PATH", path && path[0] ? path : DEFAULT_PATH);
	add(env, "HOME", user->home);
	add(env, "USER", user->name);
	add(env, "SHELL", user->shell);
	for (char **e = environ; *e; e++) {
		if (strncmp(*e, "LANG=", 5) == 0 || strncmp(*e, "TZ=", 3) == 0 ||
		    strncmp(*e, "LC_", 3) == 0) {
			words_add(env, *e);
		}
	}
}

/* Replaces a variable of the base; the file has no name twice. */
static void add_or_replace(struct words *env, size_t *nbase, const char *name, const char *value)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < *nbase; i++) {
		if (strncmp(env->v[i], name, len) == 0 && env->v[i][len] == '=') {
			free(env->v[i]);
			memmove(&env->v[i], &env->v[i + 1], (env->n - i) * sizeof(*env->v));
			env->n--;
			(*nbase)--;
			break;
		}
	}
	add(env, name, value);
}

/* increment_var: the number in the file, plus the slot. */
static const char *value_of(const struct inst *in, const struct env_var *var, char number[24])
{
	const char *inc = in->app->conf.increment_var;
	char *end;
	if (!inc || strcmp(inc, var->name) != 0) {
		return var->value;
	}
	long long n = strtoll(var->value, &end, 10);
	if (end == var->value || *end) {
		return var->value;
	}
	snprintf(number, 24, "%lld", n + in->slot);
	return number;
}

static void add_listen(const struct inst *in, struct words *env)
{
	const struct app_conf *c = &in->app->conf;
	if (!c->nlisten) {
		return;
	}
	char names[LIMIT_LISTEN * 128] = "";
	size_t len = 0;
	for (size_t i = 0; i < c->nlisten && len < sizeof(names); i++) {
		/* A colon separates the names, so it cannot be in one (sd_listen_fds(3)). */
		char name[112];
		snprintf(name, sizeof(name), "%s", c->listen[i].text);
		for (char *s = strchr(name, ':'); s; s = strchr(s, ':')) {
			*s = '_';
		}
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ":" : "",
					name);
	}
	add_number(env, "LISTEN_FDS", (long long)c->nlisten);
	add(env, "LISTEN_PID", "0"); /* the stub puts its own pid there */
	add(env, "LISTEN_FDNAMES", names);
}

static void add_node(const struct inst *in, struct words *env)
{
	if (!in->worker) {
		return;
	}
	add_number(env, "NODE_CHANNEL_FD", 3 + (long long)in->app->conf.nlisten);
	add(env, "NODE_CHANNEL_SERIALIZATION_MODE", "json");
	if (in->app->cluster) {
		add_number(env, "NODE_UNIQUE_ID", (long long)in->id + 1);
	}
}

size_t environ_build(const struct inst *in, struct words *env)
{
	const struct app_conf *c = &in->app->conf;
	char number[24];
	add_base(env, &in->app->user);
	if (in->app->daemon->link.ring->container.pass_env) {
		add_passed(env);
	}
	size_t nbase = env->n;
	for (size_t i = 0; i < c->nenv; i++) {
		add_or_replace(env, &nbase, c->env[i].name, value_of(in, &c->env[i], number));
	}
	add_number(env, c->instance_var, in->slot);
	add(env, "PMCTL_APP", c->name);
	add_number(env, "PMCTL_SLOT", in->slot);
	add_number(env, "PMCTL_ID", (long long)in->id);
	add_listen(in, env);
	add_node(in, env);
	if (in->notify) {
		add(env, "NOTIFY_SOCKET", notify_path(in->notify));
	}
	return nbase;
}
