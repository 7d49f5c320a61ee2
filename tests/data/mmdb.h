// SPDX-License-Identifier: Apache-2.0
// The databases of make_mmdb.pl for a test program: made when first asked for, kept in the build folder.
#ifndef TESTS_DATA_MMDB_H
#define TESTS_DATA_MMDB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct mmdb_file {
    uint8_t *bytes; // exactly as long as the file, so that ASan sees a read past the end; NULL: not there
    size_t len;
};

static inline struct mmdb_file mmdb_read(const char *path)
{
    struct mmdb_file file = {NULL, 0};
    FILE *in = fopen(path, "rb");
    struct stat info;
    if (in == NULL) {
        return file;
    }
    if (fstat(fileno(in), &info) == 0 && S_ISREG(info.st_mode)) {
        file.len = (size_t)info.st_size;
        file.bytes = malloc(file.len + (file.len == 0));
        if (file.bytes != NULL && fread(file.bytes, 1, file.len, in) != file.len) {
            free(file.bytes);
            file.bytes = NULL;
        }
    }
    fclose(in);
    return file;
}

static inline void mmdb_file_free(struct mmdb_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

#define MMDB_SCRIPT "tests/data/make_mmdb.pl" // tests run in the root of the sources

// A file by its name in the script. NULL bytes where it cannot be made: no perl, or no MaxMind::DB::Writer.
static inline struct mmdb_file mmdb_made(const char *name)
{
    const char *bin = getenv("PDP_BIN");
    char folder[3072], path[4096], command[8192];
    struct stat made, script;
    snprintf(folder, sizeof folder, "%s/mmdb", bin != NULL ? bin : "build");
    snprintf(path, sizeof path, "%s/%s.mmdb", folder, name);
    snprintf(command, sizeof command, "mkdir -p '%s' && perl " MMDB_SCRIPT " '%s' '%s'", folder, folder,
             name);
    bool fresh = stat(MMDB_SCRIPT, &script) == 0 && stat(path, &made) == 0 && made.st_mtime > script.st_mtime;
    if (!fresh && system(command) != 0) {
        return (struct mmdb_file){NULL, 0};
    }
    return mmdb_read(path);
}

#endif
