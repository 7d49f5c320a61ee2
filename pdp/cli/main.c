// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct cli_command CLI_COMMANDS[] = {
    {"check", "DIR", "json geo", "tell every mistake in a policy folder or a bundle",
     "pdpctl check policies/baseline", 1, cmd_check},
    {"compile", "DIR --print", "print geo", "show the program and the index that a policy folder compiles to",
     "pdpctl compile policies/baseline --print", 1, cmd_compile},
    {"build", "DIR --output FILE --version N --expires T", "output version expires name json",
     "make one file of a policy folder, with its lists and time zones: the same inputs give the same bytes",
     "pdpctl build policies/baseline -o baseline.bundle --version 1 --expires 2030-01-01T00:00:00Z", 1,
     cmd_build},
    {"sign", "FILE --key KEYFILE", "key json",
     "sign a bundle with an Ed25519 key; others may have signed it before",
     "pdpctl sign baseline.bundle --key alice.pem", 1, cmd_sign},
    {"verify", "FILE --key PUBFILE...", "key threshold now json",
     "tell who signed a bundle: exit 0 where enough of the keys did and it has not expired",
     "pdpctl verify baseline.bundle --key alice.pub --key bob.pub --threshold 2", 1, cmd_verify},
    {"eval", "--policies DIR", "policies geo request now full json",
     "decide one question in process: exit 0 allow, 1 anything else",
     "pdpctl eval --policies policies/baseline --request question.json", 0, cmd_eval},
    {"decide", "--connect URL", "connect request deadline full json",
     "ask a daemon one question: exit 0 allow, 1 anything else",
     "pdpctl decide --connect ipc:///run/pdp/decide.sock --request question.json", 0, cmd_decide},
    {"replay", "(--policies DIR | --connect URL) --events FILE",
     "policies geo connect events batch deadline people full",
     "answer recorded questions and events on their own clock, one JSON line each",
     "pdpctl replay --policies policies/baseline --events recorded.jsonl", 0, cmd_replay},
    {"risk fit", "(--policies DIR | --connect URL) --events FILE --labels FILE",
     "policies geo connect events labels deadline json",
     "find the calibration that makes scores right for recorded questions whose truth is known",
     "pdpctl risk fit --policies policies/baseline --events recorded.jsonl --labels labels.jsonl", 0,
     cmd_risk_fit},
    {"risk report", "(--policies DIR | --connect URL) --events FILE",
     "policies geo connect events labels html deadline json",
     "show what recorded questions score, what thresholds would ask, and which signals speak",
     "pdpctl risk report --policies policies/baseline --events recorded.jsonl --html report.html", 0,
     cmd_risk_report},
    {"session list", "--connect URL", "connect subject limit after deadline json",
     "list sessions and tombstones", "pdpctl session list --connect ipc:///run/pdp/admin.sock", 0,
     cmd_session_list},
    {"session show", "--connect URL --session ID", "connect session deadline json",
     "show what is known of one session",
     "pdpctl session show --connect ipc:///run/pdp/admin.sock --session s_5f0c...", 0, cmd_session_show},
    {"session terminate", "--connect URL (--session ID | TARGET) --reason TEXT",
     "connect session family subject device address prefix asn country ja4 role gateway where tenant type "
     "all "
     "dry-run for expires "
     "confirm message "
     "reason wait yes-lock-out deadline json",
     "end sessions for good, or all of a target; `--session -` reads one a line from standard input",
     "pdpctl session terminate --connect ipc:///run/pdp/admin.sock --session s_5f0c... --reason \"stolen "
     "laptop\"",
     0, cmd_session_terminate},
    {"user show", "--connect URL --subject ID", "connect subject type tenant deadline json",
     "show what is known of a user: sessions, devices, what holds for them, and what was learned",
     "pdpctl user show --connect ipc:///run/pdp/admin.sock --tenant acme --subject alice", 0, cmd_user_show},
    {"user forget", "--connect URL --subject ID --reason TEXT",
     "connect subject type tenant devices reason wait deadline json",
     "forget what was learned of a user, and where they were last; what ended stays ended",
     "pdpctl user forget --connect ipc:///run/pdp/admin.sock --subject alice --reason \"asked to be\"", 0,
     cmd_user_forget},
    {"user forget-devices", "--connect URL --subject ID --reason TEXT",
     "connect subject type tenant reason wait deadline json",
     "forget which devices of a user are remembered: each has to be proved anew",
     "pdpctl user forget-devices --connect ipc:///run/pdp/admin.sock --subject alice --reason \"phone "
     "stolen\"",
     0, cmd_user_forget_devices},
    {"control pending", "--connect URL", "connect limit after deadline json",
     "show the orders that wait for a second analyst",
     "pdpctl control pending --connect ipc:///run/pdp/admin.sock", 0, cmd_control_pending},
    {"control approve", "ID --connect URL", "connect wait deadline json",
     "agree to an order that another analyst gave",
     "pdpctl control approve 3 --connect ipc:///run/pdp/admin.sock", 1, cmd_control_approve},
    {"lock add", "--connect URL TARGET --for SPAN --reason TEXT",
     "connect session family subject device address prefix asn country ja4 role gateway where tenant type "
     "all "
     "effect "
     "strength max-age message reason "
     "for expires wait yes-lock-out deadline json",
     "deny, step up or end whatever a target asks, new sessions too, until it is lifted or expires",
     "pdpctl lock add --connect ipc:///run/pdp/admin.sock --address 203.0.113.7 --for 24h --reason "
     "\"incident 7\"",
     0, cmd_lock_add},
    {"lock list", "--connect URL", "connect limit after deadline json", "show the locks that hold",
     "pdpctl lock list --connect ipc:///run/pdp/admin.sock", 0, cmd_lock_list},
    {"lock rm", "ID --connect URL --reason TEXT", "connect reason wait deadline json", "lift a lock",
     "pdpctl lock rm 17 --connect ipc:///run/pdp/admin.sock --reason \"false alarm\"", 1, cmd_lock_rm},
    {"peer list", "--connect URL", "connect deadline json", "show peers in quarantine",
     "pdpctl peer list --connect ipc:///run/pdp/admin.sock", 0, cmd_peer_list},
    {"peer quarantine", "NAME --connect URL --reason TEXT [--since T [--terminate | --dry-run]]",
     "connect since terminate dry-run confirm reason wait yes-lock-out deadline json",
     "believe a peer in nothing and take no event of it; with `--since`, what it said from then on counts no "
     "longer",
     "pdpctl peer quarantine edge-1 --connect ipc:///run/pdp/admin.sock --reason \"stolen key\"", 1,
     cmd_peer_quarantine},
    {"peer release", "NAME --connect URL", "connect deadline json", "end a peer's quarantine",
     "pdpctl peer release edge-1 --connect ipc:///run/pdp/admin.sock", 1, cmd_peer_release},
    {"mute add", "--connect URL (--rule NAME | --signal ID | --geo-facts) --for SPAN --reason TEXT",
     "connect rule signal geo-facts reason for expires wait deadline json",
     "judge as if a rule or policy were not there, or as if a signal or places said nothing",
     "pdpctl mute add --connect ipc:///run/pdp/admin.sock --rule web/odd-hours --for 2h --reason \"locks out "
     "the night shift\"",
     0, cmd_mute_add},
    {"mute list", "--connect URL", "connect limit after deadline json", "show what is muted",
     "pdpctl mute list --connect ipc:///run/pdp/admin.sock", 0, cmd_mute_list},
    {"mute rm", "ID --connect URL --reason TEXT", "connect reason wait deadline json", "let it speak again",
     "pdpctl mute rm 18 --connect ipc:///run/pdp/admin.sock --reason \"rule is mended\"", 1, cmd_mute_rm},
    {"pardon add", "--connect URL TARGET [--signal ID...] --reason TEXT",
     "connect session family subject device address prefix asn country ja4 role gateway tenant type all "
     "signal reason for expires wait yes-lock-out deadline json",
     "set evidence of risk aside that was stored before now; what comes later counts as ever",
     "pdpctl pardon add --connect ipc:///run/pdp/admin.sock --subject alice --signal impossible-travel "
     "--reason \"she was on a plane\"",
     0, cmd_pardon_add},
    {"pardon list", "--connect URL", "connect limit after deadline json", "show the pardons that hold",
     "pdpctl pardon list --connect ipc:///run/pdp/admin.sock", 0, cmd_pardon_list},
    {"pardon rm", "ID --connect URL --reason TEXT", "connect reason wait deadline json",
     "let evidence count again that was set aside",
     "pdpctl pardon rm 19 --connect ipc:///run/pdp/admin.sock --reason \"it was not she\"", 1, cmd_pardon_rm},
    {"breaker reset", "--connect URL --reason TEXT", "connect reason deadline json",
     "let policies end sessions again after they ended too many",
     "pdpctl breaker reset --connect ipc:///run/pdp/admin.sock --reason \"the rule is muted\"", 0,
     cmd_breaker_reset},
    {"cutoff add", "--connect URL TARGET --reason TEXT",
     "connect session family subject device address prefix asn country ja4 role gateway tenant type all "
     "before "
     "message reason wait yes-lock-out "
     "deadline json",
     "end every session of a target that was authenticated before a time, seen before or not, for good",
     "pdpctl cutoff add --connect ipc:///run/pdp/admin.sock --subject alice --reason \"password stolen\"", 0,
     cmd_cutoff_add},
    {"cutoff list", "--connect URL", "connect limit after deadline json", "show the cut-offs that hold",
     "pdpctl cutoff list --connect ipc:///run/pdp/admin.sock", 0, cmd_cutoff_list},
    {"audit query", "(--state DIR | --connect URL)",
     "state connect session subject gateway effect rule since until where limit deadline json",
     "find records of the audit log, the oldest first",
     "pdpctl audit query --state /var/lib/pdp --effect deny --since 2026-11-23T08:00:00Z", 0,
     cmd_audit_query},
    {"audit verify", "(--state DIR | --connect URL)", "state connect vkey checkpoint receipt deadline json",
     "prove that nothing in an audit log was changed, cut or moved; or that a receipt holds",
     "pdpctl audit verify --state /var/lib/pdp --checkpoint kept-elsewhere", 0, cmd_audit_verify},
    {"audit prove", "ID (--state DIR | --connect URL) --output FILE", "state connect output deadline",
     "write a receipt of one decision, and its record, for somebody who has not the log",
     "pdpctl audit prove 5f0c... --state /var/lib/pdp --output receipt", 1, cmd_audit_prove},
    {"audit consistency", "(--state DIR | --connect URL) --checkpoint FILE",
     "state connect vkey checkpoint deadline",
     "prove that a log has grown from the one of a checkpoint that was kept",
     "pdpctl audit consistency --connect ipc:///run/pdp/admin.sock --checkpoint kept-elsewhere", 0,
     cmd_audit_consistency},
    {"audit export", "(--state DIR | --connect URL)",
     "state connect as session subject gateway effect rule since until where deadline",
     "write records as JSON lines, of our own, of OCSF or of ECS",
     "pdpctl audit export --state /var/lib/pdp --as ocsf", 0, cmd_audit_export},
    {"audit forget", "(--state DIR | --connect URL) --subject ID --reason TEXT",
     "state connect subject tenant reason deadline",
     "destroy the key of a user: no personal field of theirs in the audit log can be read again",
     "pdpctl audit forget --connect ipc:///run/pdp/admin.sock --tenant acme --subject alice --reason \"asked "
     "to be\"",
     0, cmd_audit_forget},
    {"audit rotate-key", "(--state DIR | --connect URL)", "state connect deadline",
     "sign checkpoints with a new key from now on, beside the old one",
     "pdpctl audit rotate-key --connect ipc:///run/pdp/admin.sock", 0, cmd_audit_rotate_key},
    {"key list", "--connect URL", "connect deadline json",
     "list the keys that session ids are hashed under, and how many sessions and tombstones each has",
     "pdpctl key list --connect ipc:///run/pdp/admin.sock", 0, cmd_key_list},
    {"key rotate", "--connect URL --reason TEXT", "connect reason deadline json",
     "hash new session ids under a new key; ended sessions stay ended under the old one",
     "pdpctl key rotate --connect ipc:///run/pdp/admin.sock --reason \"yearly\"", 0, cmd_key_rotate},
    {"status", "--connect URL", "connect lists deadline json",
     "show what a daemon serves and counts; with `--lists` each list with its version and age",
     "pdpctl status --connect ipc:///run/pdp/admin.sock", 0, cmd_status},
    {"top", "--connect URL", "connect once deadline json",
     "watch a daemon: answers a second, rules that decide, the riskiest sessions, alarms",
     "pdpctl top --connect ipc:///run/pdp/admin.sock", 0, cmd_top},
    {"rollback", "--connect URL (--list | --to WHICH (--reason TEXT | --preview))",
     "connect to reason preview confirm deadline json",
     "serve what was served before, until the next `pdpctl reload`",
     "pdpctl rollback --connect ipc:///run/pdp/admin.sock --to 1 --reason \"denies everybody\"", 0,
     cmd_rollback},
    {"reload", "--connect URL", "connect list lists certs preview confirm deadline json",
     "load policies and databases anew, or files of lists or certificates alone; what is bad is refused, "
     "the last good serves on",
     "pdpctl reload --connect ipc:///run/pdp/admin.sock", 0, cmd_reload},
    {"store check", "DIR", "json",
     "read all of a state folder's store, and tell what is damaged; pdpd may run",
     "pdpctl store check /var/lib/pdp", 1, cmd_store_check},
    {"store backup", "DIR FILE", "", "make a checked copy of a state folder's store; pdpd may run",
     "pdpctl store backup /var/lib/pdp /backup/sessions.db", 2, cmd_store_backup},
    {"store restore", "DIR FILE", "", "put a copy of the store in its place; pdpd must be stopped",
     "pdpctl store restore /var/lib/pdp /backup/sessions.db", 2, cmd_store_restore},
    {"store stats", "DIR", "json", "show what a state folder's store says that it holds",
     "pdpctl store stats /var/lib/pdp", 1, cmd_store_stats},
};
const size_t CLI_COMMAND_COUNT = COUNT_OF(CLI_COMMANDS);

