// SPDX-License-Identifier: Apache-2.0
// HOT
#define PCRE2_CODE_UNIT_WIDTH 8
#include "cel/regex.h"

#include <pcre2.h>
#include <stdlib.h>

struct regex {
    pcre2_code *code; // NULL where the gate tells everything
    struct regex_gate gate;
    bool jit;
};

struct regex_scratch {
    uint32_t match_limit;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; // NULL: PCRE2 uses 32 KiB of the machine's
};

void regex_free(struct regex **regex)
{
    if (*regex != NULL) {
        pcre2_code_free((*regex)->code);
        regex_gate_fini(&(*regex)->gate);
        free(*regex);
        *regex = NULL;
    }
}

bool regex_is_jit(const struct regex *regex)
{
    return regex->jit || regex->code == NULL;
}

const struct regex_gate *regex_gate_of(const struct regex *regex)
{
    return &regex->gate;
}

static pcre2_code *compile(struct str pattern, char why[REGEX_WHY_MAX], size_t *at)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (context == NULL) {
        return NULL;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, 100);
    int code = 0;
    PCRE2_SIZE offset = 0;
    // Without PCRE2's own look at where a match can start: that of the JIT of 10.42 misses matches, of
    // `(?:a|).+.a` in `a/ab` for one. Literals are looked for before it runs.
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
                       PCRE2_NO_START_OPTIMIZE;
    pcre2_code *made = pcre2_compile((PCRE2_SPTR)(pattern.at != NULL ? pattern.at : ""), pattern.len, options,
                                     &code, &offset, context);
    if (made == NULL) {
        *at = offset;
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, REGEX_WHY_MAX);
    }
    pcre2_compile_context_free(context);
    return made;
}

enum pdp_err regex_new(struct str pattern, struct regex **out, char why[REGEX_WHY_MAX], size_t *at)
{
    *out = NULL;
    *at = 0;
    why[0] = '\0';
    const char *refusal = NULL;
    AUTO(buf_fini) struct buf translated = {.limit = 8 * REGEX_BYTES_MAX};
    enum pdp_err err = regex_vet(pattern, &translated, &refusal, at);
    if (err != PDP_ERR_OK) {
        size_t len = refusal != NULL ? strlen(refusal) : 0;
        memcpy(why, refusal != NULL ? refusal : "", len < REGEX_WHY_MAX ? len + 1 : 1);
        return err;
    }
    AUTO(regex_free) struct regex *regex = calloc(1, sizeof *regex);
    if (regex == NULL) {
        return PDP_ERR_NOMEM;
    }
    TRY(regex_gate_read(buf_view(&translated), &regex->gate));
    if (regex->gate.form != REGEX_FORM_ANY) {
        *out = STEAL(regex);
        return PDP_ERR_OK;
    }
    regex->code = compile(buf_view(&translated), why, at);
    if (regex->code == NULL) {
        *at = *at < pattern.len ? *at : pattern.len;
        return why[0] == '\0' ? PDP_ERR_NOMEM : PDP_ERR_SYNTAX;
    }
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    *out = STEAL(regex);
    return PDP_ERR_OK;
}

void regex_scratch_free(struct regex_scratch **scratch)
{
    if (*scratch != NULL) {
        pcre2_match_data_free((*scratch)->data);
        pcre2_match_context_free((*scratch)->context);
        pcre2_jit_stack_free((*scratch)->stack);
        free(*scratch);
        *scratch = NULL;
    }
}

enum pdp_err regex_scratch_new(uint32_t match_limit, struct regex_scratch **out)
{
    enum {
        STACK_FIRST = 32 * 1024,
        STACK_MOST = 256 * 1024,
        HEAP_KIB = 1024
    };
    *out = NULL;
    AUTO(regex_scratch_free) struct regex_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL) {
        return PDP_ERR_NOMEM;
    }
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    if (scratch->data == NULL || scratch->context == NULL) {
        return PDP_ERR_NOMEM;
    }
    scratch->match_limit = match_limit;
    pcre2_set_depth_limit(scratch->context, match_limit);
    pcre2_set_heap_limit(scratch->context, HEAP_KIB);
    scratch->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL);
    if (scratch->stack != NULL) {
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    }
    *out = STEAL(scratch);
    return PDP_ERR_OK;
}

// What the literals alone tell; unsure: PCRE2 must look.
static enum truth ask_gate(const struct regex_gate *gate, struct str text)
{
    if (!str_starts(text, gate->prefix) || !str_ends(text, gate->suffix)) {
        return TRUTH_NO;
    }
    switch ((enum regex_form)gate->form) {
    case REGEX_FORM_WHOLE:
        return text.len == gate->prefix.len ? TRUTH_YES : TRUTH_NO;
    case REGEX_FORM_PREFIX:
    case REGEX_FORM_SUFFIX:
        return TRUTH_YES;
    case REGEX_FORM_LINE:
        return str_find_byte(text, '\n', gate->prefix.len) >= text.len ? TRUTH_YES : TRUTH_NO;
    case REGEX_FORM_PART:
        return str_find(text, gate->part, 0) != SIZE_MAX ? TRUTH_YES : TRUTH_NO;
    case REGEX_FORM_ANY:
        break;
    }
    bool seen = gate->part.len == 0 || gate->part.len == gate->prefix.len ||
                str_find(text, gate->part, 0) != SIZE_MAX;
    return seen ? TRUTH_UNSURE : TRUTH_NO;
}

int regex_find(const struct regex *regex, struct regex_scratch *scratch, struct str text)
{
    enum truth told = ask_gate(&regex->gate, text);
    if (told != TRUTH_UNSURE) {
        return told == TRUTH_YES;
    }
    // Each place where a match could start counts one.
    uint32_t starts = text.len < UINT32_MAX / 2 ? (uint32_t)text.len : UINT32_MAX / 2;
    pcre2_set_match_limit(scratch->context, scratch->match_limit + starts);
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.at != NULL ? text.at : "");
    // Values are checked UTF-8 on entry, so it need not be checked again.
    int found = regex->jit ? pcre2_jit_match(regex->code, subject, text.len, 0, PCRE2_NO_UTF_CHECK,
                                             scratch->data, scratch->context)
                           : pcre2_match(regex->code, subject, text.len, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                                         scratch->context);
    return found >= 0 ? 1 : found == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
