/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_LOG_H
#define PMCTL_COMMON_LOG_H
/*
 * log - the daemon's own log. Used by keeper and daemon only; lower layers return errors instead.
 *
 * One line each: "2026-11-22T14:03:01.377Z keeper: text". A line equal to the last one is counted,
 * not written again, until a different one comes ("last message repeated 12 times").
 */

/* `who` ("keeper", "supervisor") is borrowed; fd is borrowed, -1 = stderr. No heap is used. */
void log_init(const char *who, int fd);
void log_set_fd(int fd);
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