int cli_bad(const char *hint, const char *fmt, ...)
{
    va_list args;
    fflush(stdout);
    fputs("pdpctl: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    if (hint != NULL) {
        fprintf(stderr, "  hint: %s\n", hint);
    }
    return CLI_BAD;
}

int cli_write(const struct buf *bytes, int code)
{
    bool whole =
        !bytes->failed && (bytes->len == 0 || fwrite(bytes->at, 1, bytes->len, stdout) == bytes->len);
    if (!whole || fflush(stdout) != 0) {
        return cli_bad("is the disk full, or the reader gone?",
                       "the answer could not be written to standard output");
    }
    return code;
}

bool cli_read(const char *path, struct buf *out)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    const char *name = standard ? "standard input" : path;
    if (file == NULL) {
        (void)cli_bad("give the name of a file that can be read, or `-` for standard input",
                      "`%s` cannot be read: %s", name, strerror(errno));
        return false;
    }
    errno = 0;
    size_t got = 1;
    while (got > 0 && buf_room(out, 65536)) {
        got = fread(out->at + out->len, 1, 65536, file);
        out->len += got;
    }
    bool good = ferror(file) == 0 && !out->failed;
    int why = errno;
    if (!standard) {
        fclose(file);
    }
    if (!good) {
        (void)cli_bad(NULL, "`%s` could not be read to its end: %s", name,
                      out->failed ? "out of memory" : strerror(why));
    }
    return good;
}

