// SPDX-License-Identifier: Apache-2.0
// Asks from a loop of its own: loop URL SUBJECT METHOD PATH. Exits 0 only where the answer is allow.
#include <pdp/pdp.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void answered(void *user, enum pdp_err err, struct pdp_answer *answer)
{
    (void)err;
    *(int *)user = pdp_answer_allows(answer) ? 0 : 1;
    (void)printf("%s (%s)\n", pdp_answer_allows(answer) ? "allow" : "deny", pdp_answer_reason(answer));
    pdp_answer_free(&answer);
}

static void turn(struct pdp_flow *flow)
{
    unsigned wants = pdp_flow_wants(flow), ready = 0;
    struct pollfd fd = {.fd = pdp_flow_fd(flow),
                        .events = wants & PDP_FLOW_WRITE ? POLLIN | POLLOUT : POLLIN};
    int64_t left = pdp_flow_due_ms(flow) - now_ms();
    if (poll(&fd, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left) > 0) { // an end or an error is both
        ready |= fd.revents & ~POLLOUT ? PDP_FLOW_READ : 0;
        ready |= fd.revents & ~POLLIN ? PDP_FLOW_WRITE : 0;
    }
    pdp_flow_step(flow, ready, now_ms());
}

int main(int argc, char **argv)
{
    struct pdp_flow *flow = NULL;
    struct pdp_question *question = NULL;
    uint64_t ticket;
    int status = 2;
    if (argc != 5 || pdp_flow_open(argv[1], NULL, &flow) != PDP_ERR_OK ||
        pdp_question_new(&question) != PDP_ERR_OK) {
        (void)fprintf(stderr, "usage: loop URL SUBJECT METHOD PATH\n");
        return 2;
    }
    (void)pdp_question_set_text(question, "subject.type", "user");
    (void)pdp_question_set_text(question, "subject.id", argv[2]);
    (void)pdp_question_set_text(question, "action.name", argv[3]);
    (void)pdp_question_set_text(question, "resource.type", "route");
    (void)pdp_question_set_text(question, "resource.id", argv[4]);
    enum pdp_err err = pdp_flow_ask(flow, question, NULL, 1000, now_ms(), answered, &status, &ticket);
    while (err == PDP_ERR_OK && status == 2) {
        turn(flow);
    }
    pdp_flow_close(&flow);
    pdp_question_free(&question);
    return status;
}
