// SPDX-License-Identifier: Apache-2.0
#include "geo/verify.h"

#include "base/num.h"
#include "base/time.h"

#include <stdlib.h>

enum {
    METADATA_MOST = 128 * 1024, // the format's own limit, marker included
    SEPARATOR = 16,             // zero bytes between tree and data
    TYPE_MOST = 128,            // bytes of database_type
};

static const char MARKER[] = "\xab\xcd\xefMaxMind.com";
enum {
    MARKER_LEN = sizeof MARKER - 1
};

// ---- metadata --------------------------------------------------------------------------------------

// The last marker of the file counts; what it names as data ends where it starts.
static enum pdp_err find_metadata(const uint8_t *bytes, size_t len, size_t *marker,
                                  struct verify_layout *layout, char why[static SECTION_WHY])
{
    size_t from = len > METADATA_MOST ? len - METADATA_MOST : 0;
    for (size_t at = len; at >= from + MARKER_LEN; at--) {
        if (memcmp(bytes + at - MARKER_LEN, MARKER, MARKER_LEN) == 0) {
            *marker = at - MARKER_LEN;
            layout->metadata = (struct section){"metadata", bytes + at, len - at};
            return PDP_ERR_OK;
        }
    }
    return section_refuse(why, PDP_ERR_CORRUPT, "no metadata: this is no MaxMind DB file, or it is cut off");
}

static enum pdp_err number_field(const struct verify_layout *layout, const char *key, uint64_t most,
                                 uint64_t *out, char why[static SECTION_WHY])
{
    struct item item;
    if (!section_field(&layout->metadata, 0, str_of(key), &item) ||
        !section_number(&layout->metadata, &item, most, out)) {
        *out = 0;
        return section_refuse(why, PDP_ERR_CORRUPT, "metadata: `%s` is missing, no number or too large", key);
    }
    return PDP_ERR_OK;
}

static enum pdp_err check_type(struct verify_layout *layout, char why[static SECTION_WHY])
{
    struct item item;
    if (!section_field(&layout->metadata, 0, STR("database_type"), &item) || item.type != SECTION_TEXT ||
        item.size == 0 || item.size > TYPE_MOST) {
        return section_refuse(why, PDP_ERR_CORRUPT,
                              "metadata: `database_type` is missing, no text or too long");
    }
    layout->type = (struct str){(const char *)layout->metadata.at + item.payload, item.size};
    return PDP_ERR_OK;
}

