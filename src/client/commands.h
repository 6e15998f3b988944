/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_COMMANDS_H
#define PMCTL_CLIENT_COMMANDS_H
/*
 * commands - the one table of commands. Help, pmctl.1, completion and the check of operands and
 * options all come from it. To add a command, add a row here and a function in the file of its
 * family, then: pmctl __gen man > man/pmctl.1.scd, and the same for the completion.
 */
#include <stdbool.h>
#include <stddef.h>

#include "client/args.h"

struct client;

enum {
	CMD_CHANGES = 1,   /* changes what runs; waits for the result */
	CMD_HIDDEN = 2,	   /* not in help */
	CMD_NUMBERS = 4,   /* -1 is an operand */
	CMD_REST = 8,	   /* words behind -- are for the app */
	CMD_NAMES = 16,	   /* operands are apps: completed */
	CMD_APP_OPTS = 32, /* every key of an app is an option */
	CMD_CATCH = 64,	   /* SIGINT ends the wait, and the command says how things are */
};

#define CMD_ANY 1000000

struct command {
	const char *name;
	const char *aliases; /* "ls l ps"; NULL = none */
	const char *args;    /* usage behind the name: "SEL..." */
	const char *summary; /* no full stop */
	const char *doc;     /* paragraphs are separated by \n */
	const struct opt *opts;
	size_t nopts;
	const char *examples; /* lines "command\tmeaning" */
	size_t min, max;      /* operands */
	unsigned flags;
	int (*run)(struct client *c);
};

extern const struct command commands[];
extern const size_t commands_count;

/* Options every command takes. */
extern const struct opt global_opts[];
extern const size_t global_opts_count;

/* By name or alias; NULL if there is none. */
const struct command *commands_find(const char *name);

/* A word that is no command: what to use instead, with a suggestion where one is near. Returns the
 * exit status. */
int commands_unknown(const struct client *c, const char *name);

/* The sets of options of a command: its own, an app's where it takes them, the global ones. Returns
 * their number, at most COMMANDS_SETS. */
#define COMMANDS_SETS 4
size_t commands_opts(const struct command *cmd, struct opt_set sets[COMMANDS_SETS]);

int cmd_start(struct client *c); /* start.c */
int cmd_stop(struct client *c);	 /* ops.c */
int cmd_restart(struct client *c);
int cmd_reload(struct client *c);
int cmd_delete(struct client *c);
int cmd_scale(struct client *c);
int cmd_signal(struct client *c); /* simple.c */
int cmd_reset(struct client *c);
int cmd_flush(struct client *c);
int cmd_rotate(struct client *c);
int cmd_save(struct client *c);
int cmd_metrics(struct client *c);
int cmd_list(struct client *c); /* list.c */
int cmd_status(struct client *c);
int cmd_is_active(struct client *c);
int cmd_jlist(struct client *c);  /* jlist.c */
int cmd_show(struct client *c);	  /* show.c */
int cmd_env(struct client *c);	  /* env.c */
int cmd_ports(struct client *c);  /* ports.c */
int cmd_logs(struct client *c);	  /* logs.c */
int cmd_follow(struct client *c); /* follow.c */
int cmd_events(struct client *c); /* events.c */
int cmd_why(struct client *c);	  /* why.c */
int cmd_monit(struct client *c);  /* monit.c */
int cmd_wait(struct client *c);	  /* wait.c */
int cmd_plan(struct client *c);	  /* apply.c */
int cmd_apply(struct client *c);
int cmd_history(struct client *c); /* revisions.c */
int cmd_rollback(struct client *c);
int cmd_check(struct client *c);  /* check.c */
int cmd_import(struct client *c); /* import/command.c */
int cmd_daemon(struct client *c); /* daemon.c */
int cmd_ping(struct client *c);
int cmd_kill(struct client *c);
int cmd_update(struct client *c);
int cmd_resurrect(struct client *c);
int cmd_doctor(struct client *c);  /* doctor/command.c */
int cmd_init(struct client *c);	   /* init.c */
int cmd_startup(struct client *c); /* startup/command.c */
int cmd_unstartup(struct client *c);
int cmd_help(struct client *c);	      /* help.c */
int cmd_completion(struct client *c); /* complete/complete.c */
int cmd_names(struct client *c);
int cmd_gen(struct client *c); /* gen.c */

#endif
