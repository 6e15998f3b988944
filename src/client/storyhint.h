/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STORYHINT_H
#define PMCTL_CLIENT_STORYHINT_H
/* storyhint - what may help, from the cause of an exit and what was written last. Pure. */
#include <jansson.h>

#include "client/story.h"

/* At most two lines with the two blanks every line of a story has, or nothing. */
void storyhint_add(const struct story *s, const json_t *trouble, struct buf *out);

#endif
