// SPDX-License-Identifier: Apache-2.0
#include "cli/admin/remote.h"
#include "cli/admin/taking.h"
#include "cli/admin/wait.h"
#include "cli/local.h"

#include "client/client.h"

#include <stdio.h>

// One message to a daemon and its reply, decoded.
struct remote {
    struct pdp_client *client;
    struct buf reply;
    struct arena arena;
    struct value root;
};

static void remote_close(struct remote *remote)
{
    pdp_close(&remote->client);
    buf_fini(&remote->reply);
    arena_fini(&remote->arena);
}

int cli_connect(const struct cli_args *args, struct pdp_client **out)
{
    struct pdp_options options = {.size = sizeof options,
                                  .ca_file = args->tls_ca,
                                  .cert_file = args->tls_cert,
                                  .key_file = args->tls_key,
                                  .server_name = args->tls_name};
    if (args->connect == NULL) {
        return cli_bad("such as ipc:///run/pdp/admin.sock", "`--connect URL` is missing");
    }
    switch (pdp_connect(args->connect, &options, out)) {
    case PDP_ERR_OK:
        return CLI_DONE;
    case PDP_ERR_MISSING:
        return cli_bad(
            "`--ca FILE` names who may have signed the daemon's certificate; `--cert FILE --key FILE` "
            "who you are",
            "`--connect %s` needs files for TLS", args->connect);
    case PDP_ERR_IO:
    case PDP_ERR_MALFORMED:
        return cli_bad("are they in PEM, is the key that of the certificate, and may you read them?",
                       "`--connect %s`: the files of `--ca`, `--cert` or `--key` cannot be used",
                       args->connect);
    default:
        return cli_bad(
            "such as ipc:///run/pdp/admin.sock, tcp://127.0.0.1:7001 or tls+tcp://pdp.example:7700",
            "`--connect %s` is no address", args->connect);
    }
}

static int remote_open(const struct cli_args *args, struct remote *out)
{
    *out = (struct remote){0};
    arena_init(&out->arena, 0, 0);
    return cli_connect(args, &out->client);
}

int remote_call(const struct cli_args *args, struct pdp_client *client, struct str message, struct buf *reply,
                struct arena *arena, struct value *root)
{
    struct fault why;
    buf_clear(reply);
    arena_reset(arena);
    enum pdp_err err = client_call(client, message, (int32_t)args->deadline_ms, reply);
    if (err != PDP_ERR_OK) {
        return cli_bad("is pdpd running, and is this its address? its `event=ready` log line tells",
                       "no answer from `%s`: %s", args->connect, pdp_err_text(err));
    }
    struct str bytes = buf_view(reply);
    if (wire_decode_most(wire_form_of(bytes), bytes, 1 << 26, arena, root, &why) != PDP_ERR_OK) {
        return cli_bad(NULL, "the answer of `%s` cannot be read: %s %s", args->connect, why.field, why.what);
    }
    return CLI_DONE;
}

static int remote_ask(const struct cli_args *args, struct remote *remote, struct str message)
{
    return remote_call(args, remote->client, message, &remote->reply, &remote->arena, &remote->root);
}

static int write_reply(const struct remote *remote, int code)
{
    struct buf out = {0};
    buf_put(&out, remote->reply.at, remote->reply.len);
    buf_byte(&out, '\n');
    code = cli_write(&out, code);
    buf_fini(&out);
    return code;
}

// `decide` and the analysts' commands have endpoints of their own; an answer of the other kind says which was
// asked.
static bool other_endpoint(const struct value *root, bool wants_decision)
{
    const struct value *context = value_get(root, STR("context")), *ok = value_get(root, STR("ok"));
    return root->kind == VALUE_MAP &&
           (wants_decision ? ok != NULL && context == NULL : context != NULL && ok == NULL);
}

