// SPDX-License-Identifier: Apache-2.0
// Reading what an adapter was told.
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include "common/text.h"

#include <pdp/adapter.h>

// Is every setting one that the adapter has, and given once unless it may be given many times? To be called
// first. UNKNOWN, with the nearest name where one is near; DUPLICATE.
MUST_USE enum pdp_err settings_check(const struct pdp_setting_about *about, size_t count,
                                     const struct pdp_adapter_setup *setup, struct pdp_adapter_wrong *wrong);

// The value, or NULL where nothing was said.
const char *setting_text(const struct pdp_adapter_setup *setup, const char *name);
// The value at or behind *at of the setup's list; NULL at the end. Begin with *at 0; afterwards it is one
// beyond.
const char *setting_next(const struct pdp_adapter_setup *setup, const char *name, size_t *at);

// Each keeps *out where nothing was said. TYPE or RANGE with *wrong.
MUST_USE enum pdp_err setting_bool(const struct pdp_adapter_setup *setup, const char *name, bool *out,
                                   struct pdp_adapter_wrong *wrong); // `true` or `false`
MUST_USE enum pdp_err setting_number(const struct pdp_adapter_setup *setup, const char *name, int64_t least,
                                     int64_t most, int64_t *out, struct pdp_adapter_wrong *wrong);
// `200ms`, `5s`, `10m`, `2h`, `1d`
MUST_USE enum pdp_err setting_duration(const struct pdp_adapter_setup *setup, const char *name,
                                       int64_t least_ms, int64_t most_ms, int64_t *out_ms,
                                       struct pdp_adapter_wrong *wrong);
// `choices` ends with NULL; *out is the place in it.
MUST_USE enum pdp_err setting_choice(const struct pdp_adapter_setup *setup, const char *name,
                                     const char *const *choices, int *out, struct pdp_adapter_wrong *wrong);

// Says what is wrong with the setting `name` (NULL: with none of them) and returns `err`.
__attribute__((format(printf, 5, 6))) enum pdp_err setting_wrong(const struct pdp_adapter_setup *setup,
                                                                 const char *name,
                                                                 struct pdp_adapter_wrong *wrong,
                                                                 enum pdp_err err, const char *format, ...);

#endif
