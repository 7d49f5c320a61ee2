// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>

enum kind {
    TEXT,
    TEXTS,
    NUMBER,
    NUMBER_OR_NONE, // a number behind `=` only; without it the least is not asked, but WAIT_DEFAULT_MS taken
    TEXT_OR_NONE,   // a text behind `=` only; without it an empty one is taken
    SWITCH,
    SERVED, // a switch, of every command that takes `to`
    TLS     // text, of every command that takes `connect`
};

static const int64_t WAIT_DEFAULT_MS = 2000;

static const struct flag {
    const char *name;
    enum kind kind;
    size_t offset;
    int64_t least, most;
    const char *value, *help;
} FLAGS[] = {
    {"policies", TEXT, offsetof(struct cli_args, policies), 0, 0, "DIR", "the policy folder, or a bundle"},
    {"geo", TEXTS, offsetof(struct cli_args, geo), 0, 0, "FILE",
     "a database of MaxMind's schema; may be repeated"},
    {"connect", TEXT, offsetof(struct cli_args, connect), 0, 0, "URL",
     "the daemon's address: ipc:///path, tcp://host:port or tls+tcp://host:port"},
    {"ca", TLS, offsetof(struct cli_args, tls_ca), 0, 0, "FILE",
     "with tls+tcp: who may have signed the daemon's certificate"},
    {"cert", TLS, offsetof(struct cli_args, tls_cert), 0, 0, "FILE", "with tls+tcp: the certificate to show"},
    {"key", TLS, offsetof(struct cli_args, tls_key), 0, 0, "FILE", "with tls+tcp: its key"},
    {"name", TLS, offsetof(struct cli_args, tls_name), 0, 0, "NAME",
     "with tls+tcp: the name that the daemon's certificate has; default: the host"},
    {"request", TEXT, offsetof(struct cli_args, request), 0, 0, "FILE",
     "the question as JSON; `-`, the default, is standard input"},
    {"events", TEXT, offsetof(struct cli_args, events), 0, 0, "FILE",
     "lines of {\"at\": T, \"request\" | \"event\": {...}}; `-` is standard input"},
    {"line", NUMBER, offsetof(struct cli_args, line), 1, INT64_MAX, "N",
     "the question on this line of the recording, counted from 1; default: the last question"},
    {"request-id", TEXT, offsetof(struct cli_args, request_id), 0, 0, "ID",
     "the first question of the recording with this `request_id`"},
    {"toward", TEXT, offsetof(struct cli_args, toward), 0, 0, "EFFECT",
     "look for the smallest change that gives this effect: allow, step_up, deny or terminate; default: any "
     "that is more permissive, of an allow any that is less"},
    {"labels", TEXT, offsetof(struct cli_args, labels), 0, 0, "FILE",
     "which questions were an attack: JSON lines or CSV"},
    {"html", TEXT, offsetof(struct cli_args, html), 0, 0, "FILE",
     "write one page with plots there too; it needs nothing from elsewhere"},
    {"filter", TEXT, offsetof(struct cli_args, filter), 0, 0, "TEXT",
     "only documents with a name that holds this, and cases"},
    {"tap", SWITCH, offsetof(struct cli_args, tap), 0, 0, NULL, "TAP version 14 instead of lines for people"},
    {"junit", TEXT, offsetof(struct cli_args, junit), 0, 0, "FILE", "write the XML of JUnit there too"},
    {"watch", SWITCH, offsetof(struct cli_args, watch), 0, 0, NULL,
     "run again whenever a file of the folder changes"},
    {"scenarios", TEXT, offsetof(struct cli_args, scenarios), 0, 0, "FOLDER",
     "play the scenarios of this folder instead, and tell at which step the policies react"},
    {"given", TEXT, offsetof(struct cli_args, given), 0, 0, "FILE",
     "lay this document of kind Given, your roles and names, over the fixtures of the scenarios"},
    {"coverage", TEXT_OR_NONE, offsetof(struct cli_args, coverage), 0, 0, "[=FILE]",
     "tell which rules and outcomes of conditions no test has seen; FILE.info: for lcov, too"},
    {"coverage-least", NUMBER, offsetof(struct cli_args, coverage_least), 1, 100, "N",
     "exit with 1 where less than N % of the rules, or of the outcomes, were seen"},
    {"mutate", SWITCH, offsetof(struct cli_args, mutate), 0, 0, NULL,
     "change the policies in small ways, and tell which changes no test notices: exit 1 where there is one"},
    {"now", TEXT, offsetof(struct cli_args, now), 0, 0, "T",
     "the time to decide at, RFC 3339 or milliseconds since 1970; default: now"},
    {"batch", NUMBER, offsetof(struct cli_args, batch), 1, 256, "N",
     "send up to N questions of one instant as one batch"},
    {"session", TEXT, offsetof(struct cli_args, session), 0, 0, "ID", "a session's id or its ref (s_...)"},
    {"reason", TEXT, offsetof(struct cli_args, reason), 0, 0, "TEXT", "why, for the record"},
    {"family", TEXT, offsetof(struct cli_args, family), 0, 0, "REF",
     "all sessions that a session was rotated from or into: a session of it, or f_..."},
    {"subject", TEXT, offsetof(struct cli_args, subject), 0, 0, "ID", "a subject by its id"},
    {"device", TEXT, offsetof(struct cli_args, device), 0, 0, "FP", "a device by its fingerprint"},
    {"address", TEXT, offsetof(struct cli_args, address), 0, 0, "IP", "a client's address"},
    {"prefix", TEXT, offsetof(struct cli_args, prefix), 0, 0, "CIDR", "addresses, such as 203.0.113.0/24"},
    {"asn", TEXT, offsetof(struct cli_args, asn), 0, 0, "N", "a network, such as AS3320"},
    {"country", TEXT, offsetof(struct cli_args, country), 0, 0, "CC", "a country, two capital letters"},
    {"ja4", TEXT, offsetof(struct cli_args, ja4), 0, 0, "TEXT", "a TLS client by its JA4"},
    {"role", TEXT, offsetof(struct cli_args, role), 0, 0, "NAME", "subjects that have this role"},
    {"gateway", TEXT, offsetof(struct cli_args, gateway), 0, 0, "NAME", "what this peer asks"},
    {"tenant", TEXT, offsetof(struct cli_args, tenant), 0, 0, "ID",
     "a tenant; beside another target, only there"},
    {"type", TEXT, offsetof(struct cli_args, type), 0, 0, "TYPE", "only subjects of this type"},
    {"signal", TEXTS, offsetof(struct cli_args, signals), 0, 0, "ID",
     "a signal of risk; of a pardon it may be repeated"},
    {"code", TEXTS, offsetof(struct cli_args, codes), 0, 0, "CODE",
     "only findings of this code, such as L01 or unreachable-rule; may be repeated"},
    {"geo-facts", SWITCH, offsetof(struct cli_args, geo_facts), 0, 0, NULL,
     "all that databases tell of addresses"},
    {"all", SWITCH, offsetof(struct cli_args, all), 0, 0, NULL, "everybody"},
    {"effect", TEXT, offsetof(struct cli_args, effect), 0, 0, "EFFECT",
     "allow, step_up, deny or terminate; of a lock deny by default"},
    {"strength", TEXT, offsetof(struct cli_args, strength), 0, 0, "NAME", "what a step_up requires"},
    {"max-age", TEXT, offsetof(struct cli_args, max_age), 0, 0, "SPAN",
     "proved at most so long ago, such as 10m"},
    {"message", TEXT, offsetof(struct cli_args, message), 0, 0, "TEXT", "what the user is told"},
    {"for", TEXT, offsetof(struct cli_args, lasts), 0, 0, "SPAN",
     "how long it holds, such as 24h; 400 days at most"},
    {"before", TEXT, offsetof(struct cli_args, before), 0, 0, "T",
     "sessions authenticated before end, RFC 3339; default: now"},
    {"yes-lock-out", SWITCH, offsetof(struct cli_args, lock_out), 0, 0, NULL,
     "it may lock out everybody, or those who administer, and that is meant"},
    {"dry-run", SWITCH, offsetof(struct cli_args, dry_run), 0, 0, NULL, "count and list, end nothing"},
    {"devices", SWITCH, offsetof(struct cli_args, devices), 0, 0, NULL,
     "the devices too: which were seen, and which are remembered"},
    {"terminate", SWITCH, offsetof(struct cli_args, terminate), 0, 0, NULL,
     "end the sessions that stand on its word alone"},
    {"preview", SWITCH, offsetof(struct cli_args, preview), 0, 0, NULL,
     "try it on live sessions, and tell what would change; serve nothing"},
    {"confirm", NUMBER, offsetof(struct cli_args, confirm), 0, 1000000000, "N",
     "so many sessions may end at most"},
    {"state", TEXT, offsetof(struct cli_args, state), 0, 0, "DIR",
     "the state folder of pdpd, or the audit folder itself"},
    {"rule", TEXT, offsetof(struct cli_args, rule), 0, 0, "POLICY/RULE",
     "the rule that is meant, as answers name it; to mute, or a policy's name"},
    {"since", TEXT, offsetof(struct cli_args, since), 0, 0, "T",
     "from this time on, RFC 3339, milliseconds since 1970, or such as -2h"},
    {"until", TEXT, offsetof(struct cli_args, until), 0, 0, "T", "before this time"},
    {"where", TEXT, offsetof(struct cli_args, where), 0, 0, "CEL",
     "a condition in CEL: of `audit` over a record's fields, such as 'risk.score > 60.0 && kind == "
     "\"decision\"'; else over a question's, as policies have them"},
    {"as", TEXT, offsetof(struct cli_args, as), 0, 0, "FORM", "jsonl (the default), ocsf or ecs"},
    {"checkpoint", TEXT, offsetof(struct cli_args, checkpoint), 0, 0, "FILE",
     "a signed checkpoint that was kept elsewhere"},
    {"receipt", TEXT, offsetof(struct cli_args, receipt), 0, 0, "FILE",
     "what `audit prove` wrote; the record is FILE.record"},
    {"limit", NUMBER, offsetof(struct cli_args, limit), 1, 10000, "N", "at most so many; default 100"},
    {"after", TEXT, offsetof(struct cli_args, after), 0, 0, "CURSOR", "go on where the last listing ended"},
    {"deadline", NUMBER, offsetof(struct cli_args, deadline_ms), 1, 3600000, "MS",
     "wait at most so long; default 5000"},
    {"wait", NUMBER_OR_NONE, offsetof(struct cli_args, wait_ms), 1, 60000, "[=MS]",
     "until every gateway has confirmed, at most so long; default 2000"},
    {"to", TEXT, offsetof(struct cli_args, to), 0, 0, "WHICH",
     "what was served: the first digits of its digest, a time, or 1 for the one before, 2 …"},
    {"list", SERVED, offsetof(struct cli_args, served), 0, 0, NULL, "what was served, the last first"},
    {"list", TEXT, offsetof(struct cli_args, list), 0, 0, "NAME", "only the file of this list"},
    {"lists", SWITCH, offsetof(struct cli_args, lists), 0, 0, NULL,
     "only lists: each one, or the files of all"},
    {"certs", SWITCH, offsetof(struct cli_args, certs), 0, 0, NULL,
     "only certificates, keys, CAs and revocation lists of listeners with TLS"},
    {"output", TEXT, offsetof(struct cli_args, output), 0, 0, "FILE",
     "the file to write; `-o FILE` is the same"},
    {"name", TEXT, offsetof(struct cli_args, name), 0, 0, "NAME",
     "what the bundle is called; default `policies`. A daemon goes on only with the name it began with"},
    {"version", NUMBER, offsetof(struct cli_args, version), 1, INT64_MAX, "N",
     "its version, higher than that of any before"},
    {"expires", TEXT, offsetof(struct cli_args, expires), 0, 0, "T", "until when it holds, RFC 3339"},
    {"key", TEXTS, offsetof(struct cli_args, keys), 0, 0, "FILE",
     "an Ed25519 key in PEM: private to sign with, public to verify by (may be repeated)"},
    {"vkey", TEXTS, offsetof(struct cli_args, vkeys), 0, 0, "KEY",
     "who may have signed the audit log: a line of its `vkeys` (may be repeated)"},
    {"threshold", NUMBER, offsetof(struct cli_args, threshold), 1, CLI_VALUES_MAX, "K",
     "how many of the keys must have signed; default: all of them"},
    {"template", TEXT, offsetof(struct cli_args, template), 0, 0, "NAME",
     "what to begin with: web (the default), api or admin"},
    {"check", SWITCH, offsetof(struct cli_args, check), 0, 0, NULL,
     "name what would change, and write nothing: exit 1 where something would"},
    {"diff", SWITCH, offsetof(struct cli_args, diff), 0, 0, NULL,
     "show what would change, and write nothing"},
    {"once", SWITCH, offsetof(struct cli_args, once), 0, 0, NULL, "one screen, of one second"},
    {"log", SWITCH, offsetof(struct cli_args, log), 0, 0, NULL, "tell on standard error what happens"},
    {"print", SWITCH, offsetof(struct cli_args, print), 0, 0, NULL,
     "print it; without this the folder is only compiled"},
    {"full", SWITCH, offsetof(struct cli_args, full), 0, 0, NULL, "explain every signal"},
    {"people", SWITCH, offsetof(struct cli_args, people), 0, 0, NULL, "a table for people instead of JSON"},
    {"json", SWITCH, offsetof(struct cli_args, json), 0, 0, NULL, "JSON for programs instead of a table"},
};

