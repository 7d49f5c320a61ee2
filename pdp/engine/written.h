// SPDX-License-Identifier: Apache-2.0
// Conditions of documents that are not the policies' own: targets of SessionPolicies, `own` of a RiskModel.
#ifndef ENGINE_WRITTEN_H
#define ENGINE_WRITTEN_H

#include "policy/conditions.h"

// Adds them to those that the set keeps, in the order of the documents: once all documents were read, and
// before the program is sealed. What is no expression was reported, and is passed over.
MUST_USE enum pdp_err written_read(const struct conf_doc *docs, size_t count, struct cel_program *program,
                                   struct policy_set *set);

#endif
