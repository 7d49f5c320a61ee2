// SPDX-License-Identifier: Apache-2.0
#include "geo/section.h"

#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST_DEPTH = 64,
    MOST_PAIRS = 4096,  // of a map or an array; a lookup passes over them one by one
    MOST_VALUES = 8192, // of one record: bounds the time of a lookup
    BUDGET_FACTOR = 4,  // a sound file needs at most twice its size
    BUDGET_LEAST = 4096,
};

enum pdp_err section_refuse(char why[static SECTION_WHY], enum pdp_err err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, SECTION_WHY, fmt, args);
    va_end(args);
    return err;
}

static enum pdp_err corrupt(const struct section *section, size_t at, const char *what,
                            char why[static SECTION_WHY])
{
    return section_refuse(why, PDP_ERR_CORRUPT, "%s, byte %zu: %s", section->name, at, what);
}

// ---- one head --------------------------------------------------------------------------------------

// The largest payload of a type; exact sizes and counts are told apart in fits().
static const struct {
    bool known;
    uint8_t least, most; // bytes; most 0: see fits()
} TYPES[16] = {
    [SECTION_TEXT] = {true, 0, 0},   [SECTION_DOUBLE] = {true, 8, 8}, [SECTION_BYTES] = {true, 0, 0},
    [SECTION_UINT16] = {true, 0, 2}, [SECTION_UINT32] = {true, 0, 4}, [SECTION_MAP] = {true, 0, 0},
    [SECTION_INT32] = {true, 0, 4},  [SECTION_UINT64] = {true, 0, 8}, [SECTION_UINT128] = {true, 0, 16},
    [SECTION_ARRAY] = {true, 0, 0},  [SECTION_BOOL] = {true, 0, 1},   [SECTION_FLOAT] = {true, 4, 4},
};

