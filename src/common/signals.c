/* SPDX-License-Identifier: MIT */
#include "common/signals.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

/* Where a number has two names the first is the one we print. */
static const struct {
	const char *name;
	int number;
} table[] = {
	{"SIGHUP", SIGHUP},	  {"SIGINT", SIGINT},	    {"SIGQUIT", SIGQUIT},
	{"SIGILL", SIGILL},	  {"SIGTRAP", SIGTRAP},	    {"SIGABRT", SIGABRT},
	{"SIGBUS", SIGBUS},	  {"SIGFPE", SIGFPE},	    {"SIGKILL", SIGKILL},
	{"SIGUSR1", SIGUSR1},	  {"SIGSEGV", SIGSEGV},	    {"SIGUSR2", SIGUSR2},
	{"SIGPIPE", SIGPIPE},	  {"SIGALRM", SIGALRM},	    {"SIGTERM", SIGTERM},
	{"SIGSTKFLT", SIGSTKFLT}, {"SIGCHLD", SIGCHLD},	    {"SIGCONT", SIGCONT},
	{"SIGSTOP", SIGSTOP},	  {"SIGTSTP", SIGTSTP},	    {"SIGTTIN", SIGTTIN},
	{"SIGTTOU", SIGTTOU},	  {"SIGURG", SIGURG},	    {"SIGXCPU", SIGXCPU},
	{"SIGXFSZ", SIGXFSZ},	  {"SIGVTALRM", SIGVTALRM}, {"SIGPROF", SIGPROF},
	{"SIGWINCH", SIGWINCH},	  {"SIGIO", SIGIO},	    {"SIGPWR", SIGPWR},
	{"SIGSYS", SIGSYS},	  {"SIGIOT", SIGIOT},	    {"SIGPOLL", SIGPOLL},
};

/* Up to three digits; -1 otherwise. */
static int small_number(const char *s)
{
	size_t len = strspn(s, "0123456789");
	return len == 0 || len > 3 || s[len] ? -1 : atoi(s);
}

static int realtime(const char *name)
{
	int sign = strncasecmp(name, "RTMIN", 5) == 0	? 1
		   : strncasecmp(name, "RTMAX", 5) == 0 ? -1
							: 0;
	if (sign == 0) {
		return 0;
	}
	int base = sign > 0 ? SIGRTMIN : SIGRTMAX;
	if (!name[5]) {
		return base;
	}
	int n = name[5] == (sign > 0 ? '+' : '-') ? small_number(name + 6) : -1;
	if (n < 0 || n > SIGRTMAX - SIGRTMIN) {
		return 0;
	}
	return base + sign * n;
}

int signals_number(const char *name)
{
	int n = small_number(name);
	if (n >= 0) {
		/* Those between are glibc's own and have no name. */
		return (n >= 1 && n < 32) || (n >= SIGRTMIN && n <= SIGRTMAX) ? n : 0;
	}
	if (strncasecmp(name, "SIG", 3) == 0) {
		name += 3;
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcasecmp(table[i].name + 3, name) == 0) {
			return table[i].number;
		}
	}
	return realtime(name);
}

const char *signals_name(int number, char out[SIGNALS_NAME])
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].number == number) {
			snprintf(out, SIGNALS_NAME, "%s", table[i].name);
			return out;
		}
	}
	if (number == SIGRTMIN) {
		snprintf(out, SIGNALS_NAME, "SIGRTMIN");
	} else if (number > SIGRTMIN && number <= SIGRTMAX) {
		snprintf(out, SIGNALS_NAME, "SIGRTMIN+%d", number - SIGRTMIN);
	} else {
		snprintf(out, SIGNALS_NAME, "signal %d", number);
	}
	return out;
}

const char *signals_each(size_t i)
{
	return i < ARRAY_LEN(table) ? table[i].name : NULL;
}
