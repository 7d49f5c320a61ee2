// SPDX-License-Identifier: Apache-2.0
// HOT
#include "session/limits.h"

#include "base/num.h"
#include "session/lifecycle.h"
#include "session/shapes.h"

#define NONE INT64_MAX
#define LEAST_MS INT64_C(1000)
#define MOST_MS (INT64_C(3650) * 24 * 3600 * 1000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

enum first_sight {
    FIRST_SIGHT_UNSAID,
    FIRST_SIGHT_KNOWN,
    FIRST_SIGHT_ADOPT
};

// One limit of a policy: how long, and what it does; ms 0: the policy does not say.
struct stated {
    int64_t ms;
    enum session_on_limit on;
};

struct session_policy {
    struct str name;
    uint32_t target; // UINT32_MAX: everyone
    enum first_sight first_sight;
    struct stated idle, absolute;
    int64_t reauthentication_ms;               // 0: not said
    int64_t renew_ms, overlap_ms, remember_ms; // 0: not said
    uint32_t concurrent;                       // 0: not said
    bool ends_oldest;                          // where that is reached
    struct str concurrent_why;                 // said where it is
};

struct session_policies {
    struct session_policy *list;
    size_t count;
    int64_t longest_ms; // the longest absolute limit that anybody may have
};

// ---- reading -----------------------------------------------------------------------------------

struct document {
    struct str api_version, kind;
    const struct conf_node *metadata; // checked with the heads of all documents
    const struct conf_node *target, *limits, *renewal, *devices;
    int first_sight;
};

struct limits_form {
    int64_t idle_ms, absolute_ms, reauthentication_ms;
    int64_t concurrent;
    int level, on_idle, on_absolute, on_concurrent; // -1: not said
};

struct renewal_form {
    int64_t every_ms, overlap_ms;
};

struct devices_form {
    int64_t remember_ms;
};

// NIST SP 800-63B-4: what a session of each assurance level may last, without a sign of its user and in all.
// AAL1 asks for no idle limit.
static const struct {
    int64_t idle_ms, absolute_ms;
} LEVELS[] = {{30 * DAY_MS, 30 * DAY_MS}, {HOUR_MS, 24 * HOUR_MS}, {15 * MINUTE_MS, 12 * HOUR_MS}};
static const char *const LEVEL_NAMES[] = {"aal1", "aal2", "aal3", NULL};

static const char *const FIRST_SIGHTS[] = {"known", "adopt", NULL};
static const char *const ON_LIMITS[] = {"terminate", "step_up", NULL}; // as enum session_on_limit
static const char *const ON_CONCURRENTS[] = {"refuse", "end-oldest", NULL};

#define AT(member) offsetof(struct document, member)
static const struct conf_field DOCUMENT[] = {
    {"apiVersion", CONF_TEXT, true, AT(api_version), NULL, 0, 0, "`pdp/v1`"},
    {"kind", CONF_TEXT, true, AT(kind), NULL, 0, 0, "`SessionPolicy`"},
    {"metadata", CONF_ANY, true, AT(metadata), NULL, 0, 0, "name, owner"},
    {"target", CONF_EXPR, false, AT(target), NULL, 0, 0, "whose sessions; all where it is left out"},
    {"limits", CONF_MAPPING, false, AT(limits), NULL, 0, 0, "how long a session lasts"},
    {"renewal", CONF_MAPPING, false, AT(renewal), NULL, 0, 0, "when a session gets another id"},
    {"devices", CONF_MAPPING, false, AT(devices), NULL, 0, 0, "which are remembered"},
    {"first_sight", CONF_CHOICE, false, AT(first_sight), FIRST_SIGHTS, 0, 0,
     "known: a session begins with its auth_time; adopt: the first sight counts as that"},
};
#undef AT