// Of no use here, but libmaxminddb reads them, and leaks where they are of another type.
static enum pdp_err check_words(const struct verify_layout *layout, char why[static SECTION_WHY])
{
    static const struct {
        const char *key;
        uint8_t type;
    } WORDS[] = {{"languages", SECTION_ARRAY}, {"description", SECTION_MAP}};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        struct item item;
        if (!section_field(&layout->metadata, 0, str_of(WORDS[i].key), &item) || item.type != WORDS[i].type ||
            !section_all_text(&layout->metadata, &item)) {
            return section_refuse(why, PDP_ERR_CORRUPT, "metadata: `%s` is missing or not all text",
                                  WORDS[i].key);
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err read_metadata(struct verify_layout *layout, char why[static SECTION_WHY])
{
    uint64_t major = 0, record_bits = 0, ip_version = 0;
    TRY(number_field(layout, "binary_format_major_version", UINT16_MAX, &major, why));
    TRY(number_field(layout, "node_count", UINT32_MAX, &layout->node_count, why));
    TRY(number_field(layout, "record_size", UINT16_MAX, &record_bits, why));
    TRY(number_field(layout, "ip_version", UINT16_MAX, &ip_version, why));
    TRY(number_field(layout, "build_epoch", (uint64_t)TIME_MAX_S, &layout->build_s, why));
    TRY(check_type(layout, why));
    TRY(check_words(layout, why));
    layout->record_bits = (unsigned)record_bits;
    layout->ip_version = (unsigned)ip_version;
    if (major != 2) {
        return section_refuse(why, PDP_ERR_UNSUPPORTED, "metadata: format version %u, expected 2",
                              (unsigned)major);
    }
    if (record_bits != 24 && record_bits != 28 && record_bits != 32) {
        return section_refuse(why, PDP_ERR_UNSUPPORTED, "metadata: records of %u bits, expected 24, 28 or 32",
                              layout->record_bits);
    }
    if (ip_version != 4 && ip_version != 6) {
        return section_refuse(why, PDP_ERR_CORRUPT, "metadata: IP version %u, expected 4 or 6",
                              layout->ip_version);
    }
    if (layout->node_count == 0) {
        return section_refuse(why, PDP_ERR_CORRUPT, "metadata: `node_count` is 0");
    }
    return PDP_ERR_OK;
}

static enum pdp_err check_metadata(struct verify_layout *layout, char why[static SECTION_WHY])
{
    AUTO(section_walk_fini) struct section_walk walk = {0};
    TRY(section_walk_init(&walk, layout->metadata));
    size_t past = 0;
    TRY(section_check(&walk, 0, &past, why));
    return read_metadata(layout, why);
}

// Tree, separator and data must fill what is before the marker.
static enum pdp_err lay_out(const uint8_t *bytes, size_t marker, struct verify_layout *layout,
                            char why[static SECTION_WHY])
{
    size_t tree = 0, data = 0;
    if (!num_mul((size_t)layout->node_count, (size_t)layout->record_bits / 4, &tree) ||
        !num_add(tree, (size_t)SEPARATOR, &data) || data > marker) {
        return section_refuse(why, PDP_ERR_CORRUPT, "a search tree of %llu nodes does not fit into the file",
                              (unsigned long long)layout->node_count);
    }
    for (size_t i = tree; i < data; i++) {
        if (bytes[i] != 0) {
            return section_refuse(why, PDP_ERR_CORRUPT, "byte %zu: the search tree does not end in 16 zeros",
                                  i);
        }
    }
    layout->data = (struct section){"data", bytes + data, marker - data};
    return PDP_ERR_OK;
}

// ---- search tree -----------------------------------------------------------------------------------

void verify_node(const struct verify_layout *layout, const uint8_t *bytes, uint64_t node,
                 uint32_t out[static 2])
{
    const uint8_t *at = bytes + node * layout->record_bits / 4;
    if (layout->record_bits == 28) {
        out[0] = (uint32_t)(at[3] & 0xf0U) << 20 | (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        out[1] = (uint32_t)(at[3] & 0x0fU) << 24 | (uint32_t)at[4] << 16 | (uint32_t)at[5] << 8 | at[6];
        return;
    }
    unsigned bytes_each = layout->record_bits / 8;
    for (unsigned side = 0; side < 2; side++) {
        out[side] = 0;
        for (unsigned i = 0; i < bytes_each; i++) {
            out[side] = out[side] << 8 | at[side * bytes_each + i];
        }
    }
}

// Subtrees may be shared (a database of IPv6 shows IPv4 in several places), so nodes form a graph. Each is
// entered once. `height` keeps the longest way from a node to the end of a record: one that is longer than an
// address has bits, or that comes back to where it was, would end a lookup inside the tree.
enum {
    UNSEEN = 0,
    OPEN = 255
};

struct frame {
    uint32_t node, records[2];
    uint8_t side, height;
};

struct tree_walk {
    const struct verify_layout *layout;
    const uint8_t *bytes;
    uint8_t *height;
    struct section_walk data;
    struct frame frames[128];
    unsigned depth, bits;
};

static void tree_walk_fini(struct tree_walk *walk)
{
    free(walk->height);
    walk->height = NULL;
    section_walk_fini(&walk->data);
}

static enum pdp_err tree_enter(struct tree_walk *walk, uint32_t node, char why[static SECTION_WHY])
{
    if (walk->depth == walk->bits) {
        return section_refuse(why, PDP_ERR_CORRUPT, "search tree, node %u: deeper than an address has bits",
                              node);
    }
    struct frame *frame = &walk->frames[walk->depth++];
    *frame = (struct frame){.node = node};
    verify_node(walk->layout, walk->bytes, node, frame->records);
    walk->height[node] = OPEN;
    return PDP_ERR_OK;
}

static void raise_height(struct frame *frame, unsigned below)
{
    if (frame->height < below + 1) {
        frame->height = (uint8_t)(below + 1);
    }
}

static enum pdp_err check_record(struct tree_walk *walk, struct frame *frame, uint32_t record,
                                 char why[static SECTION_WHY])
{
    uint64_t nodes = walk->layout->node_count;
    if (record < nodes) {
        uint8_t height = walk->height[record];
        if (height == OPEN) {
            return section_refuse(why, PDP_ERR_CORRUPT, "search tree, node %u: leads back to itself",
                                  frame->node);
        }
        if (height == UNSEEN) {
            return tree_enter(walk, record, why);
        }
        raise_height(frame, height);
        // Entering it here would have gone deeper than the bits.
        if (walk->depth + height > walk->bits) {
            return section_refuse(why, PDP_ERR_CORRUPT,
                                  "search tree, node %u: deeper than an address has bits", frame->node);
        }
        return PDP_ERR_OK;
    }
    raise_height(frame, 0);
    if (record == nodes) {
        return PDP_ERR_OK;
    }
    if (record - nodes < SEPARATOR || record - nodes - SEPARATOR >= walk->layout->data.len) {
        return section_refuse(why, PDP_ERR_CORRUPT, "search tree, node %u: record %u leads outside the data",
                              frame->node, record);
    }
    return section_check(&walk->data, (size_t)(record - nodes - SEPARATOR), NULL, why);
}

static enum pdp_err walk_tree(struct tree_walk *walk, char why[static SECTION_WHY])
{
    TRY(tree_enter(walk, 0, why));
    while (walk->depth > 0) {
        struct frame *frame = &walk->frames[walk->depth - 1];
        if (frame->side < 2) {
            TRY(check_record(walk, frame, frame->records[frame->side++], why));
            continue;
        }
        walk->height[frame->node] = frame->height;
        walk->depth--;
        if (walk->depth > 0) {
            raise_height(&walk->frames[walk->depth - 1], frame->height);
        }
    }
    return PDP_ERR_OK;
}

static enum pdp_err check_tree(const struct verify_layout *layout, const uint8_t *bytes,
                               char why[static SECTION_WHY])
{
    AUTO(tree_walk_fini)
    struct tree_walk walk = {.layout = layout, .bytes = bytes, .bits = layout->ip_version == 4 ? 32 : 128};
    walk.height = calloc((size_t)layout->node_count, 1);
    if (walk.height == NULL) {
        return section_refuse(why, PDP_ERR_NOMEM, "out of memory");
    }
    TRY(section_walk_init(&walk.data, layout->data));
    TRY(walk_tree(&walk, why));
    for (uint64_t node = 0; node < layout->node_count; node++) {
        if (walk.height[node] == UNSEEN) {
            return section_refuse(why, PDP_ERR_CORRUPT, "search tree, node %llu: nothing leads there",
                                  (unsigned long long)node);
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err verify_database(const uint8_t *bytes, size_t len, struct verify_layout *out,
                             char why[static SECTION_WHY])
{
    *out = (struct verify_layout){0};
    why[0] = '\0';
    if (len > VERIFY_MOST_BYTES) {
        return section_refuse(why, PDP_ERR_LIMIT, "the file is larger than 1 GiB");
    }
    struct verify_layout layout = {0};
    size_t marker = 0;
    TRY(find_metadata(bytes, len, &marker, &layout, why));
    TRY(check_metadata(&layout, why));
    TRY(lay_out(bytes, marker, &layout, why));
    TRY(check_tree(&layout, bytes, why));
    *out = layout;
    return PDP_ERR_OK;
}
