// SPDX-License-Identifier: Apache-2.0
// Documents to a set that can be asked, and a host that answers from a table of facts.
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include "conf/conf.h"
#include "policy/policy.h"

#include <criterion/criterion.h>

struct fact {
    const char *path;
    struct value value;
};

struct fixture {
    struct source source;
    struct arena arena, request;
    struct diags diags;
    struct conf_doc *docs;
    size_t doc_count;
    struct policy_names names;
    struct cel_env env;
    struct cel_program *program;
    struct policy_lists *lists;
    struct policy_set *set;
    struct cel_frame *frame;
    struct policy_scratch *scratch;
    struct buf words;
    enum pdp_err err;

    const struct fact *facts; // of the question that is asked
    size_t fact_count;
    uint64_t proved; // strengths, as bits
    uint64_t sticky; // whose question it is; 0: nobody knows
    int64_t now_ms;
    unsigned resolved; // attributes that were asked for
};

#define FIXTURE_ATTR(text, kind)               \
    {                                          \
        {text, sizeof text - 1}, kind, 0, NULL \
    }
static const struct cel_attr_decl FIXTURE_ATTRS[] = {
    FIXTURE_ATTR("now", CEL_TIMESTAMP),
    FIXTURE_ATTR("tenant", CEL_STRING),
    FIXTURE_ATTR("action.name", CEL_STRING),
    FIXTURE_ATTR("resource.type", CEL_STRING),
    FIXTURE_ATTR("resource.id", CEL_STRING),
    FIXTURE_ATTR("subject.type", CEL_STRING),
    FIXTURE_ATTR("subject.id", CEL_STRING),
    FIXTURE_ATTR("session.acr", CEL_STRING),
    FIXTURE_ATTR("session.amr", CEL_LIST_STRING),
    FIXTURE_ATTR("device.managed", CEL_BOOL),
    FIXTURE_ATTR("network.ip", CEL_IP),
    FIXTURE_ATTR("geo.country", CEL_STRING),
    FIXTURE_ATTR("geo.asn", CEL_INT),
    FIXTURE_ATTR("risk.score", CEL_DOUBLE),
    FIXTURE_ATTR("risk.hard", CEL_DOUBLE),
    FIXTURE_ATTR("risk.level", CEL_LEVEL),
};
#define FIXTURE_ROOT(text, open)         \
    {                                    \
        {text, sizeof text - 1}, open, 0 \
    }
static const struct cel_root_decl FIXTURE_ROOTS[] = {
    FIXTURE_ROOT("subject", true),  FIXTURE_ROOT("action", true),   FIXTURE_ROOT("resource", true),
    FIXTURE_ROOT("context", true),  FIXTURE_ROOT("session", false), FIXTURE_ROOT("device", false),
    FIXTURE_ROOT("network", false), FIXTURE_ROOT("geo", false),     FIXTURE_ROOT("risk", false),
};

static inline void fixture_fini(struct fixture *f)
{
    policy_scratch_free(&f->scratch);
    cel_frame_free(&f->frame);
    cel_program_free(&f->program);
    policy_lists_free(&f->lists);
    arena_fini(&f->arena);
    arena_fini(&f->request);
    diags_fini(&f->diags);
    buf_fini(&f->words);
}

static inline enum pdp_err fixture_file(void *user, struct str path, struct str *text)
{
    (void)user;
    if (str_eq(path, STR("lists/bad.txt"))) {
        *text = STR("10.0.0.0/8 # own\n\n  not-a-net\n");
        return PDP_ERR_OK;
    }
    if (str_eq(path, STR("lists/nets.txt"))) {
        *text = STR("# own\n10.0.0.0/8\n2001:db8::/32  # lab\n");
        return PDP_ERR_OK;
    }
    return PDP_ERR_IO;
}