#define AT(member) offsetof(struct limits_form, member)
static const struct conf_field LIMITS[] = {
    {"level", CONF_CHOICE, false, AT(level), LEVEL_NAMES, 0, 0,
     "idle and absolute of this assurance level of NIST SP 800-63B-4, where they are left out"},
    {"idle", CONF_DURATION, false, AT(idle_ms), NULL, LEAST_MS, MOST_MS, "without a question"},
    {"on_idle", CONF_CHOICE, false, AT(on_idle), ON_LIMITS, 0, 0, "terminate (default) or step_up"},
    {"absolute", CONF_DURATION, false, AT(absolute_ms), NULL, LEAST_MS, MOST_MS, "since the authentication"},
    {"on_absolute", CONF_CHOICE, false, AT(on_absolute), ON_LIMITS, 0, 0, "terminate (default) or step_up"},
    {"reauthentication", CONF_DURATION, false, AT(reauthentication_ms), NULL, LEAST_MS, MOST_MS,
     "since the authentication, after which a step_up is asked"},
    {"concurrent", CONF_INT, false, AT(concurrent), NULL, 1, SESSION_CONCURRENT_MOST,
     "sessions of a subject that live at once"},
    {"on_concurrent", CONF_CHOICE, false, AT(on_concurrent), ON_CONCURRENTS, 0, 0,
     "refuse (default) a new one, or end-oldest"},
};
#undef AT

#define AT(member) offsetof(struct renewal_form, member)
static const struct conf_field RENEWAL[] = {
    {"every", CONF_DURATION, false, AT(every_ms), NULL, MINUTE_MS, MOST_MS,
     "an id this old should be replaced"},
    {"overlap", CONF_DURATION, false, AT(overlap_ms), NULL, LEAST_MS, 5 * MINUTE_MS,
     "for so long the old id is still taken"},
};
#undef AT

#define AT(member) offsetof(struct devices_form, member)
static const struct conf_field DEVICES[] = {
    {"remember", CONF_DURATION, true, AT(remember_ms), NULL, LEAST_MS, MOST_MS,
     "for so long a device may be remembered"},
};
#undef AT

static const struct conf_shape LIMITS_SHAPE = {"limits", LIMITS, COUNT_OF(LIMITS), NULL, 0, NULL, 0};
static const struct conf_shape RENEWAL_SHAPE = {"renewal", RENEWAL, COUNT_OF(RENEWAL), NULL, 0, NULL, 0};
static const struct conf_shape DEVICES_SHAPE = {"devices", DEVICES, COUNT_OF(DEVICES), NULL, 0, NULL, 0};
// Its `metadata` is read with all documents' heads.
static const struct conf_nest NESTS[] = {
    {"limits", CONF_FORM_MAP, &LIMITS_SHAPE},
    {"renewal", CONF_FORM_MAP, &RENEWAL_SHAPE},
    {"devices", CONF_FORM_MAP, &DEVICES_SHAPE},
};
static const struct conf_tie TIES[] = {
    {CONF_BOND_SOME, {"limits", "renewal", "devices", "first_sight"}},
};
const struct conf_shape SHAPE_SESSION_POLICY = {"SessionPolicy", DOCUMENT, COUNT_OF(DOCUMENT), NESTS,
                                                COUNT_OF(NESTS), TIES,     COUNT_OF(TIES)};

struct reader {
    struct cel_program *program;
    struct arena *arena;
    struct diags *diags;
    enum pdp_err first;
};

static void note(struct reader *r, enum pdp_err err)
{
    r->first = r->first != PDP_ERR_OK ? r->first : err;
}

// What a limit does makes no sense without the limit.
static void need(struct reader *r, const struct conf_node *map, const char *name, const char *on_name)
{
    const struct conf_node *node = conf_get(map, on_name);
    if (node != NULL && conf_get(map, name) == NULL) {
        note(r, diag_error(r->diags, PDP_ERR_MISSING, node->place, "`%s` needs `%s`", on_name, name));
    }
}

static struct stated state(struct reader *r, const struct conf_node *map, const char *name,
                           const char *on_name, int64_t ms, int on)
{
    if (ms == 0) { // a level may have said it
        need(r, map, name, on_name);
    }
    return (struct stated){ms, on == ON_LIMIT_STEP_UP ? ON_LIMIT_STEP_UP : ON_LIMIT_TERMINATE};
}

