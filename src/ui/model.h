/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_MODEL_H
#define PMCTL_UI_MODEL_H
/*
 * model - what the dashboard knows of the daemon: apps, instances, host, connection. Pure.
 *
 * client/monitdata.c fills it from the daemon's answers, the views only read it. Text of others is
 * kept as it came; the grid makes it safe. Owned by struct ui.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ui/series.h"

#define MODEL_NAME	  64 /* bytes with the NUL: longer text is cut */
#define MODEL_NOTE	  160
#define MODEL_NOTICES	  16
#define MODEL_CPU_STEP_MS 1000
#define MODEL_MEM_STEP_MS 15000

/* Figures of an instance, or their sums of an app. */
struct ui_figures {
	double cpu_pct;	     /* of one core; NaN = unknown */
	int64_t mem_bytes;   /* -1 = unknown */
	int64_t limit_bytes; /* memory_max; 0 = none */
	double io_bps;	     /* bytes a second read and written; NaN = unknown */
	int fds, threads;    /* -1 = unknown */
	int restarts;
	int64_t up_ms;	   /* -1 = not running */
	struct series cpu; /* percent */
	struct series mem; /* bytes */
};

struct ui_proc {
	long long id;
	int slot, pid; /* pid 0 = none */
	int old_pid;   /* before the daemon was away */
	char state[12];
	char note[MODEL_NOTE];
	char exit[MODEL_NAME]; /* "exit 1", "SIGSEGV, core kept"; "" = never ended */
	int64_t exit_ms;       /* when, ms since the epoch; 0 = not known */
	int64_t ready_ms;      /* how long it took to be ready; -1 = not known */
	int64_t restarted_ms;  /* when we saw `restarts` grow; 0 = never */
	char leak_text[48];    /* "+2.1M/min"; "" = not known */
	char leak_left[64];    /* "256M in ~1h25m"; "" = not known */
	bool ready, leak;
	bool fds_near;	 /* of its limit of descriptors: */
	int fds_most;	 /* of the process of its tree that has most; -1 = not known */
	int64_t fds_max; /* that one may have; -1 = any number, or not known */
	bool marked;
	bool acting; /* it is to be replaced, which had this pid: */
	int acting_pid;
	bool seen; /* in the list that is being read */
	int place; /* in the order that ui/rows.c made last; 0 = it is new */
	struct ui_figures fig;
};

struct ui_app {
	char name[MODEL_NAME], project[MODEL_NAME], ns[MODEL_NAME], mode[12], user[MODEL_NAME];
	char state[12];
	char note[MODEL_NOTE];
	char drift[MODEL_NOTE]; /* how its list differs from what runs: "file changed: nice" */
	char action[12];	/* that runs: "reload"; "" = none */
	int acting;		/* which command it is */
	int instances, online;
	struct ui_proc **proc; /* by slot; owned */
	int nprocs;
	bool leak;
	bool open;   /* its instances are shown */
	bool marked; /* for actions */
	bool seen;
	int order; /* in the daemon's list */
	int place; /* as that of an instance */
	struct ui_figures fig;
};

struct ui_host {
	char name[MODEL_NAME];
	int cpus;
	double cpu_pct, load1; /* of all cores; NaN = unknown */
	int64_t mem_used, mem_total;
	struct series cpu, mem;
};

struct ui_daemon {
	int pid;
	char version[32];
	int64_t up_ms;
	double cpu_pct;
	int64_t mem_bytes;
};

/* What is wrong with no app: with the daemon, or an app list that is not what runs. */
struct ui_notice {
	enum ui_notice_of { NOTICE_DAEMON, NOTICE_DRIFT } of;
	bool fail;
	char key[MODEL_NOTE]; /* the same for as long as the matter is */
	char brief[MODEL_NOTE], text[MODEL_NOTE * 2], fix[MODEL_NOTE * 2];
};

enum ui_link {
	UI_LINK_NONE, /* it has never answered */
	UI_LINK_UP,
	UI_LINK_AWAY,
};

struct model {
	enum ui_link link;
	int64_t now_ms;	    /* the time on the screen, ms since the epoch */
	int64_t sampled_ms; /* of the last sample; 0 = none */
	int64_t retry_ms;   /* when the daemon is looked for again */
	struct ui_host host;
	struct ui_daemon daemon;
	struct ui_app **app; /* owned */
	int napps;
	int online, wanted; /* instances, of all apps */
	struct ui_notice notice[MODEL_NOTICES];
	int nnotices;
};

void model_init(struct model *m);
void model_finish(struct model *m);

/* Reading a list: begin, one call for each app and instance in it (found or made, and marked as
 * seen), end: what was not seen is gone. */
void model_begin(struct model *m);
struct ui_app *model_app(struct model *m, const char *name);
struct ui_proc *model_proc(struct ui_app *a, int slot);
void model_end(struct model *m);

/* Forget all notices of this kind, and add one: zeroed but for what it is of; NULL = no room. */
void model_notices_clear(struct model *m, enum ui_notice_of of);
struct ui_notice *model_notice(struct model *m, enum ui_notice_of of, const char *key);

/* A command (> 0) begins to replace this instance, or has ended with all that it was about. */
void model_act(struct ui_app *a, struct ui_proc *p, int command, const char *action);
void model_act_end(struct model *m, int command);

/* NULL = not there. */
struct ui_app *model_find(const struct model *m, const char *name);
struct ui_proc *model_find_proc(const struct ui_app *a, int slot);

#endif