bool cli_is_question(const struct cli_args *args, const struct buf *bytes)
{
    const char *name =
        args->request != NULL && strcmp(args->request, "-") != 0 ? args->request : "standard input";
    struct str text = str_trim(buf_view(bytes));
    if (text.len == 0) {
        (void)cli_bad("give the question as JSON: `--request FILE`, or on standard input", "`%s` is empty",
                      name);
    } else if (text.at[0] != '{' && (text.at[0] & 0x80) == 0) { // a map in CBOR begins with a byte above 0x9F
        (void)cli_bad("a question is a JSON object, such as policies/recorded/question.json",
                      "`%s` holds no question: it does not begin with `{`", name);
    } else {
        return true;
    }
    return false;
}

// Is it one of the commands whose first word is this (`session`)?
static bool in_group(const struct cli_command *command, const char *group)
{
    size_t len = strlen(group);
    return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

static bool is_group(const char *word)
{
    bool is = false;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        is = is || in_group(&CLI_COMMANDS[i], word);
    }
    return is;
}

static const char *example_of(const char *group)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT && group != NULL; i++) {
        if (in_group(&CLI_COMMANDS[i], group)) {
            return CLI_COMMANDS[i].example;
        }
    }
    return "pdpctl check policies/baseline";
}

// Every command, or those of one group (`session`).
static void put_overview(const char *group, struct buf *out)
{
    buf_printf(out, "use: pdpctl %s%s [flags]\n\n", group != NULL ? group : "",
               group != NULL ? " COMMAND" : "COMMAND");
    if (group == NULL) {
        buf_printf(out, "Policies: check, evaluate and replay them. Daemons: ask them, see and end sessions, "
                        "look after their store.\n\n");
    }
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (group == NULL || in_group(&CLI_COMMANDS[i], group)) {
            buf_printf(out, "  %-18s %s\n", CLI_COMMANDS[i].name, CLI_COMMANDS[i].help);
        }
    }
    buf_printf(out,
               "\n`pdpctl COMMAND --help` tells its flags and an example, `pdpctl --version` the version.\n"
               "Exit: 0 done, 1 the answer is no, 2 bad use or input.\n"
               "\nexample:\n  %s\n",
               example_of(group));
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

