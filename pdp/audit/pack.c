// SPDX-License-Identifier: Apache-2.0
#include "audit/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

enum {
    PART_BYTES = 1024 * 1024,
    LEVEL = 3
};

struct pack {
    char dir[4096], from[4096], to[4096], made[4104];
    int in, out;
    uint64_t read, written;
    unsigned char *part, *packed;
    size_t packed_bytes;
};

void pack_free(struct pack **pack_ptr)
{
    struct pack *pack = STEAL(*pack_ptr);
    if (pack == NULL) {
        return;
    }
    if (pack->in >= 0) {
        close(pack->in);
    }
    if (pack->out >= 0) {
        close(pack->out);
        (void)unlink(pack->made);
    }
    free(pack->part);
    free(pack->packed);
    free(pack);
}

enum pdp_err pack_new(const char *dir, uint64_t first, struct pack **out)
{
    char name[SEGMENT_NAME_BYTES];
    *out = NULL;
    AUTO(pack_free) struct pack *pack = calloc(1, sizeof *pack);
    if (pack == NULL) {
        return PDP_ERR_NOMEM;
    }
    pack->in = pack->out = -1;
    pack->packed_bytes = ZSTD_compressBound(PART_BYTES);
    pack->part = malloc(PART_BYTES);
    pack->packed = malloc(pack->packed_bytes);
    if (pack->part == NULL || pack->packed == NULL) {
        return PDP_ERR_NOMEM;
    }
    snprintf(pack->dir, sizeof pack->dir, "%s", dir);
    segment_name(first, false, name);
    if (!files_path(dir, name, pack->from)) {
        return PDP_ERR_LIMIT;
    }
    segment_name(first, true, name);
    if (!files_path(dir, name, pack->to)) {
        return PDP_ERR_LIMIT;
    }
    snprintf(pack->made, sizeof pack->made, "%s.new", pack->to);
    (void)unlink(pack->made);
    pack->in = open(pack->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    pack->out = open(pack->made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (pack->in < 0 || pack->out < 0) {
        return PDP_ERR_IO;
    }
    *out = STEAL(pack);
    return PDP_ERR_OK;
}

static enum pdp_err finish(struct pack *pack)
{
    if (fsync(pack->out) != 0 || rename(pack->made, pack->to) != 0) {
        return PDP_ERR_IO;
    }
    close(pack->out);
    pack->out = -1;
    TRY(files_sync_dir(pack->dir));
    return unlink(pack->from) == 0 ? PDP_ERR_OK : PDP_ERR_IO;
}

enum pdp_err pack_step(struct pack *pack, bool *done)
{
    size_t got = 0;
    *done = false;
    TRY(files_read(pack->in, pack->read, pack->part, PART_BYTES, &got));
    if (got > 0) {
        size_t len = ZSTD_compress(pack->packed, pack->packed_bytes, pack->part, got, LEVEL);
        if (ZSTD_isError(len)) {
            return PDP_ERR_NOMEM;
        }
        TRY(files_write(pack->out, pack->written, (struct str){(const char *)pack->packed, len}));
        pack->read += got;
        pack->written += len;
    }
    if (got < PART_BYTES) {
        TRY(finish(pack));
        *done = true;
    }
    return PDP_ERR_OK;
}
