// SPDX-License-Identifier: Apache-2.0
// Parts of the daemon that need files or descriptors, without the daemon: addresses, log lines, policy
// folders.
#include "daemon/config/config_parts.h"
#include "daemon/config/url.h"
#include "daemon/folder.h"
#include "daemon/log.h"
#include "daemon/tell/webhook_place.h"
#include "system/daemon.h"

static const struct {
    const char *text, *shown; // shown NULL: refused
    bool loopback;
} URLS[] = {
    {"ipc:///run/x.ipc", "ipc:///run/x.ipc", true},
    {"tcp://127.0.0.1:80", "tcp://127.0.0.1:80", true},
    {"tcp://localhost:0", "tcp://127.0.0.1:0", true},
    {"tcp://127.9.9.9:1", "tcp://127.9.9.9:1", true},
    {"tcp://*:7", "tcp://0.0.0.0:7", false},
    {"tcp://[::1]:65535", "tcp://[::1]:65535", true},
    {"tcp://[2001:db8::1]:7", "tcp://[2001:db8::1]:7", false},
    {"tcp://192.0.2.1:7", "tcp://192.0.2.1:7", false},
    {"ipc://x", NULL, false},
    {"ipc://", NULL, false},
    {"tcp://127.0.0.1", NULL, false},
    {"tcp://127.0.0.1:", NULL, false},
    {"tcp://127.0.0.1:65536", NULL, false},
    {"tcp://127.0.0.1:-1", NULL, false},
    {"tcp://127.0.0.1:+1", NULL, false},
    {"tcp://127.0.0.1:1x", NULL, false},
    {"tcp://:80", NULL, false},
    {"tcp://example.org:80", NULL, false},
    {"tcp://::1:80", NULL, false},
    {"tcp://[127.0.0.1]:80", NULL, false},
    {"tcp://010.0.0.1:80", NULL, false},
    {"tls+tcp://127.0.0.1:80", "tls+tcp://127.0.0.1:80", true},
    {"tls+tcp://[2001:db8::1]:0", "tls+tcp://[2001:db8::1]:0", false},
    {"tls+tcp://", NULL, false},
    {"tls://127.0.0.1:80", NULL, false},
    {"", NULL, false},
};

static void addresses(void)
{
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        struct url url;
        const char *why = NULL;
        struct buf shown = {0};
        bool good = url_parse(str_of(URLS[i].text), &url, &why) == PDP_ERR_OK;
        CHECK(good == (URLS[i].shown != NULL));
        CHECK(good || strlen(why) > 0);
        if (good) {
            url_print(&url, &shown);
            CHECK(str_eq(buf_view(&shown), str_of(URLS[i].shown)));
            CHECK(url_is_loopback(&url) == URLS[i].loopback);
        }
        buf_fini(&shown);
    }
    char path[160] = "ipc:///";
    memset(path + 7, 'x', 120);
    struct url url;
    const char *why = NULL;
    CHECK(url_parse((struct str){path, 6 + 107}, &url, &why) == PDP_ERR_OK);
    CHECK(url_parse((struct str){path, 6 + 108}, &url, &why) == PDP_ERR_RANGE);
}

static const struct {
    struct str value;
    const char *shown;
} VALUES[] = {
    {{"plain", 5}, "plain"},
    {{"", 0}, "\"\""},
    {{"two words", 9}, "\"two words\""},
    {{"a=b", 3}, "\"a=b\""},
    {{"say \"hi\"", 8}, "\"say \\x22hi\\x22\""},
    {{"x\nlevel=error event=forged", 26}, "\"x\\x0alevel=error event=forged\""},
    {{"\xff", 1}, "\"\\xff\""},
    {{"\x1b[2J", 4}, "\"\\x1b[2J\""},
    {{"back\\slash", 10}, "\"back\\x5cslash\""},
};

static void log_values_cannot_forge_lines(void)
{
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        struct log_line line;
        char want[128];
        log_begin(&line, LOG_LEVEL_INFO, "test");
        log_str(&line, "v", VALUES[i].value);
        (void)snprintf(want, sizeof want, "level=info event=test v=%s", VALUES[i].shown);
        CHECK(str_eq(buf_view(&line.text), str_of(want)));
        buf_fini(&line.text);
    }
}

static struct folder *folder_of(const struct daemon *daemon, const char *name)
{
    char path[128], why[FOLDER_WHY_MAX];
    struct folder *folder = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", daemon->dir, name);
    (void)!folder_read(path, NULL, 0, &folder, why);
    return folder;
}