static bool names(const struct cli_command *command, const char *name)
{
    struct str all = str_of(command->flags);
    for (size_t from = 0; from < all.len;) {
        size_t end = str_find_byte(all, ' ', from);
        if (str_eq(str_sub(all, from, end - from), str_of(name))) {
            return true;
        }
        from = end + 1;
    }
    return false;
}

static bool takes(const struct cli_command *command, const struct flag *flag)
{
    return names(command, flag->kind == TLS ? "connect" : flag->kind == SERVED ? "to" : flag->name);
}

// What a flag means to one command, where that is something else than to all others.
static const char *help_of(const struct cli_command *command, const struct flag *flag)
{
    static const struct {
        const char *command, *flag, *help;
    } OWN[] = {
        {"lint", "now",
         "the time to look from: what has expired then? RFC 3339 or milliseconds since 1970; default: now"},
        {"verify", "now",
         "the time to look from: has it expired then? RFC 3339 or milliseconds since 1970; default: now"},
        {"test", "json", "with `--scenarios`: JSON for programs instead of a table"},
        {"impact", "limit", "at most so many groups, subjects and sessions each; default 100"},
        {"session export", "as", "`scenario`, the only form; it has to be said"},
        {"session export", "since",
         "the incident is what was allowed first from this time on: RFC 3339, milliseconds since 1970, or "
         "such as -2h"},
        {"session export", "output", "the file to write, not standard output; `-o FILE` is the same"},
    };
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (strcmp(OWN[i].command, command->name) == 0 && strcmp(OWN[i].flag, flag->name) == 0) {
            return OWN[i].help;
        }
    }
    return flag->help;
}