static void read_limits(struct reader *r, const struct conf_node *map, struct session_policy *out)
{
    struct limits_form form = {.level = -1, .on_idle = -1, .on_absolute = -1, .on_concurrent = -1};
    note(r, conf_read(map, LIMITS, COUNT_OF(LIMITS), "limits", &form, r->arena, r->diags));
    need(r, map, "concurrent", "on_concurrent");
    if (form.level >= 0) { // figures of its own stand
        form.idle_ms = form.idle_ms != 0 ? form.idle_ms : LEVELS[form.level].idle_ms;
        form.absolute_ms = form.absolute_ms != 0 ? form.absolute_ms : LEVELS[form.level].absolute_ms;
    }
    out->idle = state(r, map, "idle", "on_idle", form.idle_ms, form.on_idle);
    out->absolute = state(r, map, "absolute", "on_absolute", form.absolute_ms, form.on_absolute);
    out->reauthentication_ms = form.reauthentication_ms;
    out->concurrent = (uint32_t)form.concurrent;
    out->ends_oldest = form.on_concurrent == 1;
}

static void read_renewal(struct reader *r, const struct conf_node *map, struct session_policy *out)
{
    struct renewal_form form = {0};
    note(r, conf_read(map, RENEWAL, COUNT_OF(RENEWAL), "renewal", &form, r->arena, r->diags));
    out->renew_ms = form.every_ms;
    out->overlap_ms = form.overlap_ms;
}

static void read_devices(struct reader *r, const struct conf_node *map, struct session_policy *out)
{
    struct devices_form form = {0};
    note(r, conf_read(map, DEVICES, COUNT_OF(DEVICES), "devices", &form, r->arena, r->diags));
    out->remember_ms = form.remember_ms;
}

static void name_policy(struct reader *r, const struct conf_node *metadata, struct session_policy *out)
{
    const struct conf_node *name = conf_get(metadata, "name");
    bool ok = true;
    out->name = name != NULL && name->kind == CONF_SCALAR ? arena_str(r->arena, name->text, &ok) : STR("");
    note(r, ok ? PDP_ERR_OK : PDP_ERR_NOMEM);
}

// Made here, so that saying it takes no work: a request that is refused must not cost more than one that is
// not.
static void name_concurrent(struct reader *r, const struct conf_node *metadata, struct session_policy *out)
{
    const struct conf_node *name = conf_get(metadata, "name");
    if (out->concurrent == 0 || name == NULL || name->kind != CONF_SCALAR) {
        return;
    }
    out->concurrent_why = session_limits_say(r->arena, name->text, out->concurrent);
    if (out->concurrent_why.at == NULL) {
        note(r, PDP_ERR_NOMEM);
    }
}

// Of the sessions that its scopes leave to it.
static void join_scope(struct reader *r, const struct conf_node *root, uint32_t scope, uint32_t *target)
{
    uint32_t both[] = {scope, *target};
    uint64_t steps = 0;
    if (scope == UINT32_MAX) {
        return;
    }
    if (*target == UINT32_MAX) {
        *target = scope;
        return;
    }
    note(r, cel_join(r->program, true, both, COUNT_OF(both), target));
    if (*target != UINT32_MAX) {
        note(r, cel_bound_check(r->program, *target, 0, root->place,
                                STR("the target of a SessionPolicy, with its Scopes,"), r->diags, &steps));
    }
}

