/* SPDX-License-Identifier: MIT */
#include "client/args.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/suggest.h"

struct parser {
	struct args *args;
	const struct opt_set *sets;
	size_t nsets;
	unsigned flags;
	int argc, at;
	char *const *argv;
	struct err *err;
};

static bool is_family(const struct opt *o)
{
	return o->name && o->name[strlen(o->name) - 1] == '.';
}

static bool name_matches(const struct opt *o, const char *name, size_t len)
{
	if (!o->name) {
		return false;
	}
	size_t n = strlen(o->name);
	if (is_family(o)) {
		return len > n && strncmp(o->name, name, n) == 0;
	}
	return n == len && strncmp(o->name, name, n) == 0;
}

static const struct opt *find_long(const struct opt_set *sets, size_t nsets, const char *name,
				   size_t len)
{
	for (size_t s = 0; s < nsets; s++) {
		for (size_t i = 0; i < sets[s].n; i++) {
			if (name_matches(&sets[s].v[i], name, len)) {
				return &sets[s].v[i];
			}
		}
	}
	return NULL;
}

static const struct opt *find_letter(const struct opt_set *sets, size_t nsets, char letter)
{
	for (size_t s = 0; s < nsets; s++) {
		for (size_t i = 0; i < sets[s].n; i++) {
			if (sets[s].v[i].letter == letter) {
				return &sets[s].v[i];
			}
		}
	}
	return NULL;
}

static void add(struct args *a, const struct opt *o, const char *sub, const char *value,
		const char *word)
{
	a->given = xreallocarray(a->given, a->ngiven + 1, sizeof(*a->given));
	a->given[a->ngiven++] = (struct given){o, sub, value, word};
}

static bool unknown_long(struct parser *p, const char *name, size_t len)
{
	char *wanted = xstrndup(name, len < 64 ? len : 64);
	char guess[256];
	struct suggest s;
	struct buf shown = {0};
	suggest_init(&s, wanted);
	for (size_t i = 0; i < p->nsets; i++) {
		for (size_t k = 0; k < p->sets[i].n; k++) {
			const struct opt *o = &p->sets[i].v[k];
			if (o->name && !is_family(o) && !(o->flags & OPT_HIDDEN)) {
				suggest_offer(&s, o->name);
			}
		}
	}
	for (size_t i = 0; i < s.n; i++) {
		buf_addf(&shown, "%s\"--%s\"",
			 i == 0		? "; did you mean "
			 : i + 1 == s.n ? " or "
					: ", ",
			 s.best[i].name);
	}
	snprintf(guess, sizeof(guess), "%s%s", shown.data ? shown.data : "", s.n ? "?" : "");
	snprintf(p->args->unknown, sizeof(p->args->unknown), "--%.60s", wanted);
	err_set(p->err, ERR_USAGE, "no option \"--%s\"%s", wanted, guess);
	buf_finish(&shown);
	free(wanted);
	return false;
}

/* The value of an option that needs one: behind it, or the next word. */
static bool take_value(struct parser *p, const struct opt *o, const char *attached,
		       const char **value)
{
	if (attached || (o->flags & OPT_OPTIONAL)) {
		*value = attached;
		return true;
	}
	if (p->at + 1 >= p->argc) {
		char letter[2] = {o->letter, 0};
		return err_set(p->err, ERR_USAGE, "option %s%s needs a value (%s)",
			       o->name ? "--" : "-", o->name ? o->name : letter, o->meta);
	}
	*value = p->argv[++p->at];
	return true;
}

static bool parse_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *attached = word[len] == '=' ? word + len + 1 : NULL;
	const struct opt *o = find_long(p->sets, p->nsets, word, len);
	const char *value = NULL;
	int at = p->at;
	if (!o) {
		return unknown_long(p, word, len);
	}
	const char *sub = NULL;
	if (is_family(o)) {
		sub = xstrndup(word + strlen(o->name), len - strlen(o->name));
	}
	if (!o->meta && attached) {
		return err_set(p->err, ERR_USAGE, "option --%s takes no value", o->name);
	}
	if (o->meta && !take_value(p, o, attached, &value)) {
		free((char *)(uintptr_t)sub);
		return false;
	}
	add(p->args, o, sub, value, p->argv[at]);
	return true;
}

