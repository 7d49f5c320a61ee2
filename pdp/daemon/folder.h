// SPDX-License-Identifier: Apache-2.0
// A policy folder and its databases as bytes: what a snapshot is made from. For pdpd and pdpctl.
#ifndef DAEMON_FOLDER_H
#define DAEMON_FOLDER_H

#include "engine/packed.h"

#define FOLDER_WHY_MAX 512
#define FOLDER_DOCUMENT_MAX ((size_t)4 * 1024 * 1024) // bytes of a file of documents

struct folder; // owns all texts; the sources of diagnostics point into it

// Is it a file of tests, by its name? They end in `_test.yaml` or `_test.yml`.
bool folder_is_test(struct str name);
// Reads `*.yaml` and `*.yml` of `dir` and below (not of hidden folders) but for tests, sorted by name, and
// the databases. A file that cannot be read, and one that ends in
// `.YAML`, is given with its error, for the compiler to name. MISSING, IO or
// LIMIT with words in `why` where the folder itself cannot be read, holds no document, or is far too large.
MUST_USE enum pdp_err folder_read(const char *dir, const char *const *geo, size_t geo_count,
                                  struct folder **out, char why[FOLDER_WHY_MAX]);
// The same folder with no document read: for the files that documents name.
MUST_USE enum pdp_err folder_open(const char *dir, struct folder **out);
// The same of a bundle: documents, lists and zones come out of it alone. Nothing is said of who signed it.
// MALFORMED, LIMIT or UNSUPPORTED with the place in `why` where the file is no bundle; or IO.
MUST_USE enum pdp_err folder_unpack(const char *path, const char *const *geo, size_t geo_count,
                                    struct folder **out, char why[FOLDER_WHY_MAX]);
// The same of bytes, which must live as long; `called` is how messages name them.
MUST_USE enum pdp_err folder_of_bytes(struct str bytes, const char *called, const char *const *geo,
                                      size_t geo_count, struct folder **out, char why[FOLDER_WHY_MAX]);
const struct bundle *folder_bundle(const struct folder *folder); // NULL: it is a folder
// The folder's files of tests, sorted by name; read at the first call. Of a bundle there are none. NOMEM.
// Texts live as long as the folder.
MUST_USE enum pdp_err folder_tests(struct folder *folder, const struct snapshot_file **files, size_t *count);
// Refuses documents that would be served, were the file not called one of tests: who wrote a rule there means
// it. Tells each in `diags`, as `pdpctl check` does; a file that cannot be read, or is no YAML, says nothing.
// REFUSED, NOMEM.
MUST_USE enum pdp_err folder_misnamed(const struct folder *folder, struct diags *diags);
struct str folder_bytes(const struct folder *folder); // the bundle, signatures included; or empty
size_t folder_front(const struct folder *folder);     // bytes of each document's name that are the folder's
void folder_free(struct folder **folder);
// For snapshot_build; geo_optional and now_ms are the caller's to set. Borrowed from the folder. One thread.
struct snapshot_input folder_input(struct folder *folder);

#endif
