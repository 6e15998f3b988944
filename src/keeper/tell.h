/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_TELL_H
#define PMCTL_KEEPER_TELL_H
/* tell - word to whoever started us: the launcher at the other end of a pipe, a service manager. */
#include <stdbool.h>
#include <stddef.h>

/* "" = ready, else the reason of a failure. Closes fd; -1 = nobody waits. */
void tell_launcher(int fd, const char *reason);
/* The launcher's side: wait for that word. False: `why` has the reason, "" = none was given, and
 * whoever should have told ended before. */
bool tell_wait(int fd, char *why, size_t cap);

/* sd_notify(3): one datagram to the socket the service manager named; "" = none. */
void tell_manager(const char *path, const char *text);

#endif
