// SPDX-License-Identifier: Apache-2.0
#include "cli/test/mmdb.h"

#include "geo/section.h"

enum {
    V4_BITS = 96, // of the prefix that IPv4 lies under
    V4_AT = 12,
    INLINE_MOST = 28,
    SHORT_MOST = 284,
    EXTENDED = 7, // types above are told in a byte of their own
    SEPARATOR = 16,
    FORMAT_MAJOR = 2,
    RECORD_BITS = 32,
    TREE_VERSION = 6,
    BUILD_S = 1, // libmaxminddb takes no file that was made at 0
};

// A record of a node while the tree grows: the number of a node, or with this bit the offset of a value.
#define VALUE_BIT (UINT32_C(1) << 31)
#define NOTHING UINT32_MAX

struct node {
    uint32_t side[2];
};

void mmdb_fini(struct mmdb *mmdb)
{
    buf_fini(&mmdb->nodes);
    buf_fini(&mmdb->data);
}

// ---- Values --------------------------------------------------------------------------------------

static void put_head(struct buf *data, uint8_t type, size_t size)
{
    unsigned first = type > EXTENDED ? 0 : (unsigned)type << 5;
    bool in_line = size <= INLINE_MOST;
    buf_byte(data, (unsigned char)(first | (in_line ? size : INLINE_MOST + 1)));
    if (type > EXTENDED) {
        buf_byte(data, (unsigned char)(type - EXTENDED));
    }
    if (!in_line) {
        buf_byte(data, (unsigned char)(size - INLINE_MOST - 1));
    }
}

static void put_bytes(struct buf *data, uint64_t number, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        buf_byte(data, (unsigned char)(number >> (8 * i)));
    }
}

void mmdb_map(struct buf *data, uint32_t pairs)
{
    put_head(data, SECTION_MAP, pairs);
}

void mmdb_text(struct buf *data, struct str text)
{
    text = str_sub(text, 0, SHORT_MOST);
    put_head(data, SECTION_TEXT, text.len);
    buf_str(data, text);
}

void mmdb_double(struct buf *data, double number)
{
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    put_head(data, SECTION_DOUBLE, sizeof bits);
    put_bytes(data, bits, sizeof bits);
}

void mmdb_uint(struct buf *data, uint32_t number)
{
    put_head(data, SECTION_UINT32, sizeof number);
    put_bytes(data, number, sizeof number);
}

void mmdb_bool(struct buf *data, bool truth)
{
    put_head(data, SECTION_BOOL, truth);
}

// ---- The tree ------------------------------------------------------------------------------------

unsigned mmdb_bits(const struct cidr *cidr)
{
    return cidr->bits + (cidr->base.v4 ? V4_BITS : 0U);
}

static unsigned bit_of(const struct cidr *cidr, unsigned at)
{
    if (cidr->base.v4 && at < V4_BITS) {
        return 0;
    }
    return (unsigned)cidr->base.bytes[at / 8] >> (7 - at % 8) & 1U;
}

static struct node *node_at(struct mmdb *mmdb, uint32_t number)
{
    return (struct node *)(void *)mmdb->nodes.at + number;
}

// A node whose both sides have what the record that leads to it had.
static bool grow(struct mmdb *mmdb, uint32_t held, uint32_t *number)
{
    const struct node node = {{held, held}};
    *number = (uint32_t)(mmdb->nodes.len / sizeof node);
    buf_put(&mmdb->nodes, &node, sizeof node);
    return !mmdb->nodes.failed;
}

void mmdb_add(struct mmdb *mmdb, const struct cidr *cidr, size_t offset)
{
    unsigned bits = mmdb_bits(cidr);
    uint32_t at = 0, number = 0, value = (uint32_t)offset | VALUE_BIT;
    if (mmdb->nodes.len == 0 && !grow(mmdb, NOTHING, &number)) {
        return;
    }
    for (unsigned i = 0; i + 1 < bits; i++) {
        uint32_t next = node_at(mmdb, at)->side[bit_of(cidr, i)];
        if ((next & VALUE_BIT) != 0) {
            if (!grow(mmdb, next, &number)) {
                return;
            }
            node_at(mmdb, at)->side[bit_of(cidr, i)] = next = number;
        }
        at = next;
    }
    for (unsigned side = 0; side < 2; side++) {
        if (bits == 0 || bit_of(cidr, bits - 1) == side) {
            node_at(mmdb, at)->side[side] = value;
        }
    }
}

// ---- The file ------------------------------------------------------------------------------------

static void put_tree(const struct mmdb *mmdb, struct buf *out)
{
    size_t count = mmdb->nodes.len / sizeof(struct node);
    const struct node *nodes = (const struct node *)(const void *)mmdb->nodes.at;
    for (size_t i = 0; i < 2 * count; i++) {
        uint32_t record = nodes[i / 2].side[i % 2];
        if (record == NOTHING) {
            record = (uint32_t)count;
        } else if ((record & VALUE_BIT) != 0) {
            record = (uint32_t)count + SEPARATOR + (record & ~VALUE_BIT);
        }
        put_bytes(out, record, sizeof record);
    }
}

static void put_number(struct buf *out, const char *key, uint8_t type, uint64_t number, unsigned bytes)
{
    mmdb_text(out, str_of(key));
    put_head(out, type, bytes);
    put_bytes(out, number, bytes);
}

void mmdb_write(const struct mmdb *mmdb, struct str type, struct buf *out)
{
    static const unsigned char ZEROS[SEPARATOR] = {0};
    static const char MARKER[] = "\xAB\xCD\xEFMaxMind.com";
    put_tree(mmdb, out);
    buf_put(out, ZEROS, sizeof ZEROS);
    buf_put(out, mmdb->data.at, mmdb->data.len);
    buf_put(out, MARKER, sizeof MARKER - 1);
    mmdb_map(out, 9);
    put_number(out, "binary_format_major_version", SECTION_UINT16, FORMAT_MAJOR, 2);
    put_number(out, "binary_format_minor_version", SECTION_UINT16, 0, 2);
    put_number(out, "build_epoch", SECTION_UINT64, BUILD_S, 8);
    put_number(out, "ip_version", SECTION_UINT16, TREE_VERSION, 2);
    put_number(out, "node_count", SECTION_UINT32, mmdb->nodes.len / sizeof(struct node), 4);
    put_number(out, "record_size", SECTION_UINT16, RECORD_BITS, 2);
    mmdb_text(out, STR("database_type"));
    mmdb_text(out, type);
    mmdb_text(out, STR("languages"));
    put_head(out, SECTION_ARRAY, 1);
    mmdb_text(out, STR("en"));
    mmdb_text(out, STR("description"));
    mmdb_map(out, 1);
    mmdb_text(out, STR("en"));
    mmdb_text(out, STR("made by a test"));
    out->failed = out->failed || mmdb->nodes.failed || mmdb->data.failed;
}