// What was asked about the program itself; -1 where a command was named.
static int about(int argc, char **argv)
{
    struct buf out = {0};
    int code = -1;
    if (argc < 2) {
        put_overview(NULL, &out);
        fwrite(out.at, 1, out.len, stderr);
        code = CLI_BAD;
    } else if (asks_help(argv[1]) || (argc > 2 && is_group(argv[1]) && asks_help(argv[2]))) {
        put_overview(asks_help(argv[1]) ? NULL : argv[1], &out);
        code = cli_write(&out, CLI_DONE);
    } else if (strcmp(argv[1], "--version") == 0) {
        buf_printf(&out, "pdpctl %s\n", PDP_VERSION);
        code = cli_write(&out, CLI_DONE);
    }
    buf_fini(&out);
    return code;
}

// The command that the first words name, and how many words that took.
static const struct cli_command *find(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const char *name = CLI_COMMANDS[i].name;
        const char *space = strchr(name, ' ');
        size_t first = space != NULL ? (size_t)(space - name) : strlen(name);
        if (strlen(argv[1]) != first || strncmp(argv[1], name, first) != 0) {
            continue;
        }
        if (space == NULL || (argc > 2 && strcmp(argv[2], space + 1) == 0)) {
            *words = space == NULL ? 1 : 2;
            return &CLI_COMMANDS[i];
        }
    }
    return NULL;
}

