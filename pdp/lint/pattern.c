// SPDX-License-Identifier: Apache-2.0
// Patterns that a text can make take too long. What looks so is tried: texts are made of what the pattern
// repeats, and the pattern is run on them with the limit that questions have.
#include "lint/graph.h"
#include "lint/inner.h"

enum {
    BODIES_MOST = 6,     // repetitions that are tried, of one pattern
    BODY_MOST = 32,      // bytes of one
    DEPTH_MOST = 32,     // of groups
    TRIES_MOST = 400,    // of all patterns
    TEXT_DEFAULT = 1024, // bytes, where no Schema says how long a text may be
};

struct sample { // a short text that a part of the pattern matches
    char at[BODY_MOST];
    size_t len;
};

struct reading {
    struct str text;
    size_t at;
    unsigned depth;
    struct sample bodies[BODIES_MOST]; // of what is repeated without bound
    size_t body_count;
    size_t repetitions;
};

static void append(struct sample *to, const struct sample *from)
{
    for (size_t i = 0; i < from->len && to->len < BODY_MOST; i++) {
        to->at[to->len++] = from->at[i];
    }
}

static struct sample letter(char c)
{
    return (struct sample){.at = {c}, .len = 1};
}

static int peek(const struct reading *r)
{
    return r->at < r->text.len ? (unsigned char)r->text.at[r->at] : -1;
}

// ---- Reading: what is not understood is a letter ----------------------------------------------------------

static struct sample read_escape(struct reading *r)
{
    static const struct {
        char name, is;
    } CLASSES[] = {{'d', '0'}, {'w', 'a'}, {'s', ' '},  {'D', 'a'},
                   {'W', '!'}, {'S', 'a'}, {'n', '\n'}, {'t', '\t'}};
    r->at++;
    int c = peek(r);
    r->at += c >= 0;
    if (c == 'b' || c == 'B' || c == 'A' || c == 'z' || c < 0) {
        return (struct sample){.len = 0};
    }
    for (size_t i = 0; i < COUNT_OF(CLASSES); i++) {
        if (CLASSES[i].name == c) {
            return letter(CLASSES[i].is);
        }
    }
    return letter((char)c);
}

// A character that the class takes: its first that is plain, or of a negated one a letter that it does not
// name.
static struct sample read_class(struct reading *r)
{
    size_t from = r->at + 1;
    bool negated = from < r->text.len && r->text.at[from] == '^';
    from += negated;
    size_t end = from + 1;
    while (end < r->text.len && r->text.at[end] != ']') {
        bool named = r->text.at[end] == '[' && end + 1 < r->text.len && r->text.at[end + 1] == ':';
        size_t close = named ? str_find(r->text, STR(":]"), end + 2) : SIZE_MAX;
        end = close != SIZE_MAX ? close + 2 : end + (r->text.at[end] == '\\' ? 2 : 1);
    }
    struct str inside = str_sub(r->text, from, end - from);
    r->at = end + 1;
    if (negated) {
        static const char TRIES[] = "aZ0-_!";
        for (size_t i = 0; i + 1 < sizeof TRIES; i++) {
            if (str_find_byte(inside, TRIES[i], 0) == inside.len) {
                return letter(TRIES[i]);
            }
        }
    }
    if (inside.len > 1 && inside.at[0] == '\\') {
        struct reading escape = {.text = inside};
        return read_escape(&escape);
    }
    return letter(inside.len > 0 && inside.at[0] != '[' ? inside.at[0] : 'a');
}

static struct sample read_either(struct reading *r);

static struct sample read_group(struct reading *r)
{
    r->at++;
    if (peek(r) == '?') { // flags or a name, up to what ends them
        size_t end = r->at;
        while (end < r->text.len && r->text.at[end] != ':' && r->text.at[end] != '>' &&
               r->text.at[end] != ')') {
            end++;
        }
        r->at = end;
        if (peek(r) == ')') {
            r->at++;
            return (struct sample){.len = 0};
        }
        r->at++;
    }
    r->depth++;
    struct sample sample = r->depth < DEPTH_MOST ? read_either(r) : (struct sample){.len = 0};
    r->depth--;
    r->at += peek(r) == ')';
    return sample;
}

// true: without bound.
static bool read_repetition(struct reading *r)
{
    int c = peek(r);
    bool unbounded = c == '*' || c == '+';
    if (c == '{') {
        size_t end = str_find_byte(r->text, '}', r->at);
        unbounded = end < r->text.len && end > r->at + 1 && r->text.at[end - 1] == ',';
        r->at = end < r->text.len ? end + 1 : r->at + 1;
    } else {
        r->at += unbounded || c == '?';
    }
    r->at += peek(r) == '?' && (unbounded || c == '{' || c == '?');
    return unbounded;
}

static struct sample read_piece(struct reading *r)
{
    int c = peek(r);
    struct sample sample = {.len = 0};
    if (c == '(') {
        sample = read_group(r);
    } else if (c == '[') {
        sample = read_class(r);
    } else if (c == '\\') {
        sample = read_escape(r);
    } else {
        sample = c == '^' || c == '$' ? sample : letter(c == '.' ? 'a' : (char)c);
        r->at++;
    }
    if (read_repetition(r)) {
        r->repetitions++;
        if (sample.len > 0 && r->body_count < BODIES_MOST) {
            r->bodies[r->body_count++] = sample;
        }
    }
    return sample;
}

