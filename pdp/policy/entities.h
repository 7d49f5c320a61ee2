// SPDX-License-Identifier: Apache-2.0
// Entities documents: subjects, resources and actions that there are. Searches walk them; where a document
// says so, what it stores of them fills in what questions leave out.
//
// What a document stores is the deployment's own word: it needs no grant to be believed. Ids ascend by their
// bytes, so that one id and a prefix are both a stretch of the walk. Immutable, in the set's arena, but for
// ids that come from a List: those are the list's, and reload with it.
#ifndef POLICY_ENTITIES_H
#define POLICY_ENTITIES_H

#include "policy/policy.h"
#include "policy/table.h"

#define ENTITIES_MOST (1u << 20) // of a folder, actions included, those of Lists not
#define ENTITIES_LISTS_MOST 8    // Lists that name ids of one type
#define ENTITIES_ID_MOST 255 // bytes; resources of questions may have longer ones, which no document names

struct entity {
    struct str id;                  // of an action its name
    const struct value *properties; // a map; NULL: none
    bool fills;                     // they fill in what questions leave out
};

struct entities_list {
    uint32_t list; // by the id of its declaration
    bool fills;
};

struct entities_type {
    struct str name;
    const struct entity *ids;
    struct entities_list lists[ENTITIES_LISTS_MOST];
    const struct entity *actions; // on resources of this type, those of any type among them
    uint32_t id_count, list_count, action_count;
    bool fills; // some of its documents fill: who is not in one is not known
};

struct entities {
    struct entities_type *types;
    uint32_t type_count;
    struct table by_name;         // numbers of types
    const struct entity *actions; // of any type
    uint32_t action_count;
    bool fills; // some type does
};

// The type of this name; NULL: no document names it.
const struct entities_type *entities_type_of(const struct policy_set *set, struct str name);

// What is stored of an entity for questions that leave it out.
enum entities_known {
    ENTITIES_SILENT,  // no document of its type fills: what is left out is missing
    ENTITIES_UNKNOWN, // some do, and it is in none of them: what is left out cannot be told
    ENTITIES_KNOWN    // *properties is what is stored; NULL: nothing
};
enum entities_known entities_find(const struct policy_set *set, const struct policy_lists *lists,
                                  struct str type, struct str id, int64_t now_ms,
                                  const struct value **properties);

// ---- Walking candidates -----------------------------------------------------------------------------

// A stretch of ids: one, or all that begin with it.
struct entities_range {
    struct str text;
    bool prefix;
};

// Sorts `ranges` and drops those that lie in others; returns how many are left. The walk wants them so.
size_t entities_ranges_sort(struct entities_range *ranges, size_t count);

struct entities_walk {
    const struct entity *ids;
    uint32_t count, at;
    const struct lists_set *lists[ENTITIES_LISTS_MOST]; // each in order
    uint32_t list_at[ENTITIES_LISTS_MOST];
    uint32_t list_count;
    const struct entities_range *ranges; // NULL: everything
    size_t range_count, range;
};

// Walks the ids of a type (or, with `actions`, the actions on resources of it) that lie in `ranges` (NULL:
// all) and come after `after` (at NULL: from the first). All is borrowed for the walk.
void entities_walk_begin(struct entities_walk *walk, const struct policy_set *set,
                         const struct policy_lists *lists, struct str type, bool actions,
                         const struct entities_range *ranges, size_t range_count, struct str after);
// The next candidate; false after the last. An id that a List names as well is given once, with what its
// document stores. Costs a comparison for each source, and a binary search where a stretch ends.
bool entities_walk_next(struct entities_walk *walk, struct entity *out);
// How many there are in all, ranges or not; an id of several sources counts for each.
size_t entities_count(const struct policy_set *set, const struct policy_lists *lists, struct str type,
                      bool actions);

#endif
