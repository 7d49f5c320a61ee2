// SPDX-License-Identifier: Apache-2.0
// Values, ages and changes in words.
#include "cli/explain/account.h"

#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SHOWN = 200 // bytes of one value
};

static bool is_sensitive(const struct snapshot_parts *parts, uint32_t slot)
{
    return slot != UINT32_MAX && cel_slot_at(parts->program, slot)->sensitive;
}

static void put_plain(const struct snapshot_parts *parts, const struct value *value, struct buf *out)
{
    const struct cel_env *env = parts->env;
    if (value->kind == VALUE_LEVEL && (size_t)value->as.i < env->level_count) {
        buf_str(out, env->levels[value->as.i]);
    } else if (value->kind == VALUE_STRENGTH && (size_t)value->as.i < env->strength_count) {
        buf_str(out, env->strengths[value->as.i]);
    } else if (value->kind == VALUE_DOUBLE) {
        buf_printf(out, "%.6g", value->as.d);
    } else if (value->kind == VALUE_CIDR) {
        cidr_print(out, value->as.cidr);
    } else {
        value_print(out, value, SHOWN);
    }
}

void account_value(const struct snapshot_parts *parts, uint32_t slot, const struct value *value,
                   struct buf *out)
{
    if (value->kind == VALUE_ERROR) {
        buf_str(out, value->n == CEL_ERROR_MISTYPED ? STR("of another type")
                     : value->n == CEL_ERROR_SAID   ? STR("not known")
                                                    : STR("missing"));
    } else if (is_sensitive(parts, slot)) {
        cel_slot_show(parts->program, slot, value, SHOWN, out);
    } else {
        put_plain(parts, value, out);
    }
}

// A value that is proposed, in as many digits as it takes to ask it.
static void put_exact(const struct snapshot_parts *parts, uint32_t slot, const struct value *value,
                      struct buf *out)
{
    char text[40];
    if (value->kind != VALUE_DOUBLE || is_sensitive(parts, slot)) {
        account_value(parts, slot, value, out);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value->as.d);
        if (!(strtod(text, NULL) < value->as.d) && !(strtod(text, NULL) > value->as.d)) {
            break;
        }
    }
    buf_str(out, str_of(text));
}

void account_age(struct buf *out, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        char unit;
    } UNITS[] = {{3600, 'h'}, {60, 'm'}, {1, 's'}};
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        int64_t count = seconds / UNITS[i].seconds;
        if (count > 0) {
            buf_printf(out, "%lld%c", (long long)count, UNITS[i].unit);
            any = true;
        }
        seconds %= UNITS[i].seconds;
    }
    buf_str(out, any ? STR("") : STR("0s"));
}

// ---- Changes -----------------------------------------------------------------------------------

static void put_and(struct buf *out, bool first)
{
    buf_str(out, first ? STR("") : STR(" and "));
}

static void put_elements(const struct account *account, const struct attribute *at,
                         const struct option *option, struct buf *out)
{
    for (int adds = 1; adds >= 0; adds--) {
        bool first = true;
        for (uint32_t i = 0; i < option->element_count; i++) {
            if (option->adds[i] != (adds != 0)) {
                continue;
            }
            bool again = adds == 0 && option->adds[0]; // behind what it held
            buf_str(out, !first  ? STR(" and ")
                         : adds  ? STR("held ")
                         : again ? STR(" and not ")
                                 : STR("did not hold "));
            put_exact(account->parts, at->slot, &option->elements[i], out);
            first = false;
        }
    }
}

static struct str list_name(const struct account *account, uint32_t set)
{
    const struct cel_env *env = account->parts->env;
    for (size_t i = 0; i < env->set_count; i++) {
        if (env->sets[i].id == set) {
            return env->sets[i].name;
        }
    }
    return STR("?");
}

