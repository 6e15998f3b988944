/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_SELECT_H
#define PMCTL_APP_SELECT_H
/*
 * select - which instances a word on the command line means.
 *
 * web | web:2 | web:0,3 | web:1-3 | @namespace | glob | id | all
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define SELECT_RANGES 32

struct selector {
	enum { SEL_ALL, SEL_ID, SEL_NAMESPACE, SEL_NAME } kind;
	uint64_t id;
	char name[64]; /* app name or glob, or namespace */
	int nranges;   /* 0 = every slot */
	struct {
		int from, to;
	} range[SELECT_RANGES];
};

/* What is matched against: one instance. */
struct select_target {
	const char *app;
	const char *ns; /* NULL = none */
	int slot;
	uint64_t id;
};

/* ERR_NO_TARGET if the word cannot be a selector at all. */
bool selector_parse(struct selector *sel, const char *text, struct err *err);
bool selector_matches(const struct selector *sel, const struct select_target *t);

#endif
