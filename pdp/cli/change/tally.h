// SPDX-License-Identifier: Apache-2.0
// What two policies answered differently, counted in bounded memory however long the recording is.
#ifndef CLI_CHANGE_TALLY_H
#define CLI_CHANGE_TALLY_H

#include "base/map.h"
#include "cli/change/view.h"

#define TALLY_GROUPS_MOST 4096
#define TALLY_SUBJECTS_MOST 65536 // in all groups together, and once more of those newly denied
#define TALLY_SESSIONS_MOST (1u << 18)
#define TALLY_NAME_MOST 47

// The first decision of a group. Texts are the tally's.
struct tally_first {
    uint64_t line;
    int64_t at_ms;
    struct str action, type, resource, subject;
    struct view was, is;
};

// Decisions that differ alike: by effect and by the rules that are named.
struct tally_group {
    uint64_t count;
    struct tally_first first;
    uint32_t subject, subjects; // the first of its subjects; how many there are
    uint64_t others;            // decisions about subjects for whom there was no room
};

#define TALLY_NONE UINT32_MAX
struct tally_subject {
    struct str name;
    uint64_t count, line; // of its decisions; where the first is
    uint32_t next;        // of its group
};

// A session that is over in one of them alone. ref[0] NUL: a free place.
struct tally_session {
    char ref[32], subject[TALLY_NAME_MOST + 1];
    uint64_t was_line, is_line; // where that was first seen; 0: not over there
};

struct tally {
    struct arena arena;
    struct map by_group, by_subject, by_denied;
    struct tally_group *groups;
    struct tally_subject *subjects, *denied;
    struct tally_session *sessions;
    uint32_t group_count, group_cap, subject_count, subject_cap, denied_count, denied_cap;
    uint32_t session_count, session_cap; // cap: a power of two
    uint64_t others;                     // decisions of groups for which there was no room
    uint64_t denied_others, sessions_lost;
    uint64_t questions, events, differ, events_differ, scores_differ, loosened, tightened;
    bool failed; // out of memory
};

void tally_init(struct tally *tally);
void tally_fini(struct tally *tally);

// One decision, or one event, as both see it. `first` has the question's texts, borrowed; views are filled.
void tally_take(struct tally *tally, const struct tally_first *first, bool event);
// A session that is over there, or not, now.
void tally_over(struct tally *tally, struct str ref, struct str subject, uint64_t line, bool was, bool is);
// Puts groups and the subjects of each in order: the most first, then the earliest. Once, at the end.
void tally_sort(struct tally *tally);

#endif
