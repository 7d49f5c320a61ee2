// SPDX-License-Identifier: Apache-2.0
// A keyed hash of a decoded question: the same whatever form it came in and however its maps are ordered.
#ifndef MODEL_QHASH_H
#define MODEL_QHASH_H

#include "base/hash.h"
#include "model/value.h"

// 64 bits over the whole tree. Maps are hashed without regard to order, lists with; `1` and `1.0` differ; a
// null in a map is as if it had been left out. Folded multiplication under a secret key: universal-hash
// bounds hold as long as neither key nor hash is ever shown to a peer, which is what it is for (telling
// repeats in the table). Hot path: no allocation; linear in the tree, whose depth the decoder bounds.
uint64_t qhash(struct hash_key key, const struct value *v);
// The same of a map as if it had no entry `but`.
uint64_t qhash_but(struct hash_key key, const struct value *map, struct str but);

#endif
