/* SPDX-License-Identifier: MIT */
#include "daemon/selfcheck.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/err.h"
#include "config/conf.h"
#include "daemon/store.h"
#include "keeper/shared.h"
#include "proto/defjson.h"
#include "sys/paths.h"
#include "sys/runtab.h"
#include "sys/spawn.h"
#include "sys/statefile.h"
#include "version.h"

static bool check_app(const json_t *o, struct err *err)
{
	struct app_conf conf = {0};
	struct err_list errs = {0};
	struct app_def *def = defjson_read(json_object_get(o, "def"), err);
	if (!def) {
		return err_wrap(err, "state");
	}
	bool ok = conf_decode(&conf, def, &errs);
	if (!ok) {
		err_set(err, ERR_CONFIG, "app %s would not be taken over: %s", def->name,
			errs.count ? errs.msg[0] : "its definition is not valid");
	}
	err_list_finish(&errs);
	conf_finish(&conf);
	def_free(def);
	return ok;
}

static bool check_state(int dirfd, struct err *err)
{
	struct buf text = {0};
	size_t i;
	json_t *o;
	if (!statefile_peek(dirfd, STORE_STATE, &text, err)) {
		buf_finish(&text);
		return false;
	}
	json_t *root =
		text.len ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	bool ok = (!text.len || root) || err_set(err, ERR_FAILED, "the state file is not JSON");
	ok = ok && store_knows(root, err);
	json_array_foreach(json_object_get(root, "apps"), i, o)
	{
		ok = ok && check_app(o, err);
	}
	json_decref(root);
	buf_finish(&text);
	return ok;
}

static bool check(struct err *err)
{
	struct paths p;
	if (!paths_resolve(&p, err)) {
		return false;
	}
	int dir = paths_open_dir(p.state, 0700, err);
	bool ok = dir >= 0 && check_state(dir, err) && runtab_is_known(dir, STORE_TABLE, err) &&
		  spawn_init(err);
	if (dir >= 0) {
		close(dir);
	}
	paths_finish(&p);
	return ok;
}

int selfcheck_run(void)
{
	struct err err = {0};
	if (!check(&err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	printf("pmctld %s keeper %u\n", PMCTL_VERSION, KEEPER_PROTOCOL);
	return 0;
}
