/* SPDX-License-Identifier: MIT */
#include "config/decode.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "config/keys.h"
#include "config/names.h"
#include "config/probe.h"
#include "config/types.h"

struct decoding {
	struct app_conf c;
	const struct app_def *def;
	struct problems *problems;
	char *section; /* "app:NAME" */
	bool ok;
};

/* A complaint about a key (NULL: the app as a whole), at the line where it is set. */
static void complain(struct decoding *d, const char *key, const char *reason)
{
	const struct setting *s = key ? def_find(d->def, key) : NULL;
	/* Nothing set it: the place is the head of the app. */
	unsigned line = s ? s->line : d->def->line;
	struct place at = {.file = d->def->file, .section = d->section, .key = key, .line = line};
	problems_add(d->problems, &at, "%s", reason);
	d->ok = false;
}

static const char *family_sub(const struct key *k, const char *name)
{
	size_t len = strlen(k->name);
	return k->name[len - 1] == '.' ? name + len : NULL;
}

/* The row of a key; NULL with a reason if there is none. */
static const struct key *find_key(const char *name, struct err *err)
{
	const struct key *k = keys_find(name);
	if (!k) {
		char near[160];
		keys_suggest(name, near, sizeof(near));
		err_set(err, ERR_CONFIG, "unknown key%s", near);
	}
	return k;
}

bool decode_check(const char *dir, const char *key, const char *value, struct err *err)
{
	const struct key *k = find_key(key, err);
	if (!k) {
		return false;
	}
	struct app_conf c = {.dir = xstrdup(dir), .umask = -1};
	bool ok = types_parse(&c, k, family_sub(k, key), value, err);
	conf_finish(&c);
	return ok;
}

static void decode_settings(struct decoding *d)
{
	for (size_t i = 0; i < d->def->nset; i++) {
		const struct setting *s = &d->def->set[i];
		struct err err;
		const struct key *k = find_key(s->key, &err);
		if (!k || !types_parse(&d->c, k, family_sub(k, s->key), s->value, &err)) {
			complain(d, s->key, err.msg);
		}
	}
}

/* A default that does not parse is a bug which test_keys finds. */
static void decode_defaults(struct decoding *d)
{
	for (size_t i = 0; i < keys_count; i++) {
		if (keys[i].def && !def_find(d->def, keys[i].name)) {
			struct err err;
			if (!keys[i].type->parse(&d->c, &keys[i], NULL, keys[i].def, &err)) {
				complain(d, keys[i].name, err.msg);
			}
		}
	}
}

static bool is_set(const struct decoding *d, const char *key)
{
	return def_find(d->def, key) != NULL;
}

static void check_program(struct decoding *d)
{
	if (!is_set(d, "command")) {
		if (!is_set(d, "script")) {
			complain(d, "script", "is missing; an app needs script or command");
		}
		return;
	}
	if (is_set(d, "script")) {
		complain(d, "command", "script is given too; an app has one of them");
	}
	if (is_set(d, "args")) {
		complain(d, "args", "does not go with command; write the arguments into it");
	}
	if (is_set(d, "interpreter")) {
		complain(d, "interpreter", "does not go with command; write it into the command");
	}
	if (is_set(d, "interpreter_args")) {
		complain(d, "interpreter_args", "does not go with command; write them into it");
	}
}

static void check_interpreter(struct decoding *d)
{
	struct words argv = {0};
	if (!d->c.script || !d->c.interpreter_args.n) {
		return;
	}
	conf_argv(&d->c, NULL, &argv);
	if (strcmp(argv.v[0], d->c.script) == 0) {
		complain(d, "interpreter_args", "the script is run itself, without an interpreter");
	}
	words_finish(&argv);
}

