/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_CPUS_H
#define PMCTL_SYS_CPUS_H
/*
 * cpus - how many processors there are for us, and lists of them.
 *
 * "max" in `instances` means what can really be used: the affinity mask and the quota of the
 * control groups around us, v2 cpu.max and v1 cfs quota alike.
 */
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Usable CPUs, at least 1. A quota of one and a half counts as 2. */
unsigned cpus_usable(void);

/* CPUs a "QUOTA PERIOD" or "max PERIOD" line (v2 cpu.max) allows, rounded up; 0 = no limit. */
unsigned cpus_of_quota(const char *line);

/* "0-3,5": each CPU must be one we may run on, if allowed is not NULL. ERR_CONFIG otherwise. */
bool cpus_parse_list(const char *text, const cpu_set_t *allowed, cpu_set_t *out, struct err *err);
/* Our own affinity mask. False if the kernel's is larger than a cpu_set_t (1024). */
bool cpus_allowed(cpu_set_t *out);
/* The (i mod n)-th CPU of a set; -1 if it is empty. For cpu_affinity = auto. */
int cpus_nth(const cpu_set_t *set, unsigned i);

/* As one hexadecimal number, for the spawner. */
#define CPUS_HEX (CPU_SETSIZE / 4 + 1)
void cpus_format_hex(const cpu_set_t *set, char out[CPUS_HEX]);

#endif