static void put_members(const struct account *account, const struct attribute *at,
                        const struct option *option, struct buf *out)
{
    buf_str(out, at->is.kind == VALUE_ERROR ? STR("were given and ") : STR("were "));
    for (uint32_t i = 0; i < option->member_count; i++) {
        put_and(out, i == 0);
        buf_printf(out, "%sin lists." STR_FMT, option->members[i].holds ? "" : "not ",
                   STR_ARG(list_name(account, option->members[i].set)));
    }
}

static void put_step_up(const struct account *account, const struct option *option, struct buf *out)
{
    buf_str(out, STR("after a step-up to "));
    buf_str(out, account->parts->names->strengths[option->to.strength]);
    if (option->assumes) {
        struct value acr = value_str(option->to.acr);
        buf_str(out, option->to.acr.len > 0 ? STR(" that gives acr ") : STR(" that leaves acr as it is"));
        if (option->to.acr.len > 0) {
            value_print(out, &acr, SHOWN);
        }
        if (option->to.amr.kind == VALUE_LIST) {
            buf_str(out, option->to.acr.len > 0 ? STR(" and amr ") : STR(" and gives amr "));
            value_print(out, &option->to.amr, SHOWN);
        }
    }
}

static const char *const WORDS[OPTION_SAYS] = {
#define X(name, words, id) [OPTION_##name] = words,
    OPTION_SAY_LIST(X)
#undef X
};

// What is left out of "any", or where a range ends.
static void put_rest(const struct account *account, const struct attribute *at, const struct option *option,
                     struct buf *out)
{
    for (uint32_t i = 0; i < option->but_count; i++) {
        buf_str(out, i + 1 == option->but_count ? STR(" and ") : STR(", "));
        put_exact(account->parts, at->slot, &option->but[i], out);
    }
    if (option->until_say == OPTION_BELOW || option->until_say == OPTION_AT_MOST) {
        bool between = option->say == OPTION_AT_LEAST && option->until_say == OPTION_AT_MOST;
        buf_str(out, between                             ? STR(" and ")
                     : option->until_say == OPTION_BELOW ? STR(" and below ")
                                                         : STR(" and at most "));
        put_exact(account->parts, at->slot, &option->until, out);
    }
    for (uint32_t i = 0; i < option->also_count; i++) {
        buf_printf(out, " and %s ", WORDS[option->also[i].say]);
        put_exact(account->parts, at->slot, &option->also[i].than, out);
    }
    buf_str(out, option->say == OPTION_FOR_ONE ? STR(", for one") : STR(""));
}

static void put_condition(const struct account *account, const struct attribute *at,
                          const struct option *option, struct buf *out)
{
    bool level = option->than.kind == VALUE_LEVEL;
    buf_str(out, level ? STR("risk.level") : at->path);
    buf_byte(out, ' ');
    if (option->say == OPTION_ELEMENTS) {
        put_elements(account, at, option, out);
    } else if (option->say == OPTION_MEMBER) {
        put_members(account, at, option, out);
    } else {
        bool between = option->say == OPTION_AT_LEAST && option->until_say == OPTION_AT_MOST;
        bool negative = option->say == OPTION_NOT_STARTS || option->say == OPTION_NOT_ENDS ||
                        option->say == OPTION_NOT_PART;
        buf_str(out, negative && at->is.kind == VALUE_ERROR ? STR("were given and ") : STR(""));
        buf_str(out, between ? STR("were between") : str_of(WORDS[option->say]));
        bool such = option->say == OPTION_GIVEN;
        const struct value *value = such ? &option->to.value : &option->than;
        if (value->kind != VALUE_ERROR) {
            buf_str(out, such ? STR(", such as ") : STR(" "));
            put_exact(account->parts, at->slot, value, out);
        }
        put_rest(account, at, option, out);
    }
}

// What most of the score is from: the strongest suspicion.
static void put_share(const struct account *account, struct buf *out)
{
    if (account->signal_count > 0 && account->signals[0].share >= 0.05) {
        buf_printf(out, ", of which %.3g from " STR_FMT, account->signals[0].share,
                   STR_ARG(account->signals[0].id));
    }
}