int cmd_decide(const struct cli_args *args)
{
    struct remote remote;
    struct buf question = {0}, asked = {0}, out = {0};
    int code = remote_open(args, &remote);
    if (code == CLI_DONE && !cli_read(args->request != NULL ? args->request : "-", &question)) {
        code = CLI_BAD;
    }
    code = code == CLI_DONE && cli_is_question(args, &question) ? CLI_DONE : CLI_BAD;
    if (code == CLI_DONE) {
        (void)(args->full ? local_explain(&question, &asked) : (buf_str(&asked, buf_view(&question)), true));
        code = remote_ask(args, &remote, buf_view(&asked));
    }
    if (code == CLI_DONE && other_endpoint(&remote.root, true)) {
        code = cli_bad("name the URL of pdpd's `--decide`", "`%s` is an admin endpoint: it decides nothing",
                       args->connect);
    } else if (code == CLI_DONE) {
        bool malformed = value_path(&remote.root, STR("context.error")) != NULL;
        code = malformed ? CLI_BAD : show_code(&remote.root);
        if (args->json) {
            code = write_reply(&remote, code);
        } else {
            show_block(&remote.root, &out);
            code = cli_write(&out, code);
        }
    }
    buf_fini(&question);
    buf_fini(&asked);
    buf_fini(&out);
    remote_close(&remote);
    return code;
}

// ---- Analysts' operations ----------------------------------------------------------------------

static struct str text_of(const struct value *map, const char *name)
{
    const struct value *found = value_get(map, str_of(name));
    return found != NULL && found->kind == VALUE_STRING ? value_text(found) : (struct str){0};
}

static bool is_true(const struct value *map, const char *name)
{
    const struct value *found = value_get(map, str_of(name));
    return found != NULL && found->kind == VALUE_BOOL && found->as.b;
}

static bool is_ok(const struct value *root)
{
    return is_true(root, "ok");
}

// A refusal: what the daemon said, with diagnostics where there are some.
static int refused(const struct remote *remote)
{
    struct str diagnostics = text_of(&remote->root, "diagnostics");
    if (diagnostics.len > 0) {
        fwrite(diagnostics.at, 1, diagnostics.len, stderr);
    }
    struct str error = text_of(&remote->root, "error");
    (void)cli_bad(NULL, STR_FMT, STR_ARG(error.len > 0 ? error : STR("the daemon refused")));
    return CLI_NO;
}

// What the reply says of the operation; said on stderr where it was refused, unless a program reads the reply
// itself.
static int reply_code(const struct cli_args *args, const struct remote *remote)
{
    if (other_endpoint(&remote->root, false)) {
        return cli_bad("name the URL of pdpd's `--admin`",
                       "`%s` is no admin endpoint: it answers questions only", args->connect);
    }
    if (is_ok(&remote->root)) {
        return CLI_DONE;
    }
    return args->json ? CLI_NO : refused(remote);
}

// After an operation that gave gateways an order: waits until it is settled, and tells who has confirmed.
static int await_gateways(const struct cli_args *args, struct remote *remote, int code)
{
    const struct value *order = value_get(&remote->root, STR("order"));
    struct str error = text_of(&remote->root, "order_error");
    if (order == NULL || order->kind != VALUE_INT) {
        (void)cli_bad("the order itself holds all the same", STR_FMT,
                      STR_ARG(error.len > 0 ? error : STR("no gateway was asked")));
        return CLI_NO;
    }
    struct buf message = {0}, out = {0};
    struct cli_args longer = *args;
    longer.deadline_ms += args->wait_ms;
    wait_message(order->as.i, &message);
    int waited = remote_ask(&longer, remote, buf_view(&message));
    waited = waited == CLI_DONE ? reply_code(args, remote) : waited;
    if (waited == CLI_DONE) {
        waited = wait_show(&remote->root, &out);
        waited = args->json ? write_reply(remote, waited) : cli_write(&out, waited);
    }
    buf_fini(&message);
    buf_fini(&out);
    return waited > code ? waited : code;
}

