/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_TESTS_FAULTS_H
#define PMCTL_TESTS_FAULTS_H
/*
 * faults - a piece of code is run again and again, and each time another one of its system calls
 * fails: the first, the second, ... until a run gets by without. With every error that a full or
 * broken system gives.
 *
 * A seam at link time: the calls in FAULTS of meson.build lead here. What libc does inside itself
 * is not seen. A child that shares our memory is counted as we are.
 */
#include <stdbool.h>

#include "common/err.h"

#define FAULT_SHORT 0 /* no error: the call transfers half of what it was asked for */

struct fault {
	const char *call; /* "openat"; NULL: none was hit */
	int error;	  /* errno, or FAULT_SHORT */
	unsigned n;
};

struct sweep {
	/* The state before each run. May be NULL. */
	void (*before)(void *ctx);
	/* The code. True = done; else *err says why not. */
	bool (*run)(void *ctx, struct err *err);
	/* What must hold after it, with `f` having failed. Frees what a good run has made. */
	void (*after)(void *ctx, bool ok, const struct fault *f);
	void *ctx;
};

/* Beside `after`: no descriptor more than before, no child is left, a failure has a text. Returns
 * how many runs were hit by a fault. */
unsigned faults_sweep(const struct sweep *s);

#endif
