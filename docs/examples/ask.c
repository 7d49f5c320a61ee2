// SPDX-License-Identifier: Apache-2.0
// Asks a daemon one question: ask URL SUBJECT METHOD PATH. Exits 0 only where the answer is allow.
#include <pdp/pdp.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: ask URL SUBJECT METHOD PATH\n");
        return 2;
    }
    struct pdp_client *client = NULL;
    enum pdp_err err = pdp_connect(argv[1], NULL, &client);
    if (err != PDP_ERR_OK) {
        (void)fprintf(stderr, "ask: %s: %s\n", argv[1], pdp_err_text(err));
        return 2;
    }

    struct pdp_question *question = NULL;
    struct pdp_answer *answer = NULL;
    if (pdp_question_new(&question) == PDP_ERR_OK) {
        // Errors of the builder stick: pdp_decide answers a question that could not be built with deny.
        (void)pdp_question_set_text(question, "subject.type", "user");
        (void)pdp_question_set_text(question, "subject.id", argv[2]);
        (void)pdp_question_set_text(question, "action.name", argv[3]);
        (void)pdp_question_set_text(question, "resource.type", "route");
        (void)pdp_question_set_text(question, "resource.id", argv[4]);
        (void)pdp_decide(client, question, 1000, &answer);
    }

    // NULL reads as deny, so there is nothing to check before this.
    bool allowed = pdp_answer_allows(answer);
    (void)printf("%s (%s) %s\n", pdp_effect_name(pdp_answer_effect(answer)),
                 pdp_code_name(pdp_answer_code(answer)), pdp_answer_reason(answer));
    pdp_answer_free(&answer);
    pdp_question_free(&question);
    pdp_close(&client);
    return allowed ? 0 : 1;
}
