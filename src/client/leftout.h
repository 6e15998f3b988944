/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LEFTOUT_H
#define PMCTL_CLIENT_LEFTOUT_H
/* leftout - words that are no commands or options here: PM2's without a counterpart, and ours of
 * later versions. */

/* What to do instead; NULL if the word is none of them. */
const char *leftout_find(const char *word);

/* The same for an option ("--only", "-m") of a command of ours. */
const char *leftout_option(const char *command, const char *option);

#endif
