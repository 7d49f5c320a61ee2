// SPDX-License-Identifier: Apache-2.0
// Whole files that settings name.
#ifndef HTTP_FILE_H
#define HTTP_FILE_H

#include "common/text.h"

#include <pdp/err.h>

#define FILE_MAX (1024 * 1024)

// *bytes is from malloc, with a NUL behind its *len bytes; NULL on failure. IO (errno says why), LIMIT,
// NOMEM.
MUST_USE enum pdp_err file_read(const char *path, char **bytes, size_t *len);
// Wipes, then frees. Leaves NULL behind.
void file_wipe(char **bytes, size_t len);

#endif
