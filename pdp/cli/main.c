// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>

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
        buf_printf(
            out,
            "Policies: write, check, test, explain, compare and replay them. Daemons: ask them, see and end "
            "sessions, look after their store and their audit log.\n\n");
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
    struct str names[CLI_COMMANDS_MAX];
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
    (void)signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error, not our end
    int told = about(argc, argv);
    if (told >= 0) {
        return told;
    }
    const struct cli_command *command = find(argc, argv, &words);
    if (command == NULL) {
        return unknown(argc, argv);
    }
    for (int i = words + 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
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
