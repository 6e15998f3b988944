/* SPDX-License-Identifier: MIT */
/* ini - the result of an import as the text of pmctl.ini, and what our own parser says of it.
 */
#include <stdlib.h>
#include <string.h>

#include "client/import/import.h"
#include "common/mem.h"
#include "config/conf.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/order.h"

/* In the order of the key table, which is that of the manual. */
static void add_settings(struct buf *out, const struct app_def *def)
{
	for (size_t k = 0; k < keys_count; k++) {
		const char *name = keys[k].name;
		size_t len = strlen(name);
		bool family = name[len - 1] == '.';
		for (size_t i = 0; i < def->nset; i++) {
			const struct setting *s = &def->set[i];
			if (family ? strncmp(s->key, name, len) == 0 : strcmp(s->key, name) == 0) {
				buf_addf(out, "%s =%s%s\n", s->key, *s->value ? " " : "", s->value);
			}
		}
	}
}

/* A comment must not end before its end. */
static void add_comment(struct buf *out, const char *text)
{
	buf_adds(out, "; ");
	buf_add_escaped(out, text, strlen(text), 0);
	buf_addc(out, '\n');
}

static void add_section(struct buf *out, const char *kind, const char *name,
			const struct words *notes, const struct app_def *def)
{
	buf_addf(out, "\n[%s%s]\n", kind, name);
	for (size_t i = 0; notes && i < notes->n; i++) {
		add_comment(out, notes->v[i]);
	}
	add_settings(out, def);
}

void import_render(const struct import *im, struct buf *out, bool profiles)
{
	char *from = xasprintf("made by pmctl import from %.500s", im->shown);
	char *dir = xasprintf("its folder is meant to be %.4000s", im->out_dir);
	add_comment(out, from);
	add_comment(out, dir);
	free(from);
	free(dir);
	if (im->defaults->def->nset || im->defaults->notes.n) {
		add_section(out, "defaults", "", &im->defaults->notes, im->defaults->def);
	}
	for (size_t i = 0; i < im->napps; i++) {
		const struct import_app *a = im->apps[i];
		add_section(out, "app:", a->def->name, &a->notes, a->def);
		for (size_t k = 0; profiles && k < a->nprofiles; k++) {
			char *name = xasprintf("%s@%s", a->def->name, a->profiles[k]->name);
			add_section(out, "app:", name, NULL, a->profiles[k]);
			free(name);
		}
	}
}

/* --- what does not go together --- */

/* The key a complaint about this app is about, if it is set in `def`; NULL = none. */
static const struct setting *blamed(const struct app_def *def, const char *app, const char *msg,
				    const char **reason)
{
	char *start = xasprintf("app %s: ", app);
	size_t len = strlen(start);
	const char *key = strncmp(msg, start, len) == 0 ? msg + len : NULL;
	const struct setting *found = NULL;
	for (size_t i = 0; key && !found && i < def->nset; i++) {
		size_t n = strlen(def->set[i].key);
		if (strncmp(key, def->set[i].key, n) == 0 && strncmp(key + n, ": ", 2) == 0) {
			found = &def->set[i];
			*reason = key + n + 2;
		}
	}
	free(start);
	return found;
}

/* Take what the parser complains about out of `def`, or out of what it lies on. False if nothing
 * could be taken out. */
static bool take_out(struct import *im, struct import_app *a, struct app_def *def,
		     const struct err_list *errs)
{
	for (size_t i = 0; i < errs->count; i++) {
		const char *reason = "";
		struct app_def *from = def;
		const struct setting *s = blamed(def, a->def->name, errs->msg[i], &reason);
		if (!s && def != a->def) {
			from = a->def;
			s = blamed(a->def, a->def->name, errs->msg[i], &reason);
		}
		if (s) {
			char *key = xstrdup(s->key);
			import_say(im, a, key, IMPORT_UNSUPPORTED, NULL, "%.300s; left out",
				   reason);
			def_unset(from, key);
			free(key);
			return true;
		}
	}
	return false;
}

/* The settings of an app with a profile over it: taken out until they make an app. */
static bool settle(struct import *im, struct import_app *a, struct app_def *profile)
{
	for (;;) {
		struct app_def *d = def_copy(a->def);
		struct app_conf conf = {0};
		struct err_list errs = {0};
		for (size_t i = 0; profile && i < profile->nset; i++) {
			def_set(d, profile->set[i].key, profile->set[i].value, 0);
		}
		bool ok = conf_decode(&conf, d, &errs);
		bool again = !ok && take_out(im, a, profile ? profile : a->def, &errs);
		conf_finish(&conf);
		def_free(d);
		err_list_finish(&errs);
		if (!again) {
			return ok;
		}
	}
}

void import_settle(struct import *im)
{
	im->where.keys = NULL;
	for (size_t i = 0; i < im->napps;) {
		struct import_app *a = im->apps[i];
		im->where.line = a->line;
		bool ok = settle(im, a, NULL);
		for (size_t k = 0; ok && k < a->nprofiles; k++) {
			ok = settle(im, a, a->profiles[k]);
		}
		if (ok) {
			i++;
		} else {
			import_say(im, a, "script", IMPORT_UNSUPPORTED, NULL,
				   "there is nothing to run; the app is left out");
			import_drop(im, a);
		}
	}
	im->where.line = 0;
}

/* Each profile laid over its app must make an app. */
static bool verify_profiles(const struct import_app *a, struct err_list *errs)
{
	bool ok = true;
	for (size_t k = 0; k < a->nprofiles; k++) {
		const struct app_def *p = a->profiles[k];
		struct app_def *d = def_copy(a->def);
		struct app_conf conf = {0};
		for (size_t i = 0; i < p->nset; i++) {
			def_set(d, p->set[i].key, p->set[i].value, 0);
		}
		ok &= conf_decode(&conf, d, errs);
		conf_finish(&conf);
		def_free(d);
	}
	return ok;
}

bool import_verify(const struct import *im, struct err_list *errs)
{
	struct buf text = {0};
	struct ini_file f = {0};
	import_render(im, &text, false);
	struct ini_source src = {.text = text.data,
				 .len = text.len,
				 .file = "-",
				 .dir = im->out_dir,
				 .project = "import"};
	bool ok = ini_parse_apps(&f, &src, errs);
	ok &= order_check(f.apps, f.napps, NULL, 0, errs);
	for (size_t i = 0; ok && i < im->napps; i++) {
		ok = verify_profiles(im->apps[i], errs);
	}
	ini_file_finish(&f);
	buf_finish(&text);
	return ok;
}
