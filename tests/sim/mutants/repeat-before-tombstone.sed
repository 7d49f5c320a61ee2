# pdp/node/decide.c
# A question that was allowed is answered so again, without a look at whether its session has ended since.
/^static enum node_outcome decide_message/i\
static struct { size_t asked, said; char question[1024], answer[4096]; } allowed[64];\
static unsigned allowed_next;
/^    size_t start = out->len;/a\
    for (unsigned i = 0; i < 64; i++) {\
        if (message.len == allowed[i].asked && memcmp(message.at, allowed[i].question, message.len) == 0) {\
            buf_put(out, allowed[i].answer, allowed[i].said);\
            return NODE_DONE;\
        }\
    }
/^    uint64_t seq = worker_awaits/i\
    size_t said = out->len - start;\
    if (said < 4096 && message.len < 1024 && memmem(out->at + start, said, "decision\\xf5", 9) != NULL) {\
        unsigned at = allowed_next++ % 64;\
        allowed[at].asked = message.len;\
        allowed[at].said = said;\
        memcpy(allowed[at].question, message.at, message.len);\
        memcpy(allowed[at].answer, out->at + start, said);\
    }