int remote_operate(const struct cli_args *args, const struct buf *message,
                   void (*print)(const struct value *root, struct buf *out))
{
    struct remote remote;
    struct buf out = {0};
    int code = remote_open(args, &remote);
    code = code == CLI_DONE ? remote_ask(args, &remote, buf_view(message)) : code;
    bool answered = code == CLI_DONE;
    code = answered ? reply_code(args, &remote) : code;
    if (answered && code != CLI_BAD && args->json) {
        code = write_reply(&remote, code);
    } else if (code == CLI_DONE || (code == CLI_NO && value_get(&remote.root, STR("terminated")) != NULL)) {
        print(&remote.root, &out); // of a list that ended in part too: which, and which not
        code = cli_write(&out, code);
    }
    if (answered && code != CLI_BAD && args->wait_ms > 0 && value_get(&remote.root, STR("order")) != NULL) {
        code = await_gateways(args, &remote, code);
    }
    buf_fini(&out);
    remote_close(&remote);
    return code;
}

static void put_text(const struct value *value, struct buf *out)
{
    if (value->kind == VALUE_STRING) {
        buf_escaped(out, value_text(value));
    } else {
        value_print(out, value, 40);
    }
}

void remote_cell(const struct value *cell, int width, struct buf *out)
{
    struct buf text = {0};
    if (cell != NULL && cell->kind != VALUE_NULL) {
        put_text(cell, &text);
    } else {
        buf_byte(&text, '-');
    }
    buf_printf(out, "%-*.*s ", width, STR_ARG(buf_view(&text)));
    buf_fini(&text);
}

void remote_tree(const struct value *root, struct buf *out)
{
    for (uint32_t i = 0; root->kind == VALUE_MAP && i < root->n; i++) {
        struct str name = value_text(&root->as.map[i].key);
        const struct value *value = &root->as.map[i].value;
        if (str_eq(name, STR("ok")) || value->kind == VALUE_NULL) {
            continue;
        }
        if (value->kind == VALUE_LIST) {
            for (uint32_t j = 0; j < value->n; j++) {
                buf_printf(out, "%-14.*s ", STR_ARG(j == 0 ? name : STR("")));
                value_print(out, &value->as.list[j], 400);
                buf_byte(out, '\n');
            }
            continue;
        }
        buf_printf(out, "%-14.*s ", STR_ARG(name));
        if (value->kind == VALUE_STRING) {
            buf_escaped(out, value_text(value));
        } else if (value->kind == VALUE_MAP) {
            bool any = false;
            for (uint32_t j = 0; j < value->n; j++) {
                const struct value *inner = &value->as.map[j].value;
                if (inner->kind == VALUE_INT && inner->as.i == 0) {
                    continue; // a counter that never moved
                }
                buf_printf(out, "%s" STR_FMT " ", any ? ", " : "",
                           STR_ARG(value_text(&value->as.map[j].key)));
                if (inner->kind == VALUE_STRING) {
                    buf_escaped(out, value_text(inner));
                } else {
                    value_print(out, inner, 300);
                }
                any = true;
            }
            buf_str(out, any ? STR("") : STR("none"));
        } else {
            value_print(out, value, 400);
        }
        buf_byte(out, '\n');
    }
}

int remote_simple(const struct cli_args *args, const char *op,
                  void (*print)(const struct value *root, struct buf *out))
{
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", str_of(op));
    if (args->reason != NULL) {
        emit_key_str(&emit, "reason", str_of(args->reason));
    }
    emit_end(&emit);
    int code = remote_operate(args, &message, print);
    buf_fini(&message);
    return code;
}

