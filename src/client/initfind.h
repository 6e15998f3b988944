/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_INITFIND_H
#define PMCTL_CLIENT_INITFIND_H
/*
 * initfind - what a project in a directory is, and how it is run, from the files that lie there.
 *
 * Looks only, at files of at most INITFIND_SIZE bytes, and takes nothing out of them that could be
 * more than one value of an INI file.
 */
#include <stdbool.h>

#include "common/words.h"

#define INITFIND_SIZE (256 * 1024)

enum project_kind { PROJECT_UNKNOWN, PROJECT_NODE, PROJECT_PYTHON, PROJECT_RUBY, PROJECT_SHELL };

struct project {
	enum project_kind kind;
	char *name;	    /* of the app */
	char *why;	    /* what it was found by: "scripts.start of package.json" */
	char *script;	    /* one of these two, both NULL if nothing was found */
	char *command;	    /* as it stands in the file */
	char *args;	    /* of the script; NULL = none */
	char *interpreter;  /* NULL = by the extension */
	char *node_args;    /* of the interpreter; NULL = none */
	struct words env;   /* NAME=VALUE, from the front of a command */
	const char *listen; /* an address the program takes from us; NULL = it opens its own */
	const char *ready;
	char *note;	     /* a remark on the command; NULL = none */
	bool env_file;	     /* there is a .env */
	const char *foreign; /* a list of another manager that lies there; NULL = none */
};

/* The current directory, whose path is dir. project_finish() in every case. */
void project_find(struct project *p, const char *dir);
/* How it is run cannot be said in a file. */
void project_forget(struct project *p);
void project_finish(struct project *p);

#endif