static void read_target(struct reader *r, const struct conf_node *node, uint32_t *target)
{
    *target = UINT32_MAX;
    if (node == NULL) {
        return;
    }
    const struct cel_text text = {node->text, conf_locate, (void *)(uintptr_t)node};
    // Limits are looked up before the risk is known, and what was missing once stays missing for the
    // question.
    note(r, cel_add(r->program, &text, CEL_BOOL, NULL, 0, CEL_NO_RISK, r->diags, target));
    uint64_t steps = 0;
    if (*target != UINT32_MAX) {
        note(r, cel_bound_check(r->program, *target, 0, node->place, STR("the target of a SessionPolicy"),
                                r->diags, &steps));
    }
    if (*target != UINT32_MAX && cel_reads(r->program, *target, STR("travel"))) {
        note(r, diag_error(r->diags, PDP_ERR_REFUSED, node->place,
                           "`travel` is not known yet where limits are looked up"));
        diag_hint(r->diags, "write a rule: `effect: deny` or `step_up`, with this condition");
    }
    if (*target != UINT32_MAX && cel_reads(r->program, *target, STR("counters"))) {
        note(r, diag_error(r->diags, PDP_ERR_REFUSED, node->place,
                           "`counters` are not known yet where limits are looked up"));
        diag_hint(r->diags, "write a rule: `effect: deny` or `step_up`, with this condition");
    }
}

static void read_policy(struct reader *r, const struct conf_node *root, uint32_t scope,
                        struct session_policy *out)
{
    struct document doc = {.first_sight = -1};
    note(r, conf_read(root, DOCUMENT, COUNT_OF(DOCUMENT), "SessionPolicy", &doc, r->arena, r->diags));
    if (conf_get(root, "limits") == NULL && conf_get(root, "first_sight") == NULL &&
        conf_get(root, "renewal") == NULL && conf_get(root, "devices") == NULL) {
        note(r, diag_error(r->diags, PDP_ERR_MISSING, root->place,
                           "a SessionPolicy needs `limits`, `renewal`, `devices` or `first_sight`"));
    }
    out->first_sight = doc.first_sight < 0    ? FIRST_SIGHT_UNSAID
                       : doc.first_sight == 0 ? FIRST_SIGHT_KNOWN
                                              : FIRST_SIGHT_ADOPT;
    name_policy(r, doc.metadata, out);
    read_target(r, doc.target, &out->target);
    join_scope(r, root, scope, &out->target);
    if (doc.limits != NULL) {
        read_limits(r, doc.limits, out);
        name_concurrent(r, doc.metadata, out);
    }
    if (doc.renewal != NULL) {
        read_renewal(r, doc.renewal, out);
    }
    if (doc.devices != NULL) {
        read_devices(r, doc.devices, out);
    }
}

// Whose session it is may be told differently when it ends and when its id comes back.
static int64_t longest_of(const struct session_policies *policies)
{
    int64_t longest_ms = SESSION_ABSOLUTE_DEFAULT_MS;
    for (size_t i = 0; i < policies->count; i++) {
        const struct session_policy *policy = &policies->list[i];
        longest_ms = num_max(longest_ms, num_max(policy->absolute.ms, policy->reauthentication_ms));
        if (policy->first_sight == FIRST_SIGHT_ADOPT) {
            longest_ms = num_max(longest_ms, LIFECYCLE_ADOPT_KEEP_MS);
        }
    }
    return longest_ms;
}

static bool is_session_policy(const struct conf_doc *doc)
{
    const struct conf_node *kind = doc->root != NULL ? conf_get(doc->root, "kind") : NULL;
    return kind != NULL && kind->kind == CONF_SCALAR && str_eq(kind->text, STR("SessionPolicy"));
}

enum pdp_err session_policies_read(const struct conf_doc *docs, size_t count, const uint32_t *scopes,
                                   struct cel_program *program, struct arena *arena, struct diags *diags,
                                   const struct session_policies **out)
{
    *out = NULL;
    struct session_policies *policies = ARENA_NEW(arena, struct session_policies);
    struct session_policy *list = ARENA_ARRAY(arena, struct session_policy, count + 1);
    if (policies == NULL || list == NULL) {
        return PDP_ERR_NOMEM;
    }
    struct reader r = {program, arena, diags, PDP_ERR_OK};
    policies->list = list;
    for (size_t i = 0; i < count; i++) {
        if (is_session_policy(&docs[i])) {
            read_policy(&r, docs[i].root, scopes != NULL ? scopes[i] : UINT32_MAX, &list[policies->count++]);
        }
    }
    policies->longest_ms = longest_of(policies);
    *out = r.first == PDP_ERR_OK ? policies : NULL;
    return r.first;
}

