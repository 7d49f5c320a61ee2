// SPDX-License-Identifier: Apache-2.0
// What each attribute of the language is, for people who write conditions.
#ifndef ENGINE_ATTR_WORDS_H
#define ENGINE_ATTR_WORDS_H

#include "engine/attrs.h"

struct attr_words {
    const char *is;      // what it is: one line
    const char *from;    // who says it
    const char *missing; // when it is missing, and what that means
};

// Of a declared attribute; never NULL.
const struct attr_words *attr_words(enum attr_id id);
// Of a root (`subject`), or NULL where there is none of that name.
const struct attr_words *attr_words_root(struct str name);
// Words of conditions and documentation for the type of an attribute: `string`, `list of string`.
const char *attr_words_type(enum cel_type type);

#endif
