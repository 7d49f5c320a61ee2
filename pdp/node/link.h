// SPDX-License-Identifier: Apache-2.0
// Lists through their members: a link knows whether it is in one, and leaves in O(1).
#ifndef NODE_LINK_H
#define NODE_LINK_H

#include "base/err.h"

struct link {
    struct link *prev, *next; // both NULL: in no list
};

#define LINK_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void link_head(struct link *head)
{
    head->prev = head->next = head;
}

static inline bool link_in(const struct link *link)
{
    return link->next != NULL;
}

static inline bool link_empty(const struct link *head)
{
    return head->next == head;
}

// At the end, unless it is in a list already.
static inline void link_add(struct link *head, struct link *link)
{
    if (!link_in(link)) {
        link->prev = head->prev;
        link->next = head;
        head->prev->next = link;
        head->prev = link;
    }
}

static inline void link_remove(struct link *link)
{
    if (link_in(link)) {
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->prev = link->next = NULL;
    }
}

// Takes the first off, or NULL.
static inline struct link *link_pop(struct link *head)
{
    struct link *link = link_empty(head) ? NULL : head->next;
    if (link != NULL) {
        link_remove(link);
    }
    return link;
}

#endif