static void put_is(const struct account *account, const struct attribute *at, const struct option *option,
                   struct buf *out)
{
    buf_str(out, STR("it is "));
    if (at->kind == WHATIF_RISK && option->than.kind == VALUE_LEVEL) {
        buf_printf(out, STR_FMT " at %.3g", STR_ARG(RISK_LEVEL_NAMES[account->level]), account->score);
    } else if (at->kind == WHATIF_RISK) {
        buf_printf(out, "%.3g", account->score);
    } else {
        put_exact(account->parts, at->slot, &at->is, out);
    }
    if (at->kind == WHATIF_RISK && option->to.score < account->score) {
        put_share(account, out);
    }
}

static void put_time(const struct option *option, struct buf *out)
{
    buf_str(out, STR("at "));
    value_print(out, &option->than, SHOWN);
}

// `allow after a step-up to mfa at T if a were b (it is c) and …`; of one alone `allow if a were b: it is c`.
static void put_change(const struct account *account, const struct change *change, struct buf *out)
{
    buf_printf(out, "%s", pdp_effect_name(change->effect));
    for (uint32_t i = 0; i < change->count; i++) {
        const struct option *option = change->options[i];
        if (option->say == OPTION_STEP_UP || option->say == OPTION_AT) {
            buf_byte(out, ' ');
            (option->say == OPTION_AT) ? put_time(option, out) : put_step_up(account, option, out);
        }
    }
    bool first = true;
    for (uint32_t i = 0; i < change->count; i++) {
        const struct option *option = change->options[i];
        if (option->say == OPTION_STEP_UP || option->say == OPTION_AT) {
            continue;
        }
        buf_str(out, first ? STR(" if ") : STR(" and "));
        put_condition(account, change->attributes[i], option, out);
        buf_str(out, change->count == 1 ? STR(": ") : STR(" ("));
        put_is(account, change->attributes[i], option, out);
        buf_str(out, change->count == 1 ? STR("") : STR(")"));
        first = false;
    }
}

// Effects that were looked for, in words.
static void put_wish(unsigned wish, struct buf *out)
{
    bool first = true;
    for (unsigned e = 0; e < PDP_EFFECT_COUNT; e++) {
        if ((wish >> e & 1) != 0) {
            buf_printf(out, "%s%s", first ? "" : " or ", pdp_effect_name((enum pdp_effect)e));
            first = false;
        }
    }
}

static void put_none(const struct account *account, struct buf *out)
{
    const char *final = account->judged ? NULL : account_final(account->verdict->code);
    if (final != NULL) {
        buf_printf(out, "  no policy was asked: %s\n", final);
    } else if (!account->judged) {
        buf_str(out, STR("  no policy was asked\n"));
    } else if (account->seen->risk->deny) {
        buf_printf(out, "  none: the risk model insists on what `" STR_FMT "` reads, and it is missing\n",
                   STR_ARG(account->seen->risk->missing));
    } else if (!account->same) {
        buf_str(out, STR("  none is looked for: something besides policies decided\n"));
    } else if (account->changes.wish == 0) {
        buf_str(out, STR("  none is needed: that is what was answered\n"));
    } else {
        buf_printf(out, "  none of up to %d attributes that was tried gives ", CHANGE_ATTRIBUTES_MOST);
        put_wish(account->changes.wish, out);
        buf_byte(out, '\n');
    }
}

void account_changes(const struct account *account, struct buf *out)
{
    const struct changes *changes = &account->changes;
    if (changes->count == 0) {
        put_none(account, out);
    }
    for (size_t i = 0; i < changes->count; i++) {
        buf_str(out, i == 0 ? STR("  ") : STR("  or "));
        put_change(account, &changes->list[i], out);
        buf_byte(out, '\n');
    }
    if (changes->who && changes->count > 0) {
        buf_str(out, STR("  (as it is asked, by whom and for what, no change was found)\n"));
    }
    if (changes->cut) {
        buf_printf(out, "  (a bound was reached after %llu tries: not all was tried)\n",
                   (unsigned long long)changes->asked);
    }
}