static struct sample read_either(struct reading *r)
{
    struct sample first = {.len = 0}, now = {.len = 0};
    bool later = false;
    while (r->at < r->text.len && peek(r) != ')') {
        if (peek(r) == '|') {
            first = later ? first : now;
            now = (struct sample){.len = 0};
            later = true;
            r->at++;
            continue;
        }
        struct sample piece = read_piece(r);
        append(&now, &piece);
    }
    return later ? first : now;
}

// ---- Trying -------------------------------------------------------------------------------------------

struct trial {
    const struct regex *regex;
    struct regex_scratch *scratch;
    size_t most; // bytes of a text
    struct buf text;
    size_t tries;
};

static bool takes_too_long(struct trial *t, const struct sample *body, const char *tail)
{
    const struct regex_gate *gate = regex_gate_of(t->regex);
    size_t ends = gate->part.len + strlen(tail) + gate->suffix.len;
    buf_clear(&t->text);
    buf_str(&t->text, gate->prefix);
    while (t->text.len + body->len + ends <= t->most) {
        buf_put(&t->text, body->at, body->len);
    }
    buf_str(&t->text, gate->part);
    buf_str(&t->text, str_of(tail));
    buf_str(&t->text, gate->suffix);
    t->tries++;
    return !t->text.failed && t->text.len <= t->most &&
           regex_find(t->regex, t->scratch, buf_view(&t->text)) < 0;
}

static bool can_take_too_long(struct trial *t, struct str pattern)
{
    static const char *const TAILS[] = {"\x01", ""};
    struct reading reading = {.text = pattern};
    while (reading.at < pattern.len) {
        (void)read_either(&reading);
        reading.at++; // a bracket too many cannot be: it was refused
    }
    bool tied = pattern.len > 0 && pattern.at[0] == '^';
    if (reading.repetitions == 0 || (tied && reading.repetitions == 1)) {
        return false; // it cannot go back and forth
    }
    for (size_t i = 0; i < reading.body_count; i++) {
        for (size_t k = 0; k < COUNT_OF(TAILS); k++) {
            if (takes_too_long(t, &reading.bodies[i], TAILS[k])) {
                return true;
            }
        }
    }
    return false;
}

// ---- Where it stands ----------------------------------------------------------------------------------

// Notes the condition as the first that runs each pattern in it. One walk over the graph in all.
static void note_regexes(struct lint *l, uint32_t id, uint32_t condition, uint32_t *first)
{
    const struct node *node = &l->program->nodes[id & ~NODE_OPTIONAL];
    if (!lint_first(l, id & ~NODE_OPTIONAL)) {
        return;
    }
    if (node->op == OP_MATCH && first[node->b] == LINT_NONE) {
        first[node->b] = condition;
    }
    struct graph_operands operands;
    graph_operands(l->program, node, &operands);
    for (uint32_t i = 0; i < operands.count; i++) {
        note_regexes(l, operands.at[i], condition, first);
    }
}

// How long the text may be that the part matches, by the Schema.
static size_t longest(const struct lint *l, uint32_t expr)
{
    const struct node *node = &l->program->nodes[expr];
    const struct node *of = node->op == OP_MATCH ? &l->program->nodes[node->a] : NULL;
    uint32_t most = of != NULL && of->op == OP_SLOT ? l->program->slots[of->a].info.max_bytes : 0;
    return most > 0 && most < TEXT_DEFAULT ? most : TEXT_DEFAULT;
}

static void look_at(struct lint *l, struct trial *t, struct str pattern, uint32_t regex, uint32_t at)
{
    t->regex = l->program->regexes[regex];
    t->most = longest(l, l->conditions[at].expr);
    if (regex_gate_of(t->regex)->form != REGEX_FORM_ANY || !can_take_too_long(t, pattern)) {
        return;
    }
    struct lint_finding *found =
        lint_add(l, LINT_PATTERN, l->conditions[at].place,
                 "a text of %zu bytes makes `" STR_FMT "` take too long, and the condition unsure",
                 t->text.len, STR_ARG(lint_shown(l, pattern)));
    lint_hint(l, found,
              "tie it to the beginning with `^`, let no two repetitions take the same letters, or bound the "
              "text by `max_bytes` of a Schema");
}

void find_patterns(struct lint *l)
{
    AUTO(regex_scratch_free) struct regex_scratch *scratch = NULL;
    const struct map *map = &l->program->regex_map;
    uint32_t *first = lint_array(l, l->program->regex_count, sizeof *first);
    if (l->program->regex_count == 0 || first == NULL ||
        regex_scratch_new(l->program->limits.match_limit, &scratch) != PDP_ERR_OK) {
        return;
    }
    memset(first, 0xFF, l->program->regex_count * sizeof *first);
    lint_walk(l);
    for (uint32_t i = 0; i < l->condition_count; i++) {
        const struct policy_condition *part = &l->conditions[i];
        if (part->op == CEL_PART_ATOM && part->expr < l->program->node_count) {
            note_regexes(l, part->expr, i, first);
        }
    }
    struct trial trial = {.scratch = scratch};
    for (size_t i = 0; i < map->cap && trial.tries < TRIES_MOST; i++) {
        uint32_t regex = (uint32_t)map->entries[i].value;
        if (map->entries[i].key.at != NULL && first[regex] != LINT_NONE) {
            look_at(l, &trial, map->entries[i].key, regex, first[regex]);
        }
    }
    buf_fini(&trial.text);
}