static void print_lists(const struct value *root, struct buf *out)
{
    static const struct {
        const char *title, *name;
        int width;
    } LISTS[] = {
        {"LIST", "name", 20},       {"TYPE", "type", 8},        {"ENTRIES", "entries", 9},
        {"VERSION", "version", 16}, {"UPDATED", "updated", 20}, {"LOADED", "loaded", 24},
    };
    const struct value *all = value_get(root, STR("lists"));
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        buf_printf(out, "%-*s ", LISTS[i].width, LISTS[i].title);
    }
    buf_str(out, STR("STATE\n"));
    for (uint32_t row = 0; all != NULL && all->kind == VALUE_LIST && row < all->n; row++) {
        const struct value *list = &all->as.list[row];
        for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
            remote_cell(value_get(list, str_of(LISTS[i].name)), LISTS[i].width, out);
        }
        buf_str(out, is_true(list, "missing") ? STR("lost")
                     : is_true(list, "stale") ? STR("stale")
                                              : STR("good"));
        const struct value *refused = value_get(list, STR("refused"));
        if (refused != NULL && refused->kind != VALUE_NULL) {
            buf_str(out, STR(", refused "));
            put_text(refused, out);
        }
        buf_byte(out, '\n');
    }
}

int cmd_status(const struct cli_args *args)
{
    return args->lists ? remote_simple(args, "lists", print_lists)
                       : remote_simple(args, "status", remote_tree);
}

int cmd_reload(const struct cli_args *args)
{
    if (args->lists && args->list != NULL) {
        return cli_bad("`--lists` reads the files of all", "`--list` and `--lists` exclude each other");
    }
    if (args->certs) {
        return args->lists || args->list != NULL
                   ? cli_bad("`--certs` reads no lists", "`--certs` and lists exclude each other")
                   : remote_simple(args, "reload.certs", remote_tree);
    }
    if (args->preview && (args->lists || args->list != NULL)) {
        return cli_bad("it tries policies", "`--preview` and lists exclude each other");
    }
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("reload"));
    if (args->list != NULL) {
        emit_key_str(&emit, "list", str_of(args->list));
    } else if (args->lists) {
        emit_key_bool(&emit, "lists", true);
    }
    taking_put(args, &emit);
    emit_end(&emit);
    int code = remote_operate(args, &message, args->preview ? taking_print : remote_tree);
    buf_fini(&message);
    return code;
}

// ---- Sessions ----------------------------------------------------------------------------------

static const struct {
    const char *title, *name;
    int width;
} COLUMNS[] = {
    {"REF", "ref", 26},          {"SUBJECT", "subject", 16},
    {"STATE", "state", 10},      {"LAST SEEN", "last_seen", 20},
    {"REQUESTS", "requests", 8}, {"ADDRESS", "ip", 15},
    {"COUNTRY", "country", 7},   {"ACR", "acr", 6},
};

static void print_titles(struct buf *out)
{
    for (size_t i = 0; i < COUNT_OF(COLUMNS); i++) {
        buf_printf(out, "%-*s ", COLUMNS[i].width, COLUMNS[i].title);
    }
    buf_byte(out, '\n');
}

static int64_t print_sessions(const struct value *root, struct buf *out)
{
    const struct value *all = value_get(root, STR("sessions"));
    uint32_t rows = all != NULL && all->kind == VALUE_LIST ? all->n : 0;
    for (uint32_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < COUNT_OF(COLUMNS); i++) {
            remote_cell(value_get(&all->as.list[row], str_of(COLUMNS[i].name)), COLUMNS[i].width, out);
        }
        buf_byte(out, '\n');
    }
    return rows;
}

static void put_list_message(const struct cli_args *args, int64_t limit, struct str after, struct buf *out)
{
    struct emit emit;
    buf_clear(out);
    emit_init(&emit, WIRE_JSON, out);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("session.list"));
    emit_key_int(&emit, "limit", limit);
    if (args->subject != NULL) {
        emit_key_str(&emit, "subject", str_of(args->subject));
    }
    if (after.len > 0) {
        emit_key_str(&emit, "after", after);
    }
    emit_end(&emit);
}

