// SPDX-License-Identifier: Apache-2.0
// What `pdpctl new` writes: the files of policies/templates, made into a source when it is built.
#ifndef CLI_EDIT_TEMPLATE_H
#define CLI_EDIT_TEMPLATE_H

#include <stddef.h>

struct template_file {
    const char *of, *name; // the template; the file's name
    const unsigned char *bytes;
    size_t len;
};
// Sorted by template, then by name.
extern const struct template_file TEMPLATE_FILES[];
extern const size_t TEMPLATE_FILE_COUNT;

#endif
