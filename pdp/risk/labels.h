// SPDX-License-Identifier: Apache-2.0
// Labels: which recorded questions were an attack. JSON lines, or CSV with a header.
#ifndef RISK_LABELS_H
#define RISK_LABELS_H

#include "base/diag.h"

#define LABELS_MOST 20000000
#define LABELS_MISTAKES_MOST 20 // of one file: the rest of it is not looked at

// What is labelled: a line of the recording by its number, or questions by their request_id.
struct label {
    uint64_t line; // 0: by id
    struct str id;
    bool attack;
    uint32_t at; // line of the labels' file, from 1
};

// Both lists ascend. In the arena that was given.
struct labels {
    struct label *by_line, *by_id;
    size_t line_count, id_count;
};

// Reads a file of labels, which is JSON lines where the first byte that is no blank is `{`, else CSV:
//   {"line": 7, "label": 1}   or   {"request_id": "r7", "label": false}   other keys are passed over
//   line,label                or   request_id,label                       other columns are passed over
// A label is 0, 1, true or false; 1 and true are an attack. Where both are named, the line rules. Empty lines
// are passed over. Every mistake is reported with its place, up to LABELS_MISTAKES_MOST; what is labelled
// twice, and a file without labels, are mistakes. On failure *out holds nothing.
MUST_USE enum pdp_err labels_read(const struct source *source, struct arena *arena, struct diags *diags,
                                  struct labels *out);

// The label of a line, and of an id; NULL where there is none. By halving.
const struct label *labels_of_line(const struct labels *labels, uint64_t line);
const struct label *labels_of_id(const struct labels *labels, struct str id);

#endif
