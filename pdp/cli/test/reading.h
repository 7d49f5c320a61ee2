// SPDX-License-Identifier: Apache-2.0
// How test documents are read: parts of one reader. Inside of cli/test.
#ifndef CLI_TEST_READING_H
#define CLI_TEST_READING_H

#include "base/map.h"
#include "cli/test/compose.h"
#include "cli/test/suite.h"

#define READING_PLAYS_MOST 100000 // of one document
#define READING_NOW_MS \
    INT64_C(1795420800000) // 2026-11-23T08:00:00Z, a Monday: where a document names no time

// A set of geo data that a suite owns.
struct reading_geo {
    struct geo_set *set;
    struct reading_geo *next;
};

struct reading_list {
    struct str *list; // each once
    size_t count, cap;
};

// A document of kind Given, which is laid over Scenarios.
struct reading_over {
    struct str tenant; // empty: not given
    const struct conf_node *given, *request, *skip;
    struct reading_list fixtures, scenarios; // that there were
};

// Documents that are being read. Everything lives in `arena` but the geo sets.
struct reading {
    struct arena *arena;
    struct diags *diags;
    struct reading_geo *geo;         // all that were made, whether anything came of them or not
    const struct reading_told *told; // parts of questions whose mistakes were told
    struct reading_over *over;       // NULL: nothing is laid over
    enum pdp_err first;
};

void reading_note(struct reading *r, enum pdp_err err);
// Zeroed, or NULL where memory is out, which is noted.
void *reading_array(struct reading *r, size_t count, size_t bytes);
// A mistake at a place; formatted as diag_error. Returns nothing: reading goes on.
void reading_fail(struct reading *r, enum pdp_err err, struct place place, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
// "did you mean", or all that there are, `what` in front of them.
void reading_hint(struct reading *r, struct str given, const struct str *names, size_t count,
                  const char *what);
// At most 80 bytes of it, escaped, for a message.
struct str reading_shown(struct reading *r, struct str text);
// Names that may be given once: to begin with none, and to note one (an empty one is none). A second time is
// a mistake; `what` has that name then.
void reading_names(struct map *seen);
void reading_once(struct reading *r, struct map *seen, struct str name, struct place place, const char *what);

// The geo data of `places`; NULL where the map is (or has a mistake, which is noted).
const struct geo_set *reading_places(struct reading *r, const struct conf_node *map);

// What every document of tests has; `name`, `description`, `class` of *doc are filled. false: it is noted.
bool reading_head(struct reading *r, const struct conf_doc *from, struct suite_doc *doc);

// ---- expect.c ------------------------------------------------------------------------------------

struct expectation {
    const struct suite_claim *claims;
    size_t count;
};
enum expect_of {
    EXPECT_OF_QUESTION,
    EXPECT_OF_EVENT,
    EXPECT_OF_ORDER
};
// The map of `expect`: what can be expected hangs on what is answered.
void expect_read(struct reading *r, const struct conf_node *map, enum expect_of of, struct expectation *out);
// One effect, or a list of them, that stands alone.
void expect_effect(struct reading *r, const struct conf_node *node, struct expectation *out);

// ---- fields.c ------------------------------------------------------------------------------------

enum fields_of {
    FIELDS_OF_QUESTION,
    FIELDS_OF_EVENT,
    FIELDS_OF_FIXTURE, // of either
};

// Keys that nothing reads, addresses that are none, events that there are not: mistakes, after which `map` is
// told. Nothing where it is no map.
void fields_check(struct reading *r, const struct conf_node *map, enum fields_of of);
// The same of all fixtures, and of what lies under all questions; each may be NULL.
void fields_check_given(struct reading *r, const struct conf_node *given, const struct conf_node *request);
// Was a mistake of this node told already?
bool fields_told(const struct reading *r, const struct conf_node *node);
void fields_tell(struct reading *r, const struct conf_node *node);
// Where the field of a path (`subject.id`) stands in a map, or as much of the path as there is: its text, or
// the key of what is no text. NULL: nothing of it is there. *depth is how many parts of the path are.
const struct conf_node *fields_find(const struct conf_node *map, struct str path, size_t *depth);

// ---- ask.c ---------------------------------------------------------------------------------------

// What all cases or steps of a document stand on.
struct ground {
    struct str tenant;
    const struct conf_node *given;   // NULL: there are no fixtures
    const struct conf_node *request; // under all; NULL: none
    const struct reading_over *over; // NULL: none
};

struct asked {
    struct conf_texts with;
    const struct conf_node *request, *event; // NULL: not given
    struct str subject, resource, action;    // of a cell: fixtures and a name; empty: not
};

// Are all fixtures there? Each that is not is a mistake, once however often it is asked.
bool ask_check(struct reading *r, const struct ground *ground, const struct conf_texts *with);
// Is it expected that it cannot be read?
bool ask_meant_so(const struct suite_claim *claims, size_t count);
// Makes the question or event of *play, at its time; *varies: it is another at another time or turn.
void ask_make(struct reading *r, const struct ground *ground, const struct asked *asked, bool repeated,
              struct suite_play *play, bool *varies);

// The message of an event or an order as CBOR, into *play.
void ask_encode(struct reading *r, const struct value *root, struct suite_play *play);

// ---- read_order.c --------------------------------------------------------------------------------

// Keys that the admin endpoint does not read are mistakes.
void order_check(struct reading *r, const struct conf_node *map);
// As ask_make.
void order_make(struct reading *r, const struct conf_node *map, bool repeated, struct suite_play *play,
                bool *varies);

// ---- Kinds ---------------------------------------------------------------------------------------

void read_test(struct reading *r, const struct conf_doc *from, struct suite_doc *doc);
void read_matrix(struct reading *r, const struct ground *ground, const struct conf_node *matrix,
                 int64_t now_ms, struct suite_play **plays, uint32_t *count);
// A document of kind Given; false: what is wrong is noted.
bool read_given_doc(struct reading *r, const struct conf_doc *from, struct reading_over *out);
// The one of a file, to be laid over what is read next; r->over stays NULL where it has none, which is noted.
void read_given(struct reading *r, const struct snapshot_file *file);
// A Scenario is there, with its fixtures; and at the end what is said of a fixture, or of a Scenario, that
// was not there is a mistake.
void read_given_met(struct reading *r, const struct conf_node *given, struct suite_doc *doc);
void read_given_end(struct reading *r);
// The documents of a file; NULL with what is wrong noted.
const struct conf_doc *reading_docs(struct reading *r, const struct snapshot_file *file, size_t *count);
void read_scenario(struct reading *r, const struct conf_doc *from, struct suite_doc *doc);
extern const struct peer READING_PEER; // who asks where nothing is said

#endif
