/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_SIGNALS_H
#define PMCTL_COMMON_SIGNALS_H
/* signals - names and numbers of signals (signal(7)), for people and configuration. */
#include <stddef.h>

/* "SIGTERM", "term", "15", "SIGRTMIN+3", "RTMAX-1" to the number; 0 if there is none such. */
int signals_number(const char *name);

/* "SIGTERM", "SIGRTMIN+3"; "signal 99" for a number that is none. out holds SIGNALS_NAME bytes
 * and is returned. */
#define SIGNALS_NAME 24
const char *signals_name(int number, char out[SIGNALS_NAME]);

/* The i-th name without a number in it ("SIGHUP" ...), for completion; NULL behind the last. */
const char *signals_each(size_t i);

#endif