static void check_mode(struct decoding *d)
{
	bool node = conf_is_node(&d->c);
	if (!d->c.script && !d->c.command.n) {
		return; /* complained about already */
	}
	if (d->c.mode == MODE_AUTO) {
		d->c.mode = node && d->c.instances.given ? MODE_CLUSTER : MODE_FORK;
	} else if (d->c.mode == MODE_CLUSTER && !node) {
		complain(d, "mode",
			 "cluster needs a node program; others share a port with listen");
	}
	if (d->c.balance == BALANCE_ROUND_ROBIN && d->c.mode != MODE_CLUSTER) {
		complain(d, "balance",
			 "round-robin needs a node cluster; others can use shared or reuseport");
	}
	if (d->c.ready.kind == PROBE_MESSAGE && !node) {
		complain(d, "ready", "message needs a node program; others can use notify");
	}
}

/* What a probe needs to know of the rest of the app. */
static void check_probe(struct decoding *d, const char *key, const struct probe *p, bool is_ready)
{
	struct probe_target t = {0};
	struct err err;
	if (!p->arg) {
		return;
	}
	if (!probe_expand(p, probe_port(&d->c, 0), 0, &t, &err)) {
		complain(d, key, err.msg);
	} else if (is_ready && d->c.mode != MODE_CLUSTER && probe_is_shared(&d->c, &t)) {
		complain(d, key,
			 "any instance may answer on a socket of listen; use notify, or a port of "
			 "its own with {port}");
	}
	probe_target_finish(&t);
}

static const char *env_value(const struct app_conf *c, const char *name)
{
	for (size_t i = 0; i < c->nenv; i++) {
		if (strcmp(c->env[i].name, name) == 0) {
			return c->env[i].value;
		}
	}
	return NULL;
}

static void check_variables(struct decoding *d)
{
	struct app_conf *c = &d->c;
	long long n;
	if (c->instance_var && env_value(c, c->instance_var)) {
		char *key = xasprintf("env.%s", c->instance_var);
		complain(d, key, "is set by pmctl to the slot number (instance_var)");
		free(key);
	}
	if (!c->increment_var) {
		return;
	}
	const char *value = env_value(c, c->increment_var);
	char *key = xasprintf("env.%s", c->increment_var);
	if (!value && !is_set(d, key)) {
		char *reason = xasprintf("%s is not set", key);
		complain(d, "increment_var", reason);
		free(reason);
	} else if (value && !types_read_number(value, 1LL << 53, &n)) {
		complain(d, key, "is not a number, so increment_var cannot count it up");
	}
	free(key);
}

static void check_delays(struct decoding *d)
{
	struct app_conf *c = &d->c;
	if (c->restart_delay_ms <= c->restart_delay_max_ms) {
		return;
	}
	if (!is_set(d, "restart_delay_max")) {
		c->restart_delay_max_ms = c->restart_delay_ms;
	} else if (d->ok) {
		complain(d, "restart_delay_max", "is below restart_delay");
	}
}

bool decode_app(struct app_conf *out, const struct app_def *def, struct problems *p)
{
	struct decoding d = {.def = def, .problems = p, .ok = true};
	struct err err;
	d.section = xasprintf("app:%s", def->name);
	d.c = (struct app_conf){
		.name = xstrdup(def->name),
		.project = xstrdup(def->project),
		.dir = xstrdup(def->dir),
		.umask = -1,
	};
	if (!names_check_app(def->name, &err)) {
		complain(&d, NULL, err.msg);
	}
	if (def->dir[0] != '/') {
		complain(&d, NULL, "its directory is not an absolute path");
	}
	decode_settings(&d);
	decode_defaults(&d);
	d.c.instances.given = is_set(&d, "instances");
	if (!d.c.cwd) {
		d.c.cwd = xstrdup(def->dir);
	}
	check_program(&d);
	check_interpreter(&d);
	check_mode(&d);
	check_variables(&d);
	check_delays(&d);
	check_probe(&d, "ready", &d.c.ready, true);
	check_probe(&d, "health", &d.c.health, false);
	free(d.section);
	if (!d.ok) {
		conf_finish(&d.c);
		*out = (struct app_conf){0};
		return false;
	}
	*out = d.c;
	return true;
}
