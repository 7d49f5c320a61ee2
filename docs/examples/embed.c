// SPDX-License-Identifier: Apache-2.0
// Decides in process: embed POLICY.yaml < question.json. Exits 0 only where the answer is allow.
#include <pdp/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static size_t read_all(FILE *file, char *bytes, size_t room)
{
    size_t len = file != NULL ? fread(bytes, 1, room, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return len;
}

int main(int argc, char **argv)
{
    static char policy[65536], asked[65536];
    if (argc != 2) {
        (void)fprintf(stderr, "usage: embed POLICY.yaml < question.json\n");
        return 2;
    }
    struct pdp_file file = {argv[1], policy, read_all(fopen(argv[1], "rb"), policy, sizeof policy)};
    struct pdp_engine_options options = {.size = sizeof options, .policies = &file, .policy_count = 1};
    if (getrandom(options.key, sizeof options.key, 0) != (ssize_t)sizeof options.key) {
        return 2;
    }

    struct pdp_engine *engine = NULL;
    struct pdp_question *question = NULL;
    struct pdp_answer *answer = NULL;
    char *why = NULL, wrong[200] = "";
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    if (pdp_engine_open(&options, now_ms, &engine, &why) != PDP_ERR_OK) {
        (void)fprintf(stderr, "%s", why != NULL ? why : "embed: the policy was refused\n");
    } else if (pdp_question_from_bytes(asked, read_all(stdin, asked, sizeof asked), &question, wrong,
                                       sizeof wrong) != PDP_ERR_OK) {
        (void)fprintf(stderr, "embed: %s\n", wrong);
    } else {
        (void)pdp_engine_decide(engine, question, now_ms, &answer);
    }

    bool allowed = pdp_answer_allows(answer); // NULL reads as deny
    (void)printf("%s (%s) %s\n", pdp_effect_name(pdp_answer_effect(answer)),
                 pdp_code_name(pdp_answer_code(answer)), pdp_answer_reason(answer));
    free(why);
    pdp_answer_free(&answer);
    pdp_question_free(&question);
    pdp_engine_close(&engine);
    return allowed ? 0 : 1;
}
