/* SPDX-License-Identifier: MIT */
#include "config/conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "config/decode.h"
#include "config/keys.h"
#include "config/types.h"

bool conf_decode(struct app_conf *out, const struct app_def *def, struct err_list *errs)
{
	struct problems p = {0};
	bool ok = decode_app(out, def, &p);
	problems_report(&p, errs);
	return ok;
}

void conf_finish(struct app_conf *c)
{
	for (size_t i = 0; i < keys_count; i++) {
		if (keys[i].type->free) {
			keys[i].type->free(c, &keys[i]);
		}
	}
	free(c->name);
	free(c->project);
	free(c->dir);
	*c = (struct app_conf){0};
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* The program that runs a script; NULL if it is run itself. */
static const char *interpreter_of(const struct app_conf *c)
{
	static const struct {
		const char *extension, *program;
	} known[] = {
		{".js", "node"}, {".cjs", "node"},   {".mjs", "node"},
		{".ts", "node"}, {".py", "python3"}, {".sh", "bash"},
		{".rb", "ruby"}, {".php", "php"},    {".pl", "perl"},
	};
	if (c->interpreter) {
		return strcmp(c->interpreter, "none") == 0 ? NULL : c->interpreter;
	}
	const char *base = base_name(c->script);
	const char *dot = strrchr(base, '.');
	for (size_t i = 0; dot && dot != base && i < ARRAY_LEN(known); i++) {
		if (strcmp(dot, known[i].extension) == 0) {
			return known[i].program;
		}
	}
	return NULL;
}

static const char *runtime(const struct app_conf *c)
{
	const char *program = NULL;
	if (c->script) {
		program = interpreter_of(c);
	} else if (c->command.n) {
		program = c->command.v[0];
	}
	return program ? base_name(program) : "";
}

static bool is_nodejs(const char *base)
{
	return strcmp(base, "node") == 0 || strcmp(base, "nodejs") == 0;
}

bool conf_is_node(const struct app_conf *c)
{
	return is_nodejs(runtime(c)) || strcmp(runtime(c), "deno") == 0;
}

bool conf_takes_preload(const struct app_conf *c)
{
	return c->mode == MODE_CLUSTER && c->graceful && is_nodejs(runtime(c));
}

static void add_words(struct words *out, const struct words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		words_add(out, w->v[i]);
	}
}

static void add_preload(struct words *out, const char *preload)
{
	if (preload) {
		words_add(out, "--require");
		words_add(out, preload);
	}
}

void conf_argv(const struct app_conf *c, const char *preload, struct words *out)
{
	if (!c->script) {
		for (size_t i = 0; i < c->command.n; i++) {
			words_add(out, c->command.v[i]);
			add_preload(out, i == 0 ? preload : NULL);
		}
		return;
	}
	const char *program = interpreter_of(c);
	if (program) {
		words_add(out, program);
		add_words(out, &c->interpreter_args);
		add_preload(out, preload);
	}
	words_add(out, c->script);
	add_words(out, &c->args);
}

int conf_instances(const struct app_conf *c, int cpus)
{
	long long n = 1;
	switch (c->instances.kind) {
	case COUNT_NUMBER:
		n = c->instances.n;
		break;
	case COUNT_MAX:
		n = cpus;
		break;
	case COUNT_MAX_LESS:
		n = (long long)cpus - c->instances.n;
		break;
	case COUNT_PERCENT:
		n = (long long)cpus * c->instances.n / 100;
		break;
	}
	return n < 1 ? 1 : n > LIMIT_INSTANCES_APP ? LIMIT_INSTANCES_APP : (int)n;
}