bool session_policies_at(const struct session_policies *policies, size_t index, struct session_stated *out)
{
    *out = (struct session_stated){0};
    if (index >= policies->count) {
        return false;
    }
    const struct session_policy *policy = &policies->list[index];
    *out = (struct session_stated){
        .name = policy->name,
        .target = policy->target,
        .idle_ms = policy->idle.ms,
        .absolute_ms = policy->absolute.ms,
        .reauthentication_ms = policy->reauthentication_ms,
        .renew_ms = policy->renew_ms,
        .overlap_ms = policy->overlap_ms,
        .remember_ms = policy->remember_ms,
        .idle_asks = policy->idle.ms != 0 && policy->idle.on == ON_LIMIT_STEP_UP,
        .absolute_asks = policy->absolute.ms != 0 && policy->absolute.on == ON_LIMIT_STEP_UP,
        .concurrent = policy->concurrent,
        .ends_oldest = policy->concurrent != 0 && policy->ends_oldest,
        .first_sight =
            policy->first_sight == FIRST_SIGHT_UNSAID ? NULL : FIRST_SIGHTS[policy->first_sight - 1],
    };
    return true;
}

// ---- asking ------------------------------------------------------------------------------------

// The shortest limits of one kind, over all policies that were asked.
struct shortest {
    int64_t terminate_ms, maybe_terminate_ms; // of those that match, and of those that may
    int64_t step_up_ms;
    bool stated, maybe_stated;
};

static void take(struct shortest *shortest, const struct stated *stated, bool sure)
{
    if (stated->ms == 0) {
        return;
    }
    int64_t *place = stated->on == ON_LIMIT_STEP_UP ? &shortest->step_up_ms
                     : sure                         ? &shortest->terminate_ms
                                                    : &shortest->maybe_terminate_ms;
    *place = num_min(*place, stated->ms);
    shortest->stated |= sure;
    shortest->maybe_stated |= !sure;
}

// The default holds where no policy says anything. Where only undecided ones do, it may hold or not: it
// denies.
static struct limit_times settle(const struct shortest *shortest, int64_t default_ms)
{
    struct limit_times times = {shortest->terminate_ms, shortest->maybe_terminate_ms, shortest->step_up_ms};
    if (!shortest->stated && shortest->maybe_stated) {
        times.deny_ms = num_min(times.deny_ms, default_ms);
    } else if (!shortest->stated) {
        times.terminate_ms = default_ms;
    }
    return times;
}

static int64_t first_of(const struct limit_times *times, enum session_on_limit *on)
{
    int64_t ms = num_min(times->terminate_ms, num_min(times->deny_ms, times->step_up_ms));
    *on = ms == times->terminate_ms ? ON_LIMIT_TERMINATE
          : ms == times->deny_ms    ? ON_LIMIT_DENY
                                    : ON_LIMIT_STEP_UP;
    return ms;
}

static void finish(struct session_limits *out, const struct shortest *idle, const struct shortest *absolute,
                   int64_t reauthentication_ms)
{
    out->idle = settle(idle, SESSION_IDLE_DEFAULT_MS);
    out->absolute = settle(absolute, SESSION_ABSOLUTE_DEFAULT_MS);
    out->absolute.step_up_ms = num_min(out->absolute.step_up_ms, reauthentication_ms);
    out->idle_ms = first_of(&out->idle, &out->on_idle);
    out->absolute_ms = first_of(&out->absolute, &out->on_absolute);
}

// ---- numbers -------------------------------------------------------------------------------------

struct fewest {
    struct limit_live live;
    // Of undecided policies that would end the oldest. Where a decided one ends it at this number or before,
    // nothing hangs on them.
    uint32_t maybe_end, maybe_end_target;
    struct str maybe_end_why;
};

