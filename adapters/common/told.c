// SPDX-License-Identifier: Apache-2.0
#include "common/told.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum {
    BYTES_MOST = 65536,
    PLACE_MOST = 512
};

enum pdp_err told_add(struct told *told, const char *place, const char *name, const char *value)
{
    if (told->count == told->room) {
        size_t room = told->room * 2 + 16;
        struct pdp_setting *list = realloc(told->list, room * sizeof *list);
        told->list = list != NULL ? list : told->list;
        char **places = list != NULL ? realloc(told->places, room * sizeof *places) : NULL;
        if (places == NULL) {
            return PDP_ERR_NOMEM;
        }
        told->places = places;
        told->room = room;
    }
    char *copies[] = {strdup(name), strdup(value), strdup(place)};
    if (copies[0] == NULL || copies[1] == NULL || copies[2] == NULL) {
        free(copies[0]);
        free(copies[1]);
        free(copies[2]);
        return PDP_ERR_NOMEM;
    }
    told->list[told->count] = (struct pdp_setting){copies[0], copies[1]};
    told->places[told->count++] = copies[2];
    return PDP_ERR_OK;
}

void told_fini(struct told *told)
{
    for (size_t i = 0; i < told->count; i++) {
        free((char *)told->list[i].name);
        free((char *)told->list[i].value);
        free(told->places[i]);
    }
    free(told->list);
    free(told->places);
    *told = (struct told){0};
}

// ---- The file ------------------------------------------------------------------------------------------

struct reading {
    struct told *told;
    const char *file;
    char *why;
    char *key; // whose value comes next; NULL: a key comes next
    bool in_map, in_list, done;
};

static enum pdp_err wrong(const struct reading *reading, yaml_mark_t mark, const char *what)
{
    (void)snprintf(reading->why, TOLD_WHY_MAX, "%s:%zu:%zu: error: %s", reading->file, mark.line + 1,
                   mark.column + 1, what);
    return PDP_ERR_SYNTAX;
}

static bool said_before(const struct reading *reading, const char *key)
{
    for (size_t i = 0; i < reading->told->count; i++) {
        bool by_file = strncmp(reading->told->places[i], "--", 2) != 0;
        if (by_file && strcmp(reading->told->list[i].name, key) == 0) {
            return true;
        }
    }
    return false;
}

static enum pdp_err on_scalar(struct reading *reading, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        return wrong(reading, event->start_mark, "anchors and tags are not taken; write the value itself");
    }
    if (strlen(text) != event->data.scalar.length) {
        return wrong(reading, event->start_mark, "a NUL stands in it");
    }
    if (!reading->in_map) {
        return wrong(reading, event->start_mark, "expected `name: value`");
    }
    if (reading->key == NULL) {
        if (said_before(reading, text)) {
            return wrong(reading, event->start_mark, "this key is given twice");
        }
        reading->key = strdup(text);
        return reading->key != NULL ? PDP_ERR_OK : PDP_ERR_NOMEM;
    }
    char place[PLACE_MOST];
    (void)snprintf(place, sizeof place, "%s:%zu:%zu", reading->file, event->start_mark.line + 1,
                   event->start_mark.column + 1);
    enum pdp_err err = told_add(reading->told, place, reading->key, text);
    if (!reading->in_list) {
        free(reading->key);
        reading->key = NULL;
    }
    return err;
}

static enum pdp_err on_start(struct reading *reading, const yaml_event_t *event, bool list)
{
    bool fits = list ? reading->key != NULL && !reading->in_list : !reading->in_map;
    if (!fits) {
        return wrong(reading, event->start_mark,
                     list ? "a list stands only behind a name" : "expected text or a list of texts");
    }
    reading->in_map = true;
    reading->in_list = list;
    return PDP_ERR_OK;
}

static enum pdp_err on_event(struct reading *reading, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(reading, event);
    case YAML_MAPPING_START_EVENT:
        return on_start(reading, event, false);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(reading, event, true);
    case YAML_SEQUENCE_END_EVENT:
        reading->in_list = false;
        free(reading->key);
        reading->key = NULL;
        return PDP_ERR_OK;
    case YAML_ALIAS_EVENT:
        return wrong(reading, event->start_mark, "aliases are not taken; write the value itself");
    case YAML_STREAM_END_EVENT:
        reading->done = true;
        return PDP_ERR_OK;
    default:
        return PDP_ERR_OK;
    }
}

static enum pdp_err parse(struct reading *reading, const unsigned char *bytes, size_t len)
{
    yaml_parser_t parser;
    enum pdp_err err = PDP_ERR_OK;
    if (yaml_parser_initialize(&parser) == 0) {
        return PDP_ERR_NOMEM;
    }
    yaml_parser_set_input_string(&parser, bytes, len);
    while (err == PDP_ERR_OK && !reading->done) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            err = wrong(reading, parser.problem_mark, parser.problem != NULL ? parser.problem : "not YAML");
            break;
        }
        err = on_event(reading, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return err;
}

enum pdp_err told_read(struct told *told, const char *file, char why[TOLD_WHY_MAX])
{
    static const size_t ROOM = BYTES_MOST + 1;
    why[0] = '\0';
    FILE *in = fopen(file, "re");
    unsigned char *bytes = in != NULL ? malloc(ROOM) : NULL;
    size_t len = bytes != NULL ? fread(bytes, 1, ROOM, in) : 0;
    enum pdp_err err = PDP_ERR_OK;
    if (in == NULL || bytes == NULL || ferror(in) != 0) {
        (void)snprintf(why, TOLD_WHY_MAX, "%s: error: %s", file, strerror(errno));
        err = PDP_ERR_IO;
    } else if (len == ROOM) {
        (void)snprintf(why, TOLD_WHY_MAX, "%s: error: longer than %d bytes", file, BYTES_MOST);
        err = PDP_ERR_LIMIT;
    } else {
        struct reading reading = {.told = told, .file = file, .why = why};
        err = parse(&reading, bytes, len);
        free(reading.key);
    }
    free(bytes);
    if (in != NULL) {
        (void)fclose(in);
    }
    return err;
}
