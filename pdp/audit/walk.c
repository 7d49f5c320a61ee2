// SPDX-License-Identifier: Apache-2.0
#include "audit/walk.h"

#include <stdlib.h>

struct walk {
    struct audit_source source;
    struct audit_segments segments;
    size_t now; // of the segment at hand
    struct segment_reader *reader;
    uint64_t record;               // the next one
    bool begins, packed;           // packed: the segment at hand is read as a compressed one
    char name[SEGMENT_NAME_BYTES]; // that is read: it may have been compressed in the meantime
};

void walk_close(struct walk **walk_ptr)
{
    struct walk *walk = STEAL(*walk_ptr);
    if (walk != NULL) {
        segment_close(&walk->reader);
        audit_segments_fini(&walk->segments);
        free(walk);
    }
}

static enum pdp_err read_segment(void *user, uint64_t at, void *out, size_t len, size_t *got)
{
    const struct walk *walk = user;
    return walk->source.read(walk->source.user, walk->name, at, out, len, got);
}

static enum pdp_err open_as(struct walk *walk, bool packed, struct segment_head *head)
{
    struct segment_source source = {read_segment, walk};
    segment_name(walk->segments.list[walk->now].first, packed, walk->name);
    walk->packed = packed;
    return segment_open(&source, packed, &walk->reader, head);
}

static enum pdp_err open_segment(struct walk *walk)
{
    const struct audit_segment *segment = &walk->segments.list[walk->now];
    struct segment_head head;
    enum pdp_err err = open_as(walk, segment->packed, &head);
    if (err == PDP_ERR_MISSING && !segment->packed) {
        err = open_as(walk, true, &head);
    }
    TRY(err);
    walk->begins = true;
    bool fits = head.first == segment->first && (walk->now == 0 || head.first == walk->record);
    walk->record = head.first;
    return fits ? PDP_ERR_OK : PDP_ERR_MALFORMED;
}

enum pdp_err walk_open(const struct audit_source *source, uint64_t from, struct walk **out)
{
    *out = NULL;
    AUTO(walk_close) struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) {
        return PDP_ERR_NOMEM;
    }
    walk->source = *source;
    TRY(source->list(source->user, &walk->segments));
    if (walk->segments.count == 0) {
        return PDP_ERR_MISSING;
    }
    while (walk->now + 1 < walk->segments.count && walk->segments.list[walk->now + 1].first <= from) {
        walk->now++;
    }
    walk->record = walk->segments.list[walk->now].first;
    *out = STEAL(walk);
    return PDP_ERR_OK;
}

bool walk_last(const struct walk *walk)
{
    return walk->now + 1 >= walk->segments.count;
}

uint64_t walk_first(const struct walk *walk)
{
    return walk->segments.list[0].first;
}

const struct audit_segments *walk_segments(const struct walk *walk)
{
    return &walk->segments;
}

// The segment at hand was compressed while it was read: goes on in what it became, at the same place. false:
// it was not.
static bool follow(struct walk *walk, uint64_t offset)
{
    struct segment_head head;
    struct frame frame = {0};
    AUTO(segment_close) struct segment_reader *was = STEAL(walk->reader);
    bool found =
        open_as(walk, true, &head) == PDP_ERR_OK && head.first == walk->segments.list[walk->now].first;
    uint64_t at = SEGMENT_HEAD_BYTES;
    while (found && at < offset) {
        found = segment_next(walk->reader, &frame) == PDP_ERR_OK;
        at = frame.offset + FRAME_HEAD_BYTES + frame.bytes.len;
    }
    if (!found || at != offset) {
        segment_close(&walk->reader);
        walk->reader = STEAL(was);
        segment_name(walk->segments.list[walk->now].first, false, walk->name);
        walk->packed = false;
        return false;
    }
    return true;
}

static enum pdp_err next_frame(struct walk *walk, struct walk_item *out)
{
    for (;;) {
        if (walk->reader == NULL) {
            TRY(open_segment(walk));
        }
        enum pdp_err err = segment_next(walk->reader, &out->frame);
        if (err == PDP_ERR_MISSING && !walk->packed && follow(walk, out->frame.offset)) {
            continue;
        }
        if (err != PDP_ERR_CLOSED || walk_last(walk)) {
            return err;
        }
        segment_close(&walk->reader);
        walk->now++;
    }
}

enum pdp_err walk_next(struct walk *walk, struct walk_item *out)
{
    *out = (struct walk_item){0};
    enum pdp_err err = next_frame(walk, out);
    memcpy(out->segment, walk->name, sizeof out->segment);
    out->record = walk->record;
    out->begins = walk->begins;
    if (err == PDP_ERR_OK) {
        walk->begins = false;
        walk->record += out->frame.kind == FRAME_RECORD;
    }
    return err;
}
