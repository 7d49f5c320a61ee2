// SPDX-License-Identifier: Apache-2.0
// YAML to located nodes, and declared shapes over them.
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/diag.h"

#define CONF_DEPTH_MAX 32

#define CONF_BYTES_MAX (64u << 20) // of one source
#define CONF_NODES_MAX (8u << 20)  // of one source

enum conf_kind {
    CONF_NULL,
    CONF_SCALAR,
    CONF_LIST,
    CONF_MAP
};
// How a scalar is written. CONF_FLOW is `[…]` and `{…}`.
enum conf_style {
    CONF_PLAIN,
    CONF_SINGLE,
    CONF_DOUBLE,
    CONF_LITERAL,
    CONF_FOLDED,
    CONF_FLOW,
    CONF_BLOCK
};

struct conf_entry;

struct conf_node {
    enum conf_kind kind; // an empty plain scalar, `~` and `null` are CONF_NULL
    enum conf_style style;
    bool quoted;        // '…', "…", | or >: always text, never a number or a truth
    struct place place; // of the whole node in its source; of a scalar, without its quotes
    struct str text;    // of a scalar, unescaped, in the arena
    size_t count;       // of items or entries
    const struct conf_node *const *items;
    const struct conf_entry *entries; // in the order of the text; keys are unique
};

struct conf_entry {
    const struct conf_node *key, *value;
};

// One document of a file.
struct conf_doc {
    const struct source *source;
    const struct conf_node *root;
};

// Parses all documents of one source. Aliases, anchors, tags, merge keys, duplicate keys, keys that are
// no scalar, tabs as indentation, invalid UTF-8, NUL, and nesting over CONF_DEPTH_MAX are errors with place
// and hint (depth is checked while events come, since libyaml is quadratic on nesting). Nodes live in
// `arena`; `source` must outlive them. Empty documents are left out. On an error the documents without
// one are still given; the error returned is the first.
MUST_USE enum pdp_err conf_parse(const struct source *source, struct arena *arena, struct diags *diags,
                                 struct conf_doc **docs, size_t *count);

// The value of a key, or NULL (also where `map` is NULL or no map).
const struct conf_node *conf_get(const struct conf_node *map, const char *key);
// The place of bytes at..at+len of a scalar's unescaped text: exact in plain, quoted, literal and folded
// scalars. It walks the scalar: for diagnostics only.
struct place conf_place(const struct conf_node *scalar, uint32_t at, uint32_t len);
// The same for struct cel_text.locate: user is a `const struct conf_node *`.
struct place conf_locate(void *node, uint32_t at, uint32_t len);

// The same for who asks for many places of one scalar, in any order: how far the walk was is remembered, so
// that all of them together walk it once, and each one a few bytes more. `scalar` is borrowed. *out NULL on
// failure.
struct conf_places;
MUST_USE enum pdp_err conf_places_new(const struct conf_node *scalar, struct conf_places **out);
void conf_places_free(struct conf_places **places);
// For struct cel_text.locate as well: `places` is a struct conf_places *.
struct place conf_places_at(void *places, uint32_t at, uint32_t len);
uint64_t conf_places_steps(const struct conf_places *places); // that were walked, for tests

// ---- Declared shapes ---------------------------------------------------------------------------

// X(name, C type written at `offset`)
enum conf_type {
    CONF_TEXT,     // struct str
    CONF_ID,       // struct str: letters, digits, `-`, `_`, `.`; starts with a letter; at most 128 bytes
    CONF_BOOL,     // bool: true or false only
    CONF_INT,      // int64_t within least..most
    CONF_NUMBER,   // double within least..most (as given, in whole numbers)
    CONF_DURATION, // int64_t milliseconds: `15m`, `12h`, `30d`, `1h30m`; > 0 unless least is negative
    CONF_TIME,     // int64_t milliseconds since 1970: RFC 3339
    CONF_CHOICE,   // int: index into choices (a NULL-terminated array)
    CONF_TEXTS,    // struct conf_texts: a list of text, or one text
    CONF_ANY,      // const struct conf_node *
    CONF_MAPPING,  // const struct conf_node *, a map
    CONF_SEQUENCE, // const struct conf_node *, a list
    CONF_EXPR,     // const struct conf_node *, a scalar that is text
};

struct conf_texts {
    const struct conf_node *const *nodes; // each a scalar
    size_t count;
};

struct conf_field {
    const char *name;
    enum conf_type type;
    bool required;
    size_t offset;              // in the struct that is filled
    const char *const *choices; // CONF_CHOICE
    int64_t least, most;        // CONF_INT, CONF_NUMBER, CONF_DURATION (ms); both 0: no bound
    const char *help;           // one line, for `pdpctl schema` and docs
};

// Fills `out` from a map by `fields`; fields that are not in the map keep what `out` held. Unknown keys are
// errors with the nearest name as hint; every mistake is reported. `what` names the map in messages
// ("a rule", "Policy"). The first error is returned. Lists made for CONF_TEXTS of one text live in `arena`.
MUST_USE enum pdp_err conf_read(const struct conf_node *map, const struct conf_field *fields, size_t count,
                                const char *what, void *out, struct arena *arena, struct diags *diags);

// `1h30m` and the like, largest unit first, each at most once (d h m s ms); `-` in front is taken.
// false, with *ms untouched, on anything else and on overflow.
bool conf_duration(struct str text, int64_t *ms);

#endif
