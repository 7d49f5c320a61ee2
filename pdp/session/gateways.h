// SPDX-License-Identifier: Apache-2.0
// Names of peers by small numbers, so that a record can say in two bytes who began it: bounded, never reused.
#ifndef SESSION_GATEWAYS_H
#define SESSION_GATEWAYS_H

#include "base/hash.h"

#include <pthread.h>

#define GATEWAYS_MAX 4095     // numbers 1 to this; whoever comes later has none
#define GATEWAYS_PLACES 8192  // a power of two above twice that
#define GATEWAYS_NAME_MAX 255 // bytes; of a longer name the first are kept

struct gateways {
    pthread_mutex_t lock;
    struct hash_key key;
    uint16_t count;
    struct str names[GATEWAYS_MAX + 1]; // by number
    uint16_t places[GATEWAYS_PLACES];   // numbers by hash of the name; 0: free
};

void gateways_init(struct gateways *gateways, struct hash_key key);
void gateways_fini(struct gateways *gateways);
// The number of a name, given to it with the first call; 0: empty, or no number or memory is left. Any
// thread. Allocates for a new name only.
uint16_t gateways_number(struct gateways *gateways, struct str name);
// Lives as long as the gateways; empty where there is no such number. Any thread.
struct str gateways_name(struct gateways *gateways, uint16_t number);

#endif
