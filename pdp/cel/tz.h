// SPDX-License-Identifier: Apache-2.0
// Time zones: TZif (RFC 8536) versions 1 to 3 with their footer rule, and fixed offsets.
#ifndef CEL_TZ_H
#define CEL_TZ_H

#include "base/time.h"

struct tz;

// Bytes of a TZif file; copies what it needs. MALFORMED, LIMIT, NOMEM.
MUST_USE enum pdp_err tz_new(struct str tzif, struct tz **out);
MUST_USE enum pdp_err tz_fixed(int32_t offset_s, struct tz **out);
void tz_free(struct tz **tz);
// `UTC`, `Z`, `+01:00`, `-02:30`, `02:00`: seconds east of Greenwich. false: it is a name.
bool tz_parse_fixed(struct str name, int32_t *offset_s);
// Seconds east of Greenwich at a time, and the time from which another offset holds (INT64_MAX: never).
// O(log n), no allocation.
int32_t tz_offset(const struct tz *tz, int64_t epoch_s, int64_t *until_s);

#endif
