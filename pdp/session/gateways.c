// SPDX-License-Identifier: Apache-2.0
#include "session/gateways.h"

#include <stdlib.h>

void gateways_init(struct gateways *gateways, struct hash_key key)
{
    invariant(pthread_mutex_init(&gateways->lock, NULL) == 0);
    gateways->key = key;
    gateways->count = 0;
}

void gateways_fini(struct gateways *gateways)
{
    for (uint32_t i = 1; i <= gateways->count; i++) {
        free((void *)(uintptr_t)gateways->names[i].at);
    }
    pthread_mutex_destroy(&gateways->lock);
}

// The place of a name, or the free one that it would get. There are more places than names.
static uint16_t *place_of(struct gateways *gateways, struct str name)
{
    uint64_t at = hash_64(gateways->key, name.at, name.len);
    for (;; at++) {
        uint16_t *place = &gateways->places[at % GATEWAYS_PLACES];
        if (*place == 0 || str_eq(gateways->names[*place], name)) {
            return place;
        }
    }
}

static uint16_t add(struct gateways *gateways, struct str name)
{
    char *copy = gateways->count < GATEWAYS_MAX ? malloc(name.len) : NULL;
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, name.at, name.len);
    gateways->names[++gateways->count] = (struct str){copy, name.len};
    return gateways->count;
}

uint16_t gateways_number(struct gateways *gateways, struct str name)
{
    name = str_sub(name, 0, GATEWAYS_NAME_MAX);
    if (name.len == 0) {
        return 0;
    }
    invariant(pthread_mutex_lock(&gateways->lock) == 0);
    uint16_t *place = place_of(gateways, name);
    *place = *place != 0 ? *place : add(gateways, name);
    uint16_t number = *place;
    invariant(pthread_mutex_unlock(&gateways->lock) == 0);
    return number;
}

struct str gateways_name(struct gateways *gateways, uint16_t number)
{
    invariant(pthread_mutex_lock(&gateways->lock) == 0);
    struct str name = number <= gateways->count ? gateways->names[number] : (struct str){0};
    invariant(pthread_mutex_unlock(&gateways->lock) == 0);
    return name;
}