static void take_number(struct fewest *fewest, const struct session_policy *policy, bool sure)
{
    struct limit_live *live = &fewest->live;
    uint32_t *place = sure ? (policy->ends_oldest ? &live->end : &live->refuse)
                           : (policy->ends_oldest ? &fewest->maybe_end : &live->unsure);
    struct str *why = sure ? (policy->ends_oldest ? &live->end_why : &live->refuse_why)
                           : (policy->ends_oldest ? &fewest->maybe_end_why : &live->unsure_why);
    if (policy->concurrent == 0 || policy->concurrent >= *place) {
        return;
    }
    *place = policy->concurrent;
    *why = policy->concurrent_why;
    if (!sure) {
        *(policy->ends_oldest ? &fewest->maybe_end_target : &live->unsure_target) = policy->target;
    }
}

static void finish_numbers(struct session_limits *out, const struct fewest *fewest)
{
    out->live = fewest->live;
    if (fewest->maybe_end < out->live.end && fewest->maybe_end < out->live.unsure) {
        out->live.unsure = fewest->maybe_end;
        out->live.unsure_target = fewest->maybe_end_target;
        out->live.unsure_why = fewest->maybe_end_why;
    }
}

static const struct fewest NO_NUMBERS = {
    {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, {NULL, 0}, {NULL, 0}, {NULL, 0}},
    UINT32_MAX,
    UINT32_MAX,
    {NULL, 0}};

// ---- ids and devices -----------------------------------------------------------------------------

static void shorten(int64_t *shortest_ms, int64_t ms)
{
    if (ms != 0) {
        *shortest_ms = num_min(*shortest_ms, ms);
    }
}

// The shortest of each. An overlap that is too short would end sessions, so one that may not hold is not
// taken; of devices it may only shorten.
struct renewals {
    int64_t renew_ms, overlap_ms, remember_ms, maybe_remember_ms; // NONE: nobody says
};

static void take_renewal(struct renewals *renewals, const struct session_policy *policy, bool sure)
{
    shorten(&renewals->renew_ms, policy->renew_ms);
    shorten(&renewals->overlap_ms, sure ? policy->overlap_ms : 0);
    shorten(sure ? &renewals->remember_ms : &renewals->maybe_remember_ms, policy->remember_ms);
}

static void finish_renewal(struct session_limits *out, const struct renewals *renewals)
{
    out->renew_ms = renewals->renew_ms != NONE ? renewals->renew_ms : 0;
    out->overlap_ms = renewals->overlap_ms != NONE ? renewals->overlap_ms : SESSION_OVERLAP_DEFAULT_MS;
    out->remember_ms =
        renewals->remember_ms != NONE ? num_min(renewals->remember_ms, renewals->maybe_remember_ms) : 0;
}

// ---- all of them ---------------------------------------------------------------------------------

static const struct shortest NOTHING = {NONE, NONE, NONE, false, false};

void session_limits_of(const struct session_policies *policies, struct cel_frame *frame,
                       struct session_limits *out)
{
    *out = (struct session_limits){0};
    struct shortest idle = NOTHING, absolute = NOTHING;
    struct fewest fewest = NO_NUMBERS;
    struct renewals renewals = {NONE, NONE, NONE, NONE};
    int64_t reauthentication_ms = NONE;
    bool adopt = false, known = false;
    for (size_t i = 0; i < policies->count; i++) {
        const struct session_policy *policy = &policies->list[i];
        enum truth matches = policy->target == UINT32_MAX ? TRUTH_YES : cel_truth(frame, policy->target);
        if (matches == TRUTH_NO) {
            continue;
        }
        bool sure = matches == TRUTH_YES;
        take(&idle, &policy->idle, sure);
        take(&absolute, &policy->absolute, sure);
        take_number(&fewest, policy, sure);
        take_renewal(&renewals, policy, sure);
        if (policy->reauthentication_ms != 0) {
            reauthentication_ms = num_min(reauthentication_ms, policy->reauthentication_ms);
        }
        adopt |= sure && policy->first_sight == FIRST_SIGHT_ADOPT;
        known |= policy->first_sight == FIRST_SIGHT_KNOWN;
        out->unsure |= !sure;
    }
    out->adopt = adopt && !known;
    out->longest_ms = policies->longest_ms;
    finish(out, &idle, &absolute, reauthentication_ms);
    finish_numbers(out, &fewest);
    finish_renewal(out, &renewals);
}