void cli_flags_help(const struct cli_command *command, struct buf *out)
{
    buf_printf(out, "use: pdpctl %s%s%s%s\n\n%s\n%s", command->name, command->usage[0] != '\0' ? " " : "",
               command->usage, command->flags[0] != '\0' ? " [flags]" : "", command->help,
               command->flags[0] != '\0' ? "\n" : "");
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        if (takes(command, &FLAGS[i])) {
            char left[64];
            bool joined = FLAGS[i].kind == NUMBER_OR_NONE || FLAGS[i].kind == TEXT_OR_NONE;
            snprintf(left, sizeof left, "--%s%s%s", FLAGS[i].name, joined ? "" : " ",
                     FLAGS[i].value != NULL ? FLAGS[i].value : "");
            buf_printf(out, "  %-18s %s\n", left, help_of(command, &FLAGS[i]));
        }
    }
    buf_printf(out, "\nexample:\n  %s\n", command->example);
}

static int unknown_flag(const struct cli_command *command, struct str name)
{
    struct str known[COUNT_OF(FLAGS)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        if (takes(command, &FLAGS[i])) {
            known[count++] = str_of(FLAGS[i].name);
        }
    }
    char hint[160];
    int nearest = str_nearest(name, known, count);
    if (nearest >= 0) {
        snprintf(hint, sizeof hint, "did you mean `--" STR_FMT "`?", STR_ARG(known[nearest]));
    } else {
        snprintf(hint, sizeof hint, "`pdpctl %s --help` lists its flags", command->name);
    }
    return cli_bad(hint, "`%s` takes no flag `--" STR_FMT "`", command->name, STR_ARG(name));
}