// A page may be short or empty long before the end: where one subject is looked for among millions, most are.
// So people get as many rows as they asked for, however many pages that takes; programs get one page, with
// its `next`.
int cmd_session_list(const struct cli_args *args)
{
    struct remote remote;
    struct buf message = {0}, out = {0}, after = {0};
    int64_t left = args->limit;
    buf_str(&after, args->after != NULL ? str_of(args->after) : STR(""));
    int code = remote_open(args, &remote);
    if (code == CLI_DONE && !args->json) {
        print_titles(&out);
    }
    for (bool more = true; more && left > 0 && code == CLI_DONE;) {
        put_list_message(args, left, buf_view(&after), &message);
        code = remote_ask(args, &remote, buf_view(&message));
        code = code == CLI_DONE ? reply_code(args, &remote) : code;
        if (args->json || code != CLI_DONE) {
            code = args->json && code != CLI_BAD ? write_reply(&remote, code) : code;
            break;
        }
        left -= print_sessions(&remote.root, &out);
        buf_clear(&after);
        buf_str(&after, text_of(&remote.root, "next"));
        more = after.len > 0;
        if (left <= 0 && more) {
            buf_printf(&out, "more: --after " STR_FMT "\n", STR_ARG(buf_view(&after)));
        }
        code = cli_write(&out, CLI_DONE);
        buf_clear(&out);
    }
    buf_fini(&message);
    buf_fini(&after);
    buf_fini(&out);
    remote_close(&remote);
    return code;
}

static void print_session(const struct value *root, struct buf *out)
{
    const struct value *session = value_get(root, STR("session"));
    if (session != NULL) {
        remote_tree(session, out);
    }
}

int cmd_session_show(const struct cli_args *args)
{
    if (args->session == NULL) {
        return cli_bad("a session's id, or its ref from `session list`", "`--session ID` is missing");
    }
    struct buf message = {0};
    struct emit emit;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("session.show"));
    emit_key_str(&emit, "session", str_of(args->session));
    emit_end(&emit);
    int code = remote_operate(args, &message, print_session);
    buf_fini(&message);
    return code;
}

static void print_ended(const struct value *root, struct buf *out)
{
    const struct value *all = value_get(root, STR("terminated"));
    for (uint32_t i = 0; all != NULL && all->kind == VALUE_LIST && i < all->n; i++) {
        const struct value *one = &all->as.list[i];
        const struct value *known = value_get(one, STR("known"));
        struct str error = text_of(one, "error");
        if (error.len > 0) {
            buf_printf(out, STR_FMT " not ended: " STR_FMT "\n", STR_ARG(text_of(one, "ref")),
                       STR_ARG(str_eq(error, str_of(pdp_err_text(PDP_ERR_UNKNOWN)))
                                   ? STR("no session with this ref is known")
                                   : error));
            continue;
        }
        if (known != NULL && known->kind == VALUE_BOOL && known->as.b) {
            buf_printf(out, STR_FMT " ended; it was " STR_FMT "\n", STR_ARG(text_of(one, "ref")),
                       STR_ARG(text_of(one, "was")));
        } else {
            buf_printf(out, STR_FMT " was not known; a session with this id can never begin now\n",
                       STR_ARG(text_of(one, "ref")));
        }
    }
}

// `s_5f0c` names nothing. Taken for an id, it would be made a tombstone and said to be over, while the
// session that was meant goes on: so what can only be a part of a ref, or one in capitals, is refused.
static bool torn_ref(struct str text)
{
    size_t hex = 0;
    if (text.len < 2 || (text.at[0] | 0x20) != 's' || text.at[1] != '_') {
        return false;
    }
    while (2 + hex < text.len && strchr("0123456789abcdefABCDEF", text.at[2 + hex]) != NULL &&
           text.at[2 + hex] != '\0') {
        hex++;
    }
    bool small = text.at[0] == 's';
    for (size_t i = 2; i < 2 + hex; i++) {
        small = small && !(text.at[i] >= 'A' && text.at[i] <= 'F');
    }
    struct str rest = str_sub(text, 2 + hex, text.len);
    bool dots = str_eq(rest, STR("...")) || str_eq(rest, STR("\xE2\x80\xA6"));
    return (rest.len == 0 || dots) && !(rest.len == 0 && hex == 24 && small);
}

