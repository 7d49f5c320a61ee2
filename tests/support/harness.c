// SPDX-License-Identifier: Apache-2.0
#include "support/harness.h"

#include <stdio.h>
#include <stdlib.h>

static const struct hash_key KEY = {11, 22};

static enum pdp_err no_file(void *user, struct str path, struct str *text)
{
    (void)user;
    (void)path;
    *text = (struct str){0};
    return PDP_ERR_UNKNOWN;
}

static char zone_bytes[1 << 16];

static enum pdp_err zone_file(void *user, struct str name, struct str *text)
{
    char path[256];
    (void)user;
    *text = (struct str){0};
    snprintf(path, sizeof path, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name));
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return PDP_ERR_UNKNOWN;
    }
    *text = (struct str){zone_bytes, fread(zone_bytes, 1, sizeof zone_bytes, file)};
    fclose(file);
    return PDP_ERR_OK;
}

static struct str file_bytes(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct buf bytes = {0};
    while (file != NULL && buf_room(&bytes, 1 << 16)) {
        size_t got = fread(bytes.at + bytes.len, 1, 1 << 16, file);
        bytes.len += got;
        if (got == 0) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return buf_view(&bytes);
}

bool harness_cannot_draw;

static bool draw(void *user, void *out, size_t len)
{
    static uint64_t drawn;
    (void)user;
    memset(out, 0, len);
    drawn++;
    memcpy(out, &drawn, sizeof drawn);
    return !harness_cannot_draw;
}

static bool harness_start(struct harness *h)
{
    if (h->engine != NULL) {
        return true;
    }
    struct engine_config config = {.key = KEY, .id_prefix = 7, .random = draw};
    h->peer = (struct peer){.name = STR("test"), .hash = 5, .grants = GRANT_ALL};
    arena_init(&h->arena, 0, 0);
    return engine_new(&config, &h->engine) == PDP_ERR_OK && worker_new(h->engine, &h->worker) == PDP_ERR_OK;
}

bool harness_load_input(struct harness *h, const struct snapshot_input *input)
{
    struct diags diags;
    struct snapshot *snapshot = NULL;
    diags_init(&diags, 100);
    bool ok = harness_start(h) && snapshot_build(input, KEY, &diags, &snapshot) == PDP_ERR_OK;
    buf_clear(&h->said);
    diags_render(&diags, &h->said);
    buf_byte(&h->said, '\0');
    diags_fini(&diags);
    if (ok) {
        engine_publish(h->engine, &snapshot);
        engine_tidy(h->engine, input->now_ms);
    }
    return ok;
}

static bool load(struct harness *h, const struct snapshot_file *files, size_t file_count,
                 const char *const *geo_paths)
{
    struct snapshot_file geo[8] = {{.err = PDP_ERR_OK}};
    size_t count = 0;
    for (; geo_paths != NULL && geo_paths[count] != NULL && count < 8; count++) {
        geo[count] =
            (struct snapshot_file){.name = str_of(geo_paths[count]), .text = file_bytes(geo_paths[count])};
        geo[count].err = geo[count].text.at == NULL ? PDP_ERR_IO : PDP_ERR_OK;
        geo[count].why = STR("no such file");
    }
    struct snapshot_input input = {.files = files,
                                   .file_count = file_count,
                                   .geo = geo,
                                   .geo_count = count,
                                   .geo_optional = true,
                                   .read_file = no_file,
                                   .read_zone = zone_file,
                                   .now_ms = HARNESS_NOW};
    bool ok = harness_load_input(h, &input);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)geo[i].text.at);
    }
    return ok;
}

bool harness_load_geo(struct harness *h, const char *yaml, const char *const *geo_paths)
{
    struct snapshot_file file = {.name = STR("policies/test.yaml"), .text = str_of(yaml)};
    return load(h, &file, 1, geo_paths);
}

bool harness_load_files(struct harness *h, const struct snapshot_file *files, size_t count)
{
    return load(h, files, count, NULL);
}

bool harness_load(struct harness *h, const char *yaml)
{
    return harness_load_geo(h, yaml, NULL);
}

void harness_fini(struct harness *h)
{
    worker_free(&h->worker);
    engine_free(&h->engine);
    buf_fini(&h->answer);
    buf_fini(&h->said);
    arena_fini(&h->arena);
}

void harness_ask(struct harness *h, int64_t now_ms, const char *json)
{
    struct buf text = {0};
    for (const char *c = json; *c != '\0'; c++) {
        buf_byte(&text, *c == '\'' ? '"' : (unsigned char)*c);
    }
    buf_clear(&h->answer);
    engine_answer(h->worker, &h->peer, buf_view(&text), now_ms, &h->answer);
    buf_fini(&text);
    struct fault why;
    arena_reset(&h->arena);
    h->root = (struct value){0};
    if (wire_decode_most(WIRE_JSON, buf_view(&h->answer), 1 << 20, &h->arena, &h->root, &why) != PDP_ERR_OK) {
        fprintf(stderr, "answer is no JSON: %s %s: " STR_FMT "\n", why.field, why.what,
                STR_ARG(buf_view(&h->answer)));
        abort();
    }
}

const char *harness_get(struct harness *h, const char *path)
{
    const struct value *found = value_path(&h->root, str_of(path));
    struct buf text = {0};
    if (found == NULL) {
        return "";
    }
    if (found->kind == VALUE_STRING) {
        buf_str(&text, value_text(found));
    } else {
        value_print(&text, found, 4000);
    }
    struct str copy = arena_printf(&h->arena, STR_FMT, STR_ARG(buf_view(&text)));
    buf_fini(&text);
    return copy.at != NULL ? copy.at : "";
}

const char *harness_effect(struct harness *h)
{
    const char *effect = harness_get(h, "context.effect");
    struct str both = arena_printf(&h->arena, "%s/%s", effect, harness_get(h, "context.code"));
    return both.at != NULL ? both.at : "";
}
