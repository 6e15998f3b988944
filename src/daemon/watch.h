/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_WATCH_H
#define PMCTL_DAEMON_WATCH_H
/*
 * watch - reloads an app when the contents of its files change (`watch`, sys/watchtree.h).
 *
 * An app has a watch while a process of it is wanted: a stopped one costs nothing and is not
 * started. What serves is replaced by a rolling reload; what has failed or ended is started again.
 */
struct app;
struct watch;

/* Begin or end the watch of an app: to be called before its first process starts and when one has
 * come to rest. A small tree is known when this returns, a large one soon after. */
void watch_update(struct app *app);
/* End it, if there is one. */
void watch_end(struct app *app);

#endif
