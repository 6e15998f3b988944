/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_PROC_H
#define PMCTL_SYS_PROC_H
/*
 * proc - what /proc tells about processes.
 *
 * All of it is hostile: a process names itself, rewrites its own environment and may be gone or be
 * another one by the time we read. So texts are bounded and made safe, and whoever acts on a pid
 * compares the start time (proc_stat.starttime, proc(5)) right before. Formats: proc_pid_stat(5).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "9f2f...-...": 36 characters and NUL. */
#define PROC_BOOT_ID 37

/* A line of /proc/PID/stat. CPU times in clock ticks (proc_ticks_per_second()). */
struct proc_stat {
	pid_t pid, ppid, pgrp, session;
	char state; /* R S D T t Z X I */
	char comm[64];
	uint64_t utime, stime;
	uint64_t cutime, cstime; /* of children it has waited for */
	int64_t threads;
	uint64_t starttime; /* ticks since boot */
	uint64_t rss_pages;
	int exit_code; /* wait status, in state Z; 0 also where we may not know */
};

/* Parse a line; the name may hold blanks, brackets and newlines. False if it is not one. */
bool proc_parse_stat(const char *text, size_t len, struct proc_stat *out);

/* Read one process. False with errno ENOENT or ESRCH if there is none. */
bool proc_read_stat(pid_t pid, struct proc_stat *out);
/* A descriptor kept open saves the lookup at each sample and fails with ESRCH once the process is
 * gone, whoever has its pid then. -1 on failure. */
int proc_open_stat(pid_t pid);
bool proc_read_stat_fd(int fd, struct proc_stat *out);

/* Whether pid is still the process that began at starttime, zombies included. */
bool proc_is(pid_t pid, uint64_t starttime);

/* Wait status of a process that was reaped by somebody else, by its pidfd: PIDFD_GET_INFO with
 * PIDFD_INFO_EXIT, Linux 6.15. False where the kernel does not tell. */
bool proc_pidfd_exit(int pidfd, int *status);

/* CPU time a process has used itself, also the threads that have ended, to the microsecond; -1 =
 * there is none. Cheaper than its stat. */
int64_t proc_cpu_us(pid_t pid);

/* Identity of this boot; false where the kernel does not tell. */
bool proc_boot_id(char out[PROC_BOOT_ID]);
/* Now, in the unit and on the clock of starttime. */
uint64_t proc_now_ticks(void);
unsigned proc_ticks_per_second(void);

/* Bytes that a process and the children it waited for have read from and written to disks. False
 * where we may not know. */
bool proc_read_io(pid_t pid, int64_t *read_bytes, int64_t *write_bytes);
/* Its share of memory, bytes; -1 = we may not know. Dear: the page tables are walked. */
int64_t proc_read_pss(pid_t pid);

/* Open descriptors of a process, -1 = we may not know. */
int proc_count_fds(pid_t pid);
/* How many it may have (its soft RLIMIT_NOFILE); -1 = any number, or we may not know. */
int64_t proc_max_fds(pid_t pid);

/* Each process there is; fn returns false to stop. False if /proc cannot be read (errno). */
bool proc_for_each_pid(bool (*fn)(pid_t pid, void *arg), void *arg);
/* Pids of the children, in *out (caller frees), and how many. 0 also if pid is gone. */
size_t proc_children(pid_t pid, pid_t **out);

/* Value of a variable as the process was started with, in out. False if it is not set, longer than
 * cap, or we may not read it. A hint only: a process can write what it likes there. */
bool proc_env_value(pid_t pid, const char *name, char *out, size_t cap);
/* The command line for a message: printable, cut to cap, "[name]" for a kernel thread or zombie.
 * False, and out is "?", if there is no such process. */
bool proc_cmdline(pid_t pid, char *out, size_t cap);

#endif