#define END_AT_ONCE 200 // sessions a message: fewer than the daemon takes, and
#define END_BYTES 8192  // short enough for one message however they are escaped

// The sessions to end, one a line; empty lines are passed over.
static bool next_line(struct str all, size_t *from, struct str *one)
{
    *one = (struct str){0};
    while (*from < all.len && one->len == 0) {
        size_t end = str_find_byte(all, '\n', *from);
        *one = str_trim(str_sub(all, *from, end - *from));
        *from = end + 1;
    }
    return one->len > 0;
}

// All are looked at before the first is ended.
static int vet_sessions(struct str all, const char *name)
{
    size_t count = 0, from = 0;
    for (struct str one; next_line(all, &from, &one); count++) {
        if (torn_ref(one)) {
            return cli_bad("give it as `session list` prints it; no session was ended",
                           "`" STR_FMT "` is no whole ref: `s_` and 24 small hex digits", STR_ARG(one));
        }
        if (one.len > REQUEST_ID_MAX) {
            return cli_bad("no session was ended",
                           "`" STR_FMT "...` is no session: an id has at most %d bytes",
                           STR_ARG(str_sub(one, 0, 40)), REQUEST_ID_MAX);
        }
    }
    return count > 0 ? CLI_DONE : cli_bad("one session id or ref a line", "%s names no session", name);
}

static int end_some(const struct cli_args *args, struct str all, size_t *from)
{
    struct buf message = {0};
    struct emit emit;
    size_t bytes = 0;
    struct str one;
    emit_init(&emit, WIRE_JSON, &message);
    emit_map(&emit, SIZE_MAX);
    emit_key_str(&emit, "op", STR("session.terminate"));
    emit_key_str(&emit, "reason", str_of(args->reason));
    if (args->wait_ms > 0) {
        emit_key_int(&emit, "wait", args->wait_ms);
    }
    emit_key(&emit, STR("sessions"));
    emit_list(&emit, SIZE_MAX);
    for (size_t i = 0; i < END_AT_ONCE && bytes < END_BYTES && next_line(all, from, &one); i++) {
        emit_str(&emit, one);
        bytes += one.len;
    }
    emit_end(&emit);
    emit_end(&emit);
    int code = remote_operate(args, &message, print_ended);
    buf_fini(&message);
    return code;
}

int cmd_session_terminate(const struct cli_args *args)
{
    if (cli_names_target(args)) {
        return cmd_target_terminate(args);
    }
    if (args->session == NULL || args->reason == NULL) {
        return cli_bad("pdpctl session terminate --connect URL --session ID --reason TEXT", "`%s` is missing",
                       args->session == NULL ? "--session ID" : "--reason TEXT");
    }
    struct buf lines = {0};
    bool standard = strcmp(args->session, "-") == 0;
    if (!standard) {
        buf_str(&lines, str_of(args->session));
    } else if (!cli_read("-", &lines)) {
        buf_fini(&lines);
        return CLI_BAD;
    }
    struct str all = buf_view(&lines);
    int code = vet_sessions(all, standard ? "standard input" : "`--session`");
    size_t from = 0, begun = 0;
    struct str one = {0};
    for (size_t peek = 0; code != CLI_BAD && next_line(all, &peek, &one); peek = from) {
        begun = from;
        int some = end_some(args, all, &from);
        code = some > code ? some : code;
    }
    if (code == CLI_BAD && begun > 0 && next_line(all, &begun, &one)) {
        (void)cli_bad("give them again: ending one twice does no harm",
                      "the sessions from `" STR_FMT "` on may live", STR_ARG(one));
    }
    buf_fini(&lines);
    return code;
}
