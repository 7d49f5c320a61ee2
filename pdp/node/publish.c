// SPDX-License-Identifier: Apache-2.0
#include "node/publish.h"

#include "base/num.h"

#include <stdlib.h>

enum {
    NOTICES_A_TURN = 4096
};

struct publisher {
    struct publish_config config;
    struct notices_reader reader;
    struct notice last; // as a HEARTBEAT: what every subscriber has been sent
    int64_t due_ms;
    struct buf bytes;
    char checkpoint[NOTICE_CHECKPOINT_MAX];
};

enum pdp_err publisher_new(const struct publish_config *config, struct publisher **out)
{
    *out = NULL;
    struct publisher *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return PDP_ERR_NOMEM;
    }
    made->config = *config;
    made->reader = notices_reader(config->notices);
    made->last = notices_now(config->notices, 0);
    made->last.seq = made->reader.next - 1;
    made->due_ms = INT64_MIN;
    *out = made;
    return PDP_ERR_OK;
}

void publisher_free(struct publisher **publisher)
{
    if (*publisher != NULL) {
        buf_fini(&(*publisher)->bytes);
        free(*publisher);
        *publisher = NULL;
    }
}

static struct str encode(struct publisher *publisher, const struct notice *notice)
{
    const struct publish_config *config = &publisher->config;
    struct bulletin bulletin = {.notice = *notice, .boot = config->boot, .interval_ms = config->interval_ms};
    if (notice->kind == NOTICE_HEARTBEAT && config->checkpoint != NULL) {
        bulletin.checkpoint = config->checkpoint(config->user, publisher->checkpoint);
    }
    buf_clear(&publisher->bytes);
    notice_write(&bulletin, &publisher->bytes);
    return publisher->bytes.failed ? (struct str){0} : buf_view(&publisher->bytes);
}

static struct str encode_beat(struct publisher *publisher, int64_t now_ms)
{
    struct notice beat = publisher->last;
    beat.at_ms = now_ms;
    return encode(publisher, &beat);
}

static void on_opened(void *user, struct node *node, uint64_t id, const struct peer *peer,
                      struct node_now now)
{
    (void)peer;
    struct str bytes = encode_beat(user, now.wall_ms);
    if (bytes.len > 0) {
        (void)node_push(node, id, STR(""), bytes, now);
    }
}

struct node_handler publisher_handler(struct publisher *publisher)
{
    return (struct node_handler){.user = publisher, .opened = on_opened};
}

// What cannot be sent is missed in its number: subscribers then drop what they keep.
int64_t publisher_tick(void *user, struct node *node, struct node_now now)
{
    struct publisher *publisher = user;
    struct notice notice;
    int count = 0;
    while (count < NOTICES_A_TURN && notices_next(publisher->config.notices, &publisher->reader, &notice)) {
        publisher->last = notice;
        publisher->last.kind = NOTICE_HEARTBEAT;
        publisher->last.epoch = 0;
        memset(publisher->last.ref, 0, sizeof publisher->last.ref);
        struct str bytes = encode(publisher, &notice);
        if (bytes.len > 0) {
            (void)node_push_all(node, STR(""), bytes, now);
        }
        count++;
    }
    if (now.steady_ms >= publisher->due_ms) {
        (void)node_push_all(node, STR(""), encode_beat(publisher, now.wall_ms), now);
        publisher->due_ms = num_add_sat(now.steady_ms, publisher->config.interval_ms);
    }
    return count == NOTICES_A_TURN ? now.steady_ms : publisher->due_ms;
}