static inline enum pdp_err fixture_build(struct fixture *f)
{
    enum pdp_err first = policy_names_read(f->docs, f->doc_count, &f->arena, &f->diags, &f->names);
    f->env = (struct cel_env){
        .roots = FIXTURE_ROOTS,
        .root_count = COUNT_OF(FIXTURE_ROOTS),
        .attrs = FIXTURE_ATTRS,
        .attr_count = COUNT_OF(FIXTURE_ATTRS),
        .sets = f->names.sets,
        .set_count = f->names.set_count,
        .levels = RISK_LEVEL_NAMES,
        .level_count = RISK_LEVEL_COUNT,
        .strengths = f->names.strengths,
        .strength_count = f->names.strength_count,
    };
    TRY(cel_program_new(&f->env, NULL, &f->program));
    struct policy_files files = {fixture_file, NULL};
    enum pdp_err err = policy_set_read(f->docs, f->doc_count, &f->names, f->program, &files,
                                       (struct hash_key){1, 2}, &f->arena, &f->diags, &f->lists, &f->set);
    return first != PDP_ERR_OK ? first : err;
}

// Reads the documents; words then hold what is wrong with them.
static inline void fixture_read(struct fixture *f, struct str text)
{
    *f = (struct fixture){.source = {STR("p.yaml"), text}};
    arena_init(&f->arena, 0, 0);
    arena_init(&f->request, 0, 0);
    diags_init(&f->diags, 100);
    f->err = conf_parse(&f->source, &f->arena, &f->diags, &f->docs, &f->doc_count);
    if (f->err == PDP_ERR_OK) {
        f->err = fixture_build(f);
    }
    diags_render(&f->diags, &f->words);
    buf_byte(&f->words, '\0');
}

// The same, ready to be asked.
static inline void fixture_load(struct fixture *f, struct str text)
{
    fixture_read(f, text);
    cr_assert_eq(f->err, PDP_ERR_OK, "%s", (char *)f->words.at);
    cr_assert_eq(cel_seal(f->program), PDP_ERR_OK);
    cr_assert_eq(policy_set_index(f->set, &f->diags), PDP_ERR_OK);
    cr_assert_eq(policy_scratch_new(f->set, &f->scratch), PDP_ERR_OK);
    cr_assert_eq(cel_frame_new(f->program, &f->frame), PDP_ERR_OK);
}

static inline bool fixture_resolve(void *user, const struct cel_slot_info *slot, struct value *out)
{
    struct fixture *f = user;
    f->resolved++;
    for (size_t i = 0; i < f->fact_count; i++) {
        if (str_eq(str_of(f->facts[i].path), slot->path)) {
            *out = f->facts[i].value;
            return true;
        }
    }
    return false;
}

static inline enum truth fixture_contains(void *user, uint32_t set, const struct value *value)
{
    struct fixture *f = user;
    return policy_contains(f->lists, set, value, f->now_ms);
}

static inline bool fixture_proved(void *user, uint32_t strength, int64_t max_age_s, int64_t *until_ms)
{
    struct fixture *f = user;
    *until_ms = f->now_ms + max_age_s * 1000;
    return (f->proved >> strength & 1) != 0;
}

static inline bool fixture_sticky(void *user, enum policy_by by, uint64_t *key)
{
    const struct fixture *f = user;
    *key = f->sticky + (uint64_t)by;
    return f->sticky != 0;
}

// Lists of the result live until the next question.
static inline struct policy_result fixture_ask(struct fixture *f, const struct policy_question *question)
{
    struct policy_result result;
    struct policy_host host = {.proved = fixture_proved, .sticky = fixture_sticky, .user = f};
    struct cel_host cel = {fixture_resolve, fixture_contains, f};
    arena_reset(&f->request);
    cel_begin(f->frame, &cel, &f->request, f->now_ms);
    policy_decide(f->set, f->scratch, f->frame, &host, question, &f->request, f->now_ms, &result);
    return result;
}

#endif
