// SPDX-License-Identifier: Apache-2.0
#include "engine/keep.h"

#include "engine/worker.h"
#include "seal/sections.h"

#include <stdio.h>

// ---- Sections ------------------------------------------------------------------------------------

static void save_sources(struct engine *engine, struct buf *out)
{
    source_save(engine->sources, out);
}

static enum pdp_err load_sources(struct engine *engine, struct str bytes)
{
    return source_load(engine->sources, bytes);
}

static void save_population(struct engine *engine, struct buf *out)
{
    population_save(engine->population, out);
}

static enum pdp_err load_population(struct engine *engine, struct str bytes)
{
    return population_load(engine->population, bytes);
}

static void save_recent(struct engine *engine, struct buf *out)
{
    recent_save(engine->recent, out);
}

static enum pdp_err load_recent(struct engine *engine, struct str bytes)
{
    return recent_load(engine->recent, bytes);
}

// A section whose form changes gets a higher version; what was written by another is then passed over.
static const struct {
    struct str name;
    uint32_t version;
    void (*save)(struct engine *engine, struct buf *out);
    enum pdp_err (*load)(struct engine *engine, struct str bytes); // a failure leaves it as it begins
} SECTIONS[] = {
    {{SOURCE_SECTION, sizeof SOURCE_SECTION - 1}, SOURCE_VERSION, save_sources, load_sources},
    {{POPULATION_SECTION, sizeof POPULATION_SECTION - 1},
     POPULATION_VERSION,
     save_population,
     load_population},
    {{RECENT_SECTION, sizeof RECENT_SECTION - 1}, RECENT_VERSION, save_recent, load_recent},
};

_Static_assert(COUNT_OF(SECTIONS) <= SECTIONS_MAX, "a file has room for every section");

// ---- The file ------------------------------------------------------------------------------------

enum pdp_err engine_keep(struct engine *engine, struct buf *out)
{
    struct buf bytes[COUNT_OF(SECTIONS)] = {{0}};
    struct section sections[COUNT_OF(SECTIONS)];
    bool failed = false;
    for (size_t i = 0; i < COUNT_OF(SECTIONS); i++) {
        SECTIONS[i].save(engine, &bytes[i]);
        failed = failed || bytes[i].failed;
        sections[i] = (struct section){SECTIONS[i].name, SECTIONS[i].version, buf_view(&bytes[i])};
    }
    enum pdp_err err = failed ? PDP_ERR_NOMEM : sections_write(sections, COUNT_OF(SECTIONS), out);
    for (size_t i = 0; i < COUNT_OF(SECTIONS); i++) {
        buf_fini(&bytes[i]);
    }
    return err;
}

static size_t find(const struct section *section)
{
    size_t i = 0;
    while (i < COUNT_OF(SECTIONS) &&
           (!str_eq(SECTIONS[i].name, section->name) || SECTIONS[i].version != section->version)) {
        i++;
    }
    return i;
}

enum pdp_err engine_recall(struct engine *engine, struct str bytes, char why[static KEEP_WHY_MAX])
{
    struct section sections[SECTIONS_MAX];
    size_t count = 0;
    (void)snprintf(why, KEEP_WHY_MAX, "it is cut short or damaged");
    TRY(sections_read(bytes, sections, &count));
    why[0] = '\0';
    enum pdp_err first = PDP_ERR_OK;
    for (size_t i = 0; i < count; i++) {
        size_t at = find(&sections[i]);
        enum pdp_err err =
            at < COUNT_OF(SECTIONS) ? SECTIONS[at].load(engine, sections[i].bytes) : PDP_ERR_OK;
        if (err != PDP_ERR_OK && first == PDP_ERR_OK) {
            first = err;
            (void)snprintf(why, KEEP_WHY_MAX, "section `" STR_FMT "` %s", STR_ARG(sections[i].name),
                           err == PDP_ERR_UNKNOWN ? "was made with other keys" : "is not what was written");
        } else if (at == COUNT_OF(SECTIONS) && why[0] == '\0') {
            (void)snprintf(why, KEEP_WHY_MAX, "section `" STR_FMT "` of version %u is of another release",
                           STR_ARG(sections[i].name), sections[i].version);
        }
    }
    return first;
}