static uint32_t big_endian(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static bool container(unsigned type)
{
    return type == SECTION_MAP || type == SECTION_ARRAY;
}

static enum pdp_err pointer_item(const struct section *section, size_t at, struct item *item,
                                 char why[static SECTION_WHY])
{
    // Values of each width start where those of the narrower one end.
    static const uint32_t FROM[] = {0, 2048, 526336, 0};
    unsigned control = section->at[at];
    unsigned width = control >> 3 & 3;
    unsigned bytes = width + 1;
    if (section->len - at - 1 < bytes) {
        return corrupt(section, at, "a pointer is cut off", why);
    }
    uint32_t high = width == 3 ? 0 : control & 7;
    uint32_t target = 0;
    if (!num_add((width == 3 ? 0 : high << (8 * bytes)) | big_endian(section->at + at + 1, bytes),
                 FROM[width], &target) ||
        target >= section->len) {
        return corrupt(section, at, "a pointer leads outside", why);
    }
    *item =
        (struct item){.type = SECTION_POINTER, .payload = at + 1, .next = at + 1 + bytes, .target = target};
    return PDP_ERR_OK;
}

// Does what the head promises fit into what is left? A pair is at least two bytes, a value one.
static const char *misfit(const struct section *section, const struct item *item)
{
    size_t left = section->len - item->payload;
    if (container(item->type)) {
        size_t least = item->type == SECTION_MAP ? 2 * (size_t)item->size : item->size;
        return item->size > MOST_PAIRS ? "a map or array is too long"
                                       : (least > left ? "a map or array is cut off" : NULL);
    }
    if (item->size < TYPES[item->type].least ||
        (TYPES[item->type].most != 0 && item->size > TYPES[item->type].most)) {
        return "a value has a size that its type does not allow";
    }
    return item->type != SECTION_BOOL && item->size > left ? "a value is cut off" : NULL;
}

enum pdp_err section_item(const struct section *section, size_t at, struct item *out,
                          char why[static SECTION_WHY])
{
    *out = (struct item){0};
    if (at >= section->len) {
        return corrupt(section, at, "a value is missing", why);
    }
    unsigned control = section->at[at];
    unsigned type = control >> 5;
    size_t head = 1;
    if (type == SECTION_POINTER) {
        return pointer_item(section, at, out, why);
    }
    if (type == 0) {
        type = section->len - at > head ? section->at[at + head] + 7U : 0;
        head++;
        if (type < SECTION_INT32 || type >= COUNT_OF(TYPES)) {
            return corrupt(section, at, "no such type", why);
        }
    }
    if (!TYPES[type].known) {
        return corrupt(section, at, "no such type", why);
    }
    static const uint32_t FROM[] = {29, 285, 65821};
    uint32_t size = control & 0x1f;
    if (size >= 29) {
        unsigned bytes = size - 28;
        if (section->len - at < head + bytes) {
            return corrupt(section, at, "a size is cut off", why);
        }
        size = FROM[bytes - 1] + big_endian(section->at + at + head, bytes);
        head += bytes;
    }
    struct item item = {.type = (uint8_t)type, .size = size, .payload = at + head};
    const char *what = misfit(section, &item);
    if (what != NULL) {
        return corrupt(section, at, what, why);
    }
    item.next = item.payload + (container(type) || type == SECTION_BOOL ? 0 : size);
    *out = item;
    return PDP_ERR_OK;
}

enum pdp_err section_value(const struct section *section, size_t at, struct item *out,
                           char why[static SECTION_WHY])
{
    TRY(section_item(section, at, out, why));
    if (out->type == SECTION_POINTER) {
        TRY(section_item(section, out->target, out, why));
        if (out->type == SECTION_POINTER) {
            *out = (struct item){0};
            return corrupt(section, at, "a pointer leads to a pointer", why);
        }
    }
    return PDP_ERR_OK;
}

// ---- the walk --------------------------------------------------------------------------------------

enum pdp_err section_walk_init(struct section_walk *walk, struct section section)
{
    *walk = (struct section_walk){.section = section};
    if (!num_mul(section.len, (size_t)BUDGET_FACTOR, &walk->budget) ||
        !num_add(walk->budget, (size_t)BUDGET_LEAST, &walk->budget)) {
        return PDP_ERR_LIMIT;
    }
    walk->seen = calloc(section.len / 8 + 1, 1);
    return walk->seen != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
}

void section_walk_fini(struct section_walk *walk)
{
    free(walk->seen);
    *walk = (struct section_walk){0};
}

static bool seen(const struct section_walk *walk, size_t at)
{
    return walk->seen[at / 8] >> (at % 8) & 1;
}

static enum pdp_err check_value(struct section_walk *walk, size_t at, unsigned depth, size_t *next,
                                char why[static SECTION_WHY]);

static enum pdp_err check_pairs(struct section_walk *walk, const struct item *item, unsigned depth,
                                size_t *next, char why[static SECTION_WHY])
{
    size_t at = item->payload;
    for (uint32_t i = 0; i < item->size; i++) {
        if (item->type == SECTION_MAP) {
            struct item key;
            TRY(section_value(&walk->section, at, &key, why));
            if (key.type != SECTION_TEXT) {
                return corrupt(&walk->section, at, "a key is not text", why);
            }
            TRY(check_value(walk, at, depth, &at, why));
        }
        TRY(check_value(walk, at, depth, &at, why));
    }
    *next = at;
    return PDP_ERR_OK;
}

// Recursion is bounded by MOST_DEPTH, pointers counted. A value that was seen is not entered again through a
// pointer, so a chain of pointers may in all be longer than that: nothing follows one for longer than a path
// is.
static enum pdp_err check_value(struct section_walk *walk, size_t at, unsigned depth, size_t *next,
                                char why[static SECTION_WHY])
{
    const struct section *section = &walk->section;
    if (depth > MOST_DEPTH) {
        return corrupt(section, at, "nested too deeply, or in a circle", why);
    }
    struct item item;
    TRY(section_item(section, at, &item, why));
    size_t cost = item.next - at;
    if (cost > walk->budget || walk->values == MOST_VALUES) {
        return corrupt(section, at, cost > walk->budget ? "values overlap" : "a record has too many values",
                       why);
    }
    walk->budget -= cost;
    walk->values++;
    *next = item.next;
    if (item.type == SECTION_POINTER) {
        struct item target;
        TRY(section_value(section, at, &target, why));
        size_t past_target = 0;
        if (!seen(walk, item.target)) {
            TRY(check_value(walk, item.target, depth + 1, &past_target, why));
        }
    } else if (item.type == SECTION_TEXT) {
        if (!str_is_utf8((struct str){(const char *)section->at + item.payload, item.size})) {
            return corrupt(section, at, "text is not UTF-8", why);
        }
    } else if (container(item.type)) {
        TRY(check_pairs(walk, &item, depth + 1, next, why));
    }
    walk->seen[at / 8] = (uint8_t)(walk->seen[at / 8] | 1U << (at % 8));
    return PDP_ERR_OK;
}

enum pdp_err section_check(struct section_walk *walk, size_t at, size_t *next, char why[static SECTION_WHY])
{
    size_t past = at;
    if (next == NULL && at < walk->section.len && seen(walk, at)) {
        return PDP_ERR_OK;
    }
    walk->values = 0;
    enum pdp_err err = check_value(walk, at, 0, &past, why);
    if (next != NULL) {
        *next = past;
    }
    return err;
}

// ---- reading what was checked ----------------------------------------------------------------------

// Past the value at `at`, without following pointers.
static bool skip(const struct section *section, size_t at, unsigned depth, size_t *next)
{
    char why[SECTION_WHY];
    struct item item;
    if (depth > MOST_DEPTH || section_item(section, at, &item, why) != PDP_ERR_OK) {
        return false;
    }
    *next = item.next;
    uint32_t values = container(item.type) ? item.size * (item.type == SECTION_MAP ? 2U : 1U) : 0;
    for (uint32_t i = 0; i < values; i++) {
        if (!skip(section, *next, depth + 1, next)) {
            return false;
        }
    }
    return true;
}

bool section_field(const struct section *section, size_t at, struct str key, struct item *out)
{
    *out = (struct item){0};
    char why[SECTION_WHY];
    struct item map;
    if (section_value(section, at, &map, why) != PDP_ERR_OK || map.type != SECTION_MAP) {
        return false;
    }
    size_t value = map.payload;
    for (uint32_t i = 0; i < map.size; i++) {
        struct item name;
        if (section_value(section, value, &name, why) != PDP_ERR_OK || !skip(section, value, 0, &value)) {
            return false;
        }
        struct str text = {(const char *)section->at + name.payload, name.size};
        if (name.type == SECTION_TEXT && str_eq(text, key)) {
            return section_value(section, value, out, why) == PDP_ERR_OK;
        }
        if (!skip(section, value, 0, &value)) {
            return false;
        }
    }
    return false;
}

bool section_all_text(const struct section *section, const struct item *item)
{
    char why[SECTION_WHY];
    size_t at = item->payload;
    uint32_t values = item->size * (item->type == SECTION_MAP ? 2U : 1U);
    for (uint32_t i = 0; i < values; i++) {
        struct item value;
        if (section_value(section, at, &value, why) != PDP_ERR_OK || value.type != SECTION_TEXT ||
            !skip(section, at, 0, &at)) {
            return false;
        }
    }
    return true;
}

bool section_number(const struct section *section, const struct item *item, uint64_t most, uint64_t *out)
{
    *out = 0;
    if (item->type != SECTION_UINT16 && item->type != SECTION_UINT32 && item->type != SECTION_UINT64) {
        return false;
    }
    uint64_t value = 0;
    for (uint32_t i = 0; i < item->size; i++) {
        value = value << 8 | section->at[item->payload + i];
    }
    if (value > most) {
        return false;
    }
    *out = value;
    return true;
}
