/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_SWITCHES_H
#define PMCTL_SYS_SWITCHES_H
/* switches - with PMCTL_FEATURES=-cgroup,-pidfd_getfd do as if the kernel had them not. For tests,
 * so that every way round something is walked on any machine. */
#include <stdbool.h>

bool switches_is_off(const char *feature);

#endif