static void folders(const struct daemon *daemon)
{
    char path[128];
    CHECK(folder_of(daemon, "nowhere") == NULL);
    (void)snprintf(path, sizeof path, "%s/empty", daemon->dir);
    CHECK(mkdir(path, 0700) == 0 && folder_of(daemon, "empty") == NULL);
    (void)snprintf(path, sizeof path, "%s/policies/sub", daemon->dir);
    CHECK(mkdir(path, 0700) == 0);
    (void)snprintf(path, sizeof path, "%s/policies/.hidden", daemon->dir);
    CHECK(mkdir(path, 0700) == 0);
    put_file(daemon, "policies/sub/a.yml", "x: 1\n");
    put_file(daemon, "policies/.hidden/b.yaml", "x: 2\n");
    put_file(daemon, "policies/notes.txt", "no document");
    put_file(daemon, "policies/odd.YAML", "x: 3\n");
    put_file(daemon, "secret.txt", "out of reach");
    (void)snprintf(path, sizeof path, "%s/policies/pipe.yaml", daemon->dir);
    CHECK(mkfifo(path, 0600) == 0); // must not be waited for
    (void)snprintf(path, sizeof path, "%s/policies/gone.yaml", daemon->dir);
    CHECK(symlink("nowhere", path) == 0);
    (void)snprintf(path, sizeof path, "%s/policies/sub/loop", daemon->dir);
    CHECK(symlink("..", path) == 0);

    struct folder *folder = folder_of(daemon, "policies");
    CHECK(folder != NULL);
    if (folder == NULL) {
        return;
    }
    struct snapshot_input input = folder_input(folder);
    static const char *const NAMES[] = {"gone.yaml", "odd.YAML", "pipe.yaml", "sub/a.yml", "web.yaml"};
    static const enum pdp_err ERRS[] = {PDP_ERR_MISSING, PDP_ERR_REFUSED, PDP_ERR_TYPE, PDP_ERR_OK,
                                        PDP_ERR_OK};
    CHECK(input.file_count == COUNT_OF(NAMES));
    for (size_t i = 0; i < COUNT_OF(NAMES) && i < input.file_count; i++) {
        CHECK(str_ends(input.files[i].name, str_of(NAMES[i])) && input.files[i].err == ERRS[i]);
        CHECK((input.files[i].err == PDP_ERR_OK) == (input.files[i].why.len == 0));
    }
    struct str text;
    CHECK(input.read_file(input.user, STR("notes.txt"), &text) == PDP_ERR_OK &&
          str_eq(text, STR("no document")));
    static const char *const OUTSIDE[] = {"../secret.txt", "/etc/passwd", "sub/../../secret.txt", "", ".."};
    for (size_t i = 0; i < COUNT_OF(OUTSIDE); i++) {
        CHECK(input.read_file(input.user, str_of(OUTSIDE[i]), &text) == PDP_ERR_DENIED && text.len == 0);
    }
    CHECK(input.read_file(input.user, (struct str){"web.yaml\0x", 10}, &text) == PDP_ERR_DENIED);
    static const char *const ZONES[] = {
        "../../../etc/passwd", "/etc/passwd", "Europe/No such", "", "Europe", "No/Where"};
    for (size_t i = 0; i < COUNT_OF(ZONES); i++) {
        CHECK(input.read_zone(input.user, str_of(ZONES[i]), &text) == PDP_ERR_UNKNOWN && text.len == 0);
    }
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0) {
        CHECK(input.read_zone(input.user, STR("Europe/Berlin"), &text) == PDP_ERR_OK &&
              str_starts(text, STR("TZif")));
    }
    folder_free(&folder);
    CHECK(folder == NULL);
}

static const struct {
    const char *text;
    struct webhook_place place; // not known: refused
} PLACES[] = {
    {"pdp-webhook 1 1795370400000 17 clean\n", {true, true, INT64_C(1795370400000), 17}},
    {"pdp-webhook 1 -5 0 open\n", {true, false, -5, 0}},
    {"pdp-webhook 1 1 1 open", {0}},
    {"pdp-webhook 2 1 1 open\n", {0}},
    {"pdp-webhook 1 1 1 shut\n", {0}},
    {"pdp-webhook 1 1 open\n", {0}},
    {"pdp-webhook 1 1 1 \n", {0}},
    {"pdp-webhook 1 x 1 open\n", {0}},
    {"pdp-webhook 1 1 -1 open\n", {0}},
    {"pdp-webhook 1 99999999999999999999 1 open\n", {0}},
    {"pdp-webhook 1 1 1 open\nopen\n", {0}},
    {"pdp-webhook 1 \n", {0}},
    {"\n", {0}},
    {"", {0}},
};

static void places_of_webhooks(const struct daemon *daemon)
{
    for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
        const struct webhook_place *want = &PLACES[i].place;
        struct webhook_place got = {.known = true};
        CHECK(webhook_place_parse(str_of(PLACES[i].text), &got) == want->known);
        CHECK(got.known == want->known && got.clean == want->clean && got.done_ms == want->done_ms &&
              got.cutoff == want->cutoff);
    }
    const struct webhook_place place = {true, false, 12345, 6};
    struct webhook_place got;
    webhook_place_read(daemon->dir, 3, &got);
    CHECK(!got.known); // there is none
    webhook_place_write(daemon->dir, 3, &place);
    webhook_place_read(daemon->dir, 3, &got);
    CHECK(got.known && !got.clean && got.done_ms == 12345 && got.cutoff == 6);
    put_file(daemon, "webhook-3", "nonsense");
    webhook_place_read(daemon->dir, 3, &got);
    CHECK(got.known && !got.clean && got.done_ms == 0); // all is told again
    webhook_place_write(NULL, 0, &place);
    webhook_place_read(NULL, 0, &got);
    CHECK(!got.known);
}

static void adapters_that_were_not_built(void)
{
    const struct conf_node node = {.kind = CONF_MAP};
    struct config config = {0};
    struct diags diags;
    const char *why = "";
    diags_init(&diags, 4);
    CHECK(config_adapter_listen(&config, "spoe", STR("127.0.0.1:1"), &why) == PDP_ERR_UNSUPPORTED);
    CHECK(strcmp(why, "this pdpd was built without that adapter") == 0);
    CHECK(config_adapter(&node, "spoe", &config, &diags) == PDP_ERR_UNSUPPORTED);
    CHECK(str_eq(diags.list[0].message, STR("this pdpd was built without that adapter")));
    diags_fini(&diags);
}

int main(void)
{
    struct daemon daemon;
    daemon_folder(&daemon);
    addresses();
    adapters_that_were_not_built();
    log_values_cannot_forge_lines();
    folders(&daemon);
    places_of_webhooks(&daemon);
    daemon_clean(&daemon);
    (void)printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