static bool parse_letters(struct parser *p, const char *letters)
{
	const char *word = p->argv[p->at];
	for (; *letters; letters++) {
		const struct opt *o = find_letter(p->sets, p->nsets, *letters);
		const char *value = NULL;
		if (!o) {
			snprintf(p->args->unknown, sizeof(p->args->unknown), "-%c", *letters);
			return err_set(p->err, ERR_USAGE, "no option \"-%c\"",
				       isprint((unsigned char)*letters) ? *letters : '?');
		}
		if (!o->meta || (o->flags & OPT_OPTIONAL)) {
			add(p->args, o, NULL, NULL, word);
			continue;
		}
		if (!take_value(p, o, letters[1] ? letters + 1 : NULL, &value)) {
			return false;
		}
		add(p->args, o, NULL, value, word);
		return true;
	}
	return true;
}

static bool is_number(const char *s)
{
	return s[0] == '-' && isdigit((unsigned char)s[1]) && !s[1 + strspn(s + 1, "0123456789")];
}

static bool parse_word(struct parser *p)
{
	const char *word = p->argv[p->at];
	struct args *a = p->args;
	bool is_option =
		word[0] == '-' && word[1] && !((p->flags & ARGS_NUMBERS) && is_number(word));
	if (!is_option) {
		a->operand[a->n++] = word;
		return true;
	}
	return word[1] == '-' ? parse_long(p, word + 2) : parse_letters(p, word + 1);
}

bool args_parse(struct args *a, const struct opt_set *sets, size_t nsets, unsigned flags, int argc,
		char *const *argv, struct err *err)
{
	struct parser p = {a, sets, nsets, flags, argc, 0, argv, err};
	a->operand = xcalloc((size_t)argc + 1, sizeof(*a->operand));
	a->rest = xcalloc((size_t)argc + 1, sizeof(*a->rest));
	for (; p.at < argc; p.at++) {
		if (strcmp(argv[p.at], "--") == 0) {
			break;
		}
		if (!parse_word(&p)) {
			return false;
		}
	}
	a->has_rest = p.at < argc && (flags & ARGS_REST);
	for (p.at++; p.at < argc; p.at++) {
		if (flags & ARGS_REST) {
			a->rest[a->nrest++] = argv[p.at];
		} else {
			a->operand[a->n++] = argv[p.at];
		}
	}
	return true;
}

void args_finish(struct args *a)
{
	for (size_t i = 0; i < a->ngiven; i++) {
		free((char *)(uintptr_t)a->given[i].sub);
	}
	free(a->operand);
	free(a->rest);
	free(a->given);
	*a = (struct args){0};
}

int args_find_command(const struct opt_set *globals, int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];
		if (w[0] != '-' || !w[1]) {
			return i;
		}
		if (strcmp(w, "--") == 0) {
			return i + 1 < argc ? i + 1 : 0;
		}
		const struct opt *o = w[1] == '-' ? find_long(globals, 1, w + 2, strlen(w + 2))
				      : !w[2]	  ? find_letter(globals, 1, w[1])
						  : NULL;
		if (o && o->meta && !(o->flags & OPT_OPTIONAL)) {
			i++;
		}
	}
	return 0;
}

bool args_has_word(int argc, char *const *argv, const char *a, const char *b)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], a) == 0 || strcmp(argv[i], b) == 0) {
			return true;
		}
	}
	return false;
}

const struct given *args_find(const struct args *a, const char *name)
{
	for (size_t i = a->ngiven; i > 0; i--) {
		const struct opt *o = a->given[i - 1].opt;
		if (o->name && strcmp(o->name, name) == 0) {
			return &a->given[i - 1];
		}
	}
	return NULL;
}

bool args_has(const struct args *a, const char *name)
{
	return args_find(a, name) != NULL;
}

const char *args_value(const struct args *a, const char *name, const char *absent)
{
	const struct given *g = args_find(a, name);
	return g && g->value ? g->value : absent;
}