static int set_value(const struct cli_command *command, const struct flag *flag, const char *value,
                     struct cli_args *out)
{
    char *field = (char *)out + flag->offset;
    if (flag->kind == TEXT || flag->kind == TEXT_OR_NONE || flag->kind == TLS) {
        memcpy(field, &value, sizeof value);
        return CLI_DONE;
    }
    if (flag->kind == TEXTS) {
        struct cli_values *values = (struct cli_values *)(void *)field;
        if (values->count == CLI_VALUES_MAX) {
            return cli_bad(NULL, "`--%s` may be given at most %d times", flag->name, CLI_VALUES_MAX);
        }
        values->at[values->count++] = value;
        return CLI_DONE;
    }
    int64_t number = 0;
    if (!str_to_i64(str_of(value), &number) || number < flag->least || number > flag->most) {
        return cli_bad(NULL, "`--%s %s` of `%s` is no whole number from %lld to %lld", flag->name, value,
                       command->name, (long long)flag->least, (long long)flag->most);
    }
    memcpy(field, &number, sizeof number);
    return CLI_DONE;
}

// One flag at argv[*at]; moves *at past it and its value.
static int read_flag(const struct cli_command *command, int argc, char **argv, int *at, struct cli_args *out)
{
    struct str word = str_of(argv[*at] + 2);
    size_t equals = str_find_byte(word, '=', 0);
    struct str name = str_sub(word, 0, equals);
    *at += 1;
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        const struct flag *flag = &FLAGS[i];
        if (!str_eq(name, str_of(flag->name)) || !takes(command, flag)) {
            continue;
        }
        if (flag->kind == SWITCH || flag->kind == SERVED) {
            *((bool *)(void *)((char *)out + flag->offset)) = true;
            return equals == word.len ? CLI_DONE : cli_bad(NULL, "`--%s` takes no value", flag->name);
        }
        if (flag->kind == NUMBER_OR_NONE && equals == word.len) {
            memcpy((char *)out + flag->offset, &WAIT_DEFAULT_MS, sizeof WAIT_DEFAULT_MS);
            return CLI_DONE;
        }
        if (flag->kind == TEXT_OR_NONE && equals == word.len) {
            return set_value(command, flag, "", out);
        }
        const char *value = equals < word.len ? word.at + equals + 1 : *at < argc ? argv[(*at)++] : NULL;
        if (value == NULL) {
            return cli_bad(flag->help, "`--%s` needs a value: %s", flag->name, flag->value);
        }
        return set_value(command, flag, value, out);
    }
    return unknown_flag(command, name);
}

