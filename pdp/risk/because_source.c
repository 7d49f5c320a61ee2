// SPDX-License-Identifier: Apache-2.0
// The words of the signals of sources: the figures that they read.
#include "risk/distinct.h"
#include "risk/source_weigh.h"

// More than a set keeps may be an estimate.
static const char *about(uint32_t count)
{
    return count > DISTINCT_ROOM ? "about " : "";
}

static struct str prefix_text(const struct ip *ip, struct arena *arena)
{
    char room[64];
    struct buf text = {.at = (unsigned char *)room, .cap = sizeof room, .limit = sizeof room};
    const struct cidr prefix = {ip_mask(ip, ip->v4 ? 24 : 48), ip->v4 ? 24 : 48};
    cidr_print(&text, &prefix);
    return arena_printf(arena, STR_FMT, STR_ARG(buf_view(&text)));
}

static struct str source_text(const struct signal_view *view, enum source_kind kind, struct arena *arena)
{
    if (kind == SOURCE_PREFIX) {
        return prefix_text(&view->in->seen->ip, arena);
    }
    return kind == SOURCE_ASN ? arena_printf(arena, "AS%u", view->in->seen->asn)
                              : STR("clients with this JA4");
}

// NULL: a reading of `on_missing: score` has nothing to tell.
static const struct source_figures *figures_of(const struct signal_view *view, struct source_worst worst)
{
    return worst.evidence > 0 && view->in->seen != NULL ? &view->in->source->of[worst.kind] : NULL;
}

static struct str not_known(struct arena *arena)
{
    return arena_printf(arena, "the address is not known");
}

struct str because_source_failures(const struct signal_view *view, struct arena *arena)
{
    struct source_worst worst = source_weigh(view, source_failures_pair);
    const struct source_figures *figures = figures_of(view, worst);
    if (figures == NULL) {
        return not_known(arena);
    }
    struct str source = source_text(view, worst.kind, arena);
    uint64_t all = (uint64_t)figures->failed + figures->passed;
    return arena_printf(arena, "%u of %llu logins from " STR_FMT " failed in %d min, %s%u subjects",
                        figures->failed, (unsigned long long)all, STR_ARG(source), SOURCE_WINDOW_MIN,
                        about(figures->failed_subjects), figures->failed_subjects);
}

struct str because_source_subjects(const struct signal_view *view, struct arena *arena)
{
    struct source_worst worst = source_weigh(view, source_subjects_pair);
    const struct source_figures *figures = figures_of(view, worst);
    if (figures == NULL) {
        return not_known(arena);
    }
    struct str source = source_text(view, worst.kind, arena);
    return arena_printf(arena, "%s%u subjects failed to log in from " STR_FMT " in %d min, %s%u did not",
                        about(figures->failed_subjects), figures->failed_subjects, STR_ARG(source),
                        SOURCE_WINDOW_MIN, about(figures->passed_subjects), figures->passed_subjects);
}

struct str because_source_sessions(const struct signal_view *view, struct arena *arena)
{
    struct source_worst worst = source_weigh(view, source_sessions_pair);
    const struct source_figures *figures = figures_of(view, worst);
    if (figures == NULL) {
        return not_known(arena);
    }
    struct str source = source_text(view, worst.kind, arena);
    return arena_printf(arena, "%s%u session ids from " STR_FMT " were refused in %d min, %s%u were good",
                        about(figures->refused_sessions), figures->refused_sessions, STR_ARG(source),
                        SOURCE_WINDOW_MIN, about(figures->sessions), figures->sessions);
}
