// SPDX-License-Identifier: Apache-2.0
// What HAProxy might send. First as a conversation, whole and byte by byte, which must come to the same; each
// question of it as a notify. Then as values: what was read, written again, are the same bytes.
#include "haproxy/notify.h"
#include "haproxy/peer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct peer_rules RULES = {.max_frame_size = 16380, .async = true};

static void quiet(void *user, enum pdp_log_level level, const char *event, const char *text)
{
    (void)user, (void)level, (void)event, (void)text;
}

// What came of a conversation.
struct outcome_of_talk {
    enum peer_state state;
    enum spop_status status;
    unsigned questions, requests;
    uint64_t skipped;
    size_t answer_bytes;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool within(struct text text, const struct spop_frame *frame)
{
    const unsigned char *at = (const unsigned char *)text.at;
    return text.at == NULL || (at >= frame->payload.at && at + text.len <= frame->payload.end);
}

// Made once: a session by a cookie, a user by a header.
static const struct notify_rules *rules(void)
{
    static const struct pdp_setting SETTINGS[] = {{"session", "cookie:sid"}, {"subject", "header:X-User"}};
    static struct notify_rules rules;
    if (rules.identity == NULL) {
        struct pdp_adapter_setup setup = {
            .size = sizeof setup, .settings = SETTINGS, .setting_count = 2, .log = quiet};
        struct pdp_adapter_wrong wrong;
        must(identity_new(&setup, &rules.identity, &wrong) == PDP_ERR_OK);
    }
    return &rules;
}

static void look(const struct spop_frame *frame, struct outcome_of_talk *out)
{
    struct notify notify;
    enum pdp_err err = notify_read(frame->payload, rules(), 1, &notify);
    must((err == PDP_ERR_OK) == (notify.why[0] == '\0'));
    must((err == PDP_ERR_OK) == (notify.facts.method.at != NULL && notify.facts.target.at != NULL));
    must(within(notify.facts.method, frame) && within(notify.facts.target, frame));
    must(within(notify.facts.session_id, frame) && within(notify.facts.user_agent, frame));
    must(notify.facts.forwarded_count <= FACTS_FORWARDED_MOST);
    notify_fini(&notify);
    out->questions++;
    out->requests += err == PDP_ERR_OK;
}

static struct outcome_of_talk talk(const uint8_t *bytes, size_t len, size_t step)
{
    struct outcome_of_talk out = {0};
    struct peer peer;
    peer_init(&peer, &RULES);
    for (size_t done = 0; done < len && peer.state != PEER_ENDING;) {
        unsigned char *at;
        size_t room;
        must(peer_room(&peer, &at, &room) == PDP_ERR_OK && room > 0);
        size_t piece = len - done < step ? len - done : step;
        piece = piece < room ? piece : room;
        memcpy(at, bytes + done, piece);
        peer_took(&peer, piece);
        done += piece;
        must(peer.in.size <= 4 * len + 4096); // never by what a length claims
        struct spop_frame frame;
        while (peer_next(&peer, &frame)) {
            look(&frame, &out);
        }
    }
    out.state = peer.state;
    out.status = peer.status;
    out.skipped = peer.skipped;
    out.answer_bytes = peer_pending(&peer).len;
    peer_fini(&peer);
    return out;
}

static void conversation(const uint8_t *bytes, size_t len)
{
    struct outcome_of_talk whole = talk(bytes, len, SIZE_MAX), crumbs = talk(bytes, len, 1);
    must(whole.state == crumbs.state && whole.status == crumbs.status);
    must(whole.questions == crumbs.questions && whole.requests == crumbs.requests);
    must(whole.skipped == crumbs.skipped && whole.answer_bytes == crumbs.answer_bytes);
}

static void written_again(const unsigned char *from, const struct spop_reader *in,
                          const struct spop_value *value)
{
    size_t len = (size_t)(in->at - from);
    unsigned char *copy = malloc(len + 1);
    must(copy != NULL);
    struct spop_writer out = {copy, copy + len, false};
    spop_write_value(&out, value);
    must(!out.full && out.at == copy + len && memcmp(copy, from, len) == 0);
    out = (struct spop_writer){copy, copy + len - 1, false};
    spop_write_value(&out, value);
    must(out.full && out.at <= copy + len - 1);
    free(copy);
}

static void values(const uint8_t *bytes, size_t len)
{
    struct spop_reader in = {bytes, bytes + len};
    for (;;) {
        const unsigned char *from = in.at;
        struct spop_value value;
        if (spop_read_value(&in, &value) != PDP_ERR_OK) {
            must(in.at == from && value.kind == SPOP_NULL && value.text.at == NULL);
            return;
        }
        written_again(from, &in, &value);
    }
}

static void lists(const uint8_t *bytes, size_t len)
{
    struct spop_frame frame = {
        .type = SPOP_HAPROXY_HELLO, .flags = SPOP_FIN, .payload = {bytes, bytes + len}};
    struct spop_hello hello;
    if (spop_read_hello(&frame, &hello) == SPOP_STATUS_NORMAL) {
        must(hello.max_frame_size >= SPOP_FRAME_SIZE_MIN && within(hello.engine_id, &frame));
    } else {
        must(hello.max_frame_size == 0 && !hello.healthcheck);
    }
    uint64_t status;
    struct text message;
    (void)!spop_read_disconnect(&frame, &status, &message);
    must(within(message, &frame));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    conversation(bytes, len);
    values(bytes, len);
    lists(bytes, len);
    return 0;
}
