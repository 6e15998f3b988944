/* SPDX-License-Identifier: MIT */
#include "client/complete/complete.h"

#include <string.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "common/clock.h"
#include "common/signals.h"
#include "config/keys.h"

#define NAMES_MS 150

static bool is_family(const char *name)
{
	return name[strlen(name) - 1] == '.';
}

bool complete_offers(const struct opt *o)
{
	return o->name && !(o->flags & OPT_HIDDEN) && !is_family(o->name);
}

void complete_pattern(struct buf *out, const struct command *cmd)
{
	buf_adds(out, cmd->name);
	for (const char *s = cmd->aliases; s && *s;) {
		size_t len = strcspn(s, " ");
		buf_addf(out, "|%.*s", (int)len, s);
		s += len + (s[len] == ' ');
	}
}

const char *complete_words(const struct command *cmd)
{
	static const struct {
		const char *name, *words;
	} all[] = {
		{"daemon", "start stop status upgrade paths"},
		{"completion", "bash zsh fish"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(cmd->name, all[i].name) == 0) {
			return all[i].words;
		}
	}
	return NULL;
}

void complete_quoted(struct buf *out, const char *text, const char *quote)
{
	buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'') {
			buf_adds(out, quote);
		} else {
			buf_addc(out, *text);
		}
	}
	buf_addc(out, '\'');
}

void complete_signals(struct buf *out)
{
	for (size_t i = 0; signals_each(i); i++) {
		buf_addf(out, "%s%s", i ? " " : "", signals_each(i));
	}
}

/* Words without a part that is to be filled in, such as http://... */
static void add_choices(struct buf *out, const char *choices)
{
	for (const char *s = choices; s && *s;) {
		size_t len = strcspn(s, "|");
		if (strcspn(s, ":/.") >= len) {
			buf_addf(out, "%s%.*s", out->len ? " " : "", (int)len, s);
		}
		s += len + (s[len] == '|');
	}
}

enum complete_value complete_value_of(const struct opt *o, struct buf *words)
{
	static const struct {
		const char *meta;
		enum complete_value value;
	} metas[] = {
		{"FILE", VALUE_FILES},	     {"PATH", VALUE_FILES},
		{"DIR", VALUE_FILES},	     {"PROGRAM", VALUE_FILES},
		{"PROFILE", VALUE_PROFILES}, {"NAME=VALUE|PROFILE", VALUE_PROFILES},
		{"USER@HOST", VALUE_HOSTS},
	};
	const struct key *k = o->key && o->meta ? keys_find(o->key) : NULL;
	add_choices(words, k				   ? k->choices
			   : strcmp(o->name, "color") == 0 ? "auto|always|never"
			   : strcmp(o->name, "for") == 0   ? "ready|stopped"
							   : NULL);
	if (words->len && strchr(words->data, ' ')) { /* a single one would be no choice */
		return VALUE_WORDS;
	}
	buf_reset(words);
	for (size_t i = 0; o->meta && i < sizeof(metas) / sizeof(metas[0]); i++) {
		if (strcmp(o->meta, metas[i].meta) == 0) {
			return metas[i].value;
		}
	}
	return VALUE_FREE;
}

static void add_body(struct buf *out, const struct complete_bodies *b, enum complete_value value,
		     const char *words)
{
	switch (value) {
	case VALUE_WORDS:
		buf_addf(out, "%s %s", b->words, words);
		break;
	case VALUE_FILES:
		buf_adds(out, b->files);
		break;
	case VALUE_PROFILES:
		buf_adds(out, b->profiles);
		break;
	case VALUE_HOSTS:
		buf_adds(out, b->hosts);
		break;
	case VALUE_FREE:
		break;
	}
}

/* One option; *seen has those before. */
static void add_value_case(struct buf *out, const struct opt *o, const struct complete_bodies *b,
			   struct buf *seen)
{
	struct buf words = {0}, mark = {0};
	enum complete_value value = complete_value_of(o, &words);
	buf_addf(&mark, " --%s ", o->name);
	if (value != VALUE_FREE && !(seen->data && strstr(seen->data, mark.data))) {
		buf_adds(seen, mark.data);
		buf_addf(out, "\t--%s", o->name);
		if (o->letter && value == VALUE_FILES) {
			buf_addf(out, "|-%c", o->letter);
		}
		buf_adds(out, ") ");
		add_body(out, b, value, words.data);
		buf_adds(out, "; return ;;\n");
	}
	buf_finish(&words);
	buf_finish(&mark);
}

void complete_value_cases(struct buf *out, const struct complete_bodies *bodies)
{
	struct buf seen = {0};
	for (size_t i = 0; i < commands_count; i++) {
		struct opt_set sets[COMMANDS_SETS];
		size_t n = commands_opts(&commands[i], sets);
		for (size_t k = 0; k < n; k++) {
			for (size_t j = 0; j < sets[k].n; j++) {
				if (complete_offers(&sets[k].v[j])) {
					add_value_case(out, &sets[k].v[j], bodies, &seen);
				}
			}
		}
	}
	buf_finish(&seen);
}

int cmd_completion(struct client *c)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *out);
	} shells[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(c->args.operand[0], shells[i].name) == 0) {
			shells[i].write(&c->out);
			return client_flush(c) ? 0 : 1;
		}
	}
	return client_usage(c, "no completion for \"%.40s\"; there is bash, zsh and fish",
			    c->args.operand[0]);
}

/* "web<TAB>online", and "@shop<TAB>namespace" for each namespace. */
static void add_live_names(struct client *c, const json_t *apps)
{
	struct buf seen = {0}; /* "\n@shop\t" */
	size_t i;
	const json_t *app;
	json_array_foreach(apps, i, app)
	{
		buf_addf(&c->out, "%s\t%s\n", member_text(app, "name", ""),
			 member_text(app, "state", ""));
	}
	json_array_foreach(apps, i, app)
	{
		const char *ns = member_text(app, "namespace", NULL);
		struct buf line = {0};
		buf_addf(&line, "\n@%s\t", ns ? ns : "");
		if (ns && !(seen.data && strstr(seen.data, line.data))) {
			buf_adds(&seen, line.data);
			buf_addf(&c->out, "@%s\tnamespace\n", ns);
		}
		buf_finish(&line);
	}
	buf_finish(&seen);
}

static bool ask_names(struct client *c)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + NAMES_MS};
	bool ok = client_connect(c, &err) && conn_call(&c->conn, "list", NULL, &w, &reply, &err);
	add_live_names(c, json_object_get(reply.result, "apps"));
	rpc_reply_finish(&reply);
	return ok;
}

/* __names [profiles]: words for completion; never an error. */
int cmd_names(struct client *c)
{
	bool profiles = c->args.n > 0;
	const char *path = c->config ? c->config : APPFILE_DEFAULT;
	struct ini_file f;
	struct err_list errs = {0};
	struct err err;
	if ((profiles || !ask_names(c)) && strcmp(path, "-") != 0 &&
	    appfile_read(path, NULL, &f, &errs, &err)) {
		for (size_t i = 0; i < (profiles ? f.nprofiles : f.napps); i++) {
			buf_addf(&c->out, "%s\n", profiles ? f.profiles[i] : f.apps[i]->name);
		}
		ini_file_finish(&f);
	}
	err_list_finish(&errs);
	client_flush(c);
	return 0;
}
