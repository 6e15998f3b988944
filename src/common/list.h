/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_LIST_H
#define PMCTL_COMMON_LIST_H
/* list - intrusive doubly linked circular list. The head is a node of its own. */
#include <stdbool.h>
#include <stddef.h>

#include "common/mem.h"

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Append before the head, so at the end. */
static inline void list_add(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Safe on a node that was list_init()ed or removed already. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* `after` is a second variable of pos's type; the current element may be removed in the body. */
#define list_for_each(pos, after, head, member)                                                    \
	for ((pos) = container_of((head)->next, __typeof__(*(pos)), member),                       \
	    (after) = container_of((pos)->member.next, __typeof__(*(pos)), member);                \
	     &(pos)->member != (head); (pos) = (after),                                            \
	    (after) = container_of((pos)->member.next, __typeof__(*(pos)), member))

#endif