// Words are kept in front of `argv`, where there was room for them when they were read.
static void take_word(char **argv, int at, struct cli_args *out)
{
    argv[out->word_count] = argv[at];
    if (out->positional_count < COUNT_OF(out->positional)) {
        out->positional[out->positional_count++] = argv[at];
    }
    out->word_count++;
}

int cli_flags_read(const struct cli_command *command, int argc, char **argv, struct cli_args *out)
{
    out->limit = 100;
    out->confirm = -1;
    out->deadline_ms = 5000;
    out->batch = 1;
    out->words = argv;
    size_t least = command->positionals & 0xFFFF;
    size_t most = command->positionals >> 16 > 0 ? command->positionals >> 16 : least;
    bool flags = true; // `--` ends them
    for (int at = 0; at < argc;) {
        if (flags && strcmp(argv[at], "--") == 0) {
            flags = false;
            at++;
            continue;
        }
        if (flags && strcmp(argv[at], "-o") == 0 && names(command, "output")) {
            argv[at] = (char *)(uintptr_t) "--output";
        }
        if (flags && argv[at][0] == '-' && argv[at][1] != '-' && argv[at][1] != '\0') {
            return cli_bad("a name that begins with `-` goes behind `--`", "`%s` takes no flag `%s`",
                           command->name, argv[at]);
        }
        if (flags && strncmp(argv[at], "--", 2) == 0) {
            int code = read_flag(command, argc, argv, &at, out);
            if (code != CLI_DONE) {
                return code;
            }
        } else if (out->word_count < most) {
            take_word(argv, at++, out);
        } else {
            return cli_bad("texts with spaces go in quotes", "`%s` does not take `%s`", command->name,
                           argv[at]);
        }
    }
    if (out->word_count < least) {
        return cli_bad(command->example, "`%s` needs: %s", command->name, command->usage);
    }
    return CLI_DONE;
}
