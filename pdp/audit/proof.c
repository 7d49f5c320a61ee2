// SPDX-License-Identifier: Apache-2.0
#include "audit/proof.h"

#include "base/base64.h"

#include <inttypes.h>

static const struct str FIRST_LINE = {"c2sp.org/tlog-proof@v1\n", 23};
static const struct str INDEX = {"index ", 6};

void proof_write(const struct proof *proof, struct buf *out)
{
    buf_str(out, FIRST_LINE);
    buf_printf(out, "index %" PRIu64 "\n", proof->index);
    for (size_t i = 0; i < proof->inclusion.count; i++) {
        base64_put(out, (struct str){(const char *)proof->inclusion.path[i].at, SEAL_BYTES});
        buf_byte(out, '\n');
    }
    buf_byte(out, '\n');
    buf_str(out, proof->checkpoint);
}

// The line at *at without its newline; false where there is none.
static bool next_line(struct str text, size_t *at, struct str *line)
{
    size_t end = str_find_byte(text, '\n', *at);
    *line = str_sub(text, *at, end - *at);
    bool whole = end < text.len;
    *at = whole ? end + 1 : text.len;
    return whole;
}

static bool read_index(struct str line, uint64_t *out)
{
    struct str digits = str_sub(line, INDEX.len, SIZE_MAX);
    return str_starts(line, INDEX) && str_to_u64(digits, out) && (digits.at[0] != '0' || digits.len == 1) &&
           *out < MERKLE_SIZE_MAX;
}

enum pdp_err proof_read(struct str text, struct proof *out)
{
    *out = (struct proof){0};
    struct proof read = {0};
    struct str line;
    size_t at = FIRST_LINE.len;
    if (!str_starts(text, FIRST_LINE) || !next_line(text, &at, &line) || !read_index(line, &read.index)) {
        return PDP_ERR_MALFORMED;
    }
    while (next_line(text, &at, &line) && line.len > 0) {
        struct merkle_proof *inclusion = &read.inclusion;
        if (inclusion->count == MERKLE_LEVELS ||
            !base64_read_exactly(line, inclusion->path[inclusion->count].at, SEAL_BYTES)) {
            return PDP_ERR_MALFORMED;
        }
        inclusion->count++;
    }
    read.checkpoint = str_sub(text, at, SIZE_MAX);
    if (line.len > 0 || read.checkpoint.len == 0) {
        return PDP_ERR_MALFORMED;
    }
    *out = read;
    return PDP_ERR_OK;
}

enum pdp_err proof_check(const struct proof *proof, struct str record, const struct note_key *keys,
                         size_t key_count, struct checkpoint *checkpoint)
{
    struct str text;
    struct checkpoint read;
    struct merkle_hash leaf;
    *checkpoint = (struct checkpoint){0};
    TRY(note_open(proof->checkpoint, keys, key_count, &text, NULL));
    TRY(checkpoint_read(text, &read));
    TRY(merkle_leaf(record, &leaf));
    if (!merkle_included(&leaf, proof->index, read.size, &proof->inclusion, &read.root)) {
        return PDP_ERR_CORRUPT;
    }
    *checkpoint = read;
    return PDP_ERR_OK;
}
