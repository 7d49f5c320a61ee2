// SPDX-License-Identifier: Apache-2.0
// Conditions as written, with what each was found to be and the attributes that it read.
#include "cli/explain/account.h"

#include "cel/frame.h"

enum {
    READS_MOST = 12,
    NODES_MOST = 4000, // that are looked at for one atom
};

struct reading {
    const struct cel_program *program;
    struct account_read *list;
    uint32_t count, looked;
    struct cel_frame *frame;
};

static void note(struct reading *r, struct str path, uint32_t slot)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->list[i].slot == slot) {
            return;
        }
    }
    if (r->count < READS_MOST) {
        struct value value = slot == UINT32_MAX ? value_time_ms(r->frame->now_ms) : cel_attr(r->frame, slot);
        r->list[r->count++] = (struct account_read){path, slot, value};
    }
}

static void read_node(struct reading *r, uint32_t id)
{
    const struct node *node = &r->program->nodes[id];
    if (r->looked++ > NODES_MOST) {
        return;
    }
    if (node->op == OP_NOW) {
        note(r, STR("now"), UINT32_MAX);
    } else if (node->op == OP_SLOT || node->op == OP_HAS_SLOT || node->op == OP_EQ_TEXT) {
        note(r, r->program->slots[node->a].info.path, node->a);
    }
    for (uint32_t i = 0; program_operand(r->program, node, i) != NODE_NONE; i++) {
        read_node(r, program_operand(r->program, node, i));
    }
}

// ---- What a sensitive attribute is compared with ------------------------------------------------

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// Where the literal that begins at `at` ends; `at` where none does.
static size_t literal_end(struct str text, size_t at)
{
    char first = text.at[at];
    size_t end = at;
    if (first == '"' || first == '\'') {
        for (end++; end < text.len && text.at[end] != first; end++) {
            end += text.at[end] == '\\';
        }
        return end < text.len ? end + 1 : text.len;
    }
    bool begins = at == 0 || !is_word(text.at[at - 1]);
    while (begins && first >= '0' && first <= '9' && end < text.len && is_word(text.at[end])) {
        end++;
    }
    return end;
}

// The text with every literal as `***`: beside a truth it would tell the value.
static struct str mask(struct arena *arena, struct str text)
{
    AUTO(buf_fini) struct buf masked = {0};
    for (size_t at = 0; at < text.len;) {
        size_t end = literal_end(text, at);
        if (end > at) {
            buf_str(&masked, STR(CEL_MASK));
        } else {
            buf_byte(&masked, (unsigned char)text.at[end++]);
        }
        at = end;
    }
    return arena_str(arena, buf_view(&masked), NULL);
}

static bool reads_sensitive(const struct reading *reading)
{
    for (uint32_t i = 0; reading->list != NULL && i < reading->count; i++) {
        uint32_t slot = reading->list[i].slot;
        if (slot != UINT32_MAX && cel_slot_at(reading->program, slot)->sensitive) {
            return true;
        }
    }
    return false;
}

// ---- Trees -------------------------------------------------------------------------------------

struct tree {
    struct whatif_world *world;
    struct arena *arena;
    const struct policy_condition *all;
    size_t all_count;
    struct str policy; // whose variables come before those of all
    struct account_condition *list;
    size_t count, cap;
};

static struct account_condition *append(struct tree *t, struct account_condition made)
{
    if (t->count == t->cap) {
        size_t cap = t->cap == 0 ? 16 : t->cap * 2;
        struct account_condition *list = ARENA_ARRAY(t->arena, struct account_condition, cap);
        if (list == NULL) {
            return NULL;
        }
        for (size_t i = 0; i < t->count; i++) {
            list[i] = t->list[i];
        }
        t->list = list;
        t->cap = cap;
    }
    t->list[t->count] = made;
    return &t->list[t->count++];
}

static void read_atom(struct tree *t, const struct policy_condition *of, struct account_condition *made)
{
    struct reading reading = {.program = t->world->parts.program, .frame = t->world->seen->frame};
    struct value value = cel_run(reading.frame, of->expr);
    made->truth = value.kind != VALUE_BOOL ? TRUTH_UNSURE : value.as.b ? TRUTH_YES : TRUTH_NO;
    if (made->op != CEL_PART_ATOM) {
        return;
    }
    if (value.kind != VALUE_BOOL) {
        made->why = value.kind == VALUE_ERROR ? cel_why(reading.frame, &value) : STR("it is no bool");
    }
    reading.list = ARENA_ARRAY(t->arena, struct account_read, READS_MOST);
    if (reading.list != NULL && of->expr < reading.program->node_count) {
        read_node(&reading, of->expr);
    }
    made->text = reads_sensitive(&reading) ? mask(t->arena, made->text) : made->text;
    made->reads = reading.list;
    made->read_count = reading.list != NULL ? reading.count : 0;
}

static void put_all(struct tree *t, size_t root, uint32_t depth, bool variables);

// The condition that a variable stands for, of the policy or of all; SIZE_MAX: there is none to show.
static size_t variable(const struct tree *t, struct str text)
{
    size_t found = SIZE_MAX;
    if (!str_starts(text, STR("vars."))) {
        return found;
    }
    for (size_t i = 0; i < t->all_count; i++) {
        const struct policy_condition *at = &t->all[i];
        bool named = at->owner == POLICY_OWNER_VARIABLE && at->parent == UINT32_MAX && at->truth &&
                     str_eq(at->name, str_sub(text, 5, text.len));
        if (named && (at->policy.len == 0 || str_eq(at->policy, t->policy))) {
            found = i;
        }
    }
    return found;
}

static void put(struct tree *t, size_t number, uint32_t depth, bool variables)
{
    const struct policy_condition *of = &t->all[number];
    struct account_condition made = {.depth = depth, .op = of->op, .text = of->text};
    size_t stands = variables && of->op == CEL_PART_ATOM ? variable(t, of->text) : SIZE_MAX;
    read_atom(t, of, &made);
    made.read_count = stands != SIZE_MAX ? 0 : made.read_count;
    (void)append(t, made);
    if (stands != SIZE_MAX) {
        put_all(t, stands, depth + 1, false);
    }
}

static uint32_t depth_in(const struct tree *t, size_t root, size_t number)
{
    uint32_t depth = 0;
    for (size_t at = number; at != root && t->all[at].parent != UINT32_MAX; at = t->all[at].parent) {
        depth++;
    }
    return depth;
}

// The tree below a whole condition: it goes to the next whole one.
static void put_all(struct tree *t, size_t root, uint32_t depth, bool variables)
{
    for (size_t i = root; i < t->all_count && (i == root || t->all[i].parent != UINT32_MAX); i++) {
        put(t, i, depth + depth_in(t, root, i), variables);
    }
}

void account_tree(struct whatif_world *world, enum policy_owner owner, struct str name, struct str policy,
                  struct arena *arena, struct account_conditions *out)
{
    struct tree tree = {.world = world, .arena = arena, .policy = policy};
    tree.all = policy_conditions(world->parts.set, &tree.all_count);
    for (size_t i = 0; i < tree.all_count; i++) {
        const struct policy_condition *at = &tree.all[i];
        if (at->owner == owner && at->parent == UINT32_MAX && str_eq(at->name, name)) {
            put_all(&tree, i, 0, true);
        }
    }
    *out = (struct account_conditions){tree.list, tree.count};
}