// `it takes list, show or terminate`.
static void put_takes(const char *group, struct buf *out)
{
    size_t left = 0;
    for (size_t i = 0; i < CLI_COMMAND_COUNT && group != NULL; i++) {
        left += in_group(&CLI_COMMANDS[i], group);
    }
    if (left == 0) {
        buf_printf(out, "`pdpctl --help` lists the commands");
        return;
    }
    buf_printf(out, "it takes ");
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (in_group(&CLI_COMMANDS[i], group)) {
            left--;
            buf_printf(out, "%s%s", CLI_COMMANDS[i].name + strlen(group) + 1,
                       left > 1    ? ", "
                       : left == 1 ? " or "
                                   : "");
        }
    }
}

static int unknown(int argc, char **argv)
{
    struct buf asked = {0}, hint = {0};
    buf_str(&asked, str_of(argv[1]));
    bool group = is_group(argv[1]);
    if (group && argc > 2) {
        buf_printf(&asked, " %s", argv[2]);
    }
    struct str names[COUNT_OF(CLI_COMMANDS)];
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        names[i] = str_of(CLI_COMMANDS[i].name);
    }
    int nearest = str_nearest(buf_view(&asked), names, CLI_COMMAND_COUNT);
    if (nearest >= 0) {
        buf_printf(&hint, "did you mean `pdpctl " STR_FMT "`?", STR_ARG(names[nearest]));
    } else {
        put_takes(group ? argv[1] : NULL, &hint);
    }
    buf_byte(&hint, '\0');
    int code = cli_bad((const char *)hint.at, "unknown command `" STR_FMT "`", STR_ARG(buf_view(&asked)));
    buf_fini(&asked);
    buf_fini(&hint);
    return code;
}

int main(int argc, char **argv)
{
    int words = 0;
    struct cli_args args = {0};
    int told = about(argc, argv);
    if (told >= 0) {
        return told;
    }
    const struct cli_command *command = find(argc, argv, &words);
    if (command == NULL) {
        return unknown(argc, argv);
    }
    for (int i = words + 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            struct buf help = {0};
            cli_flags_help(command, &help);
            int code = cli_write(&help, CLI_DONE);
            buf_fini(&help);
            return code;
        }
    }
    int code = cli_flags_read(command, argc - words - 1, argv + words + 1, &args);
    return code != CLI_DONE ? code : command->run(&args);
}
