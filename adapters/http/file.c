// SPDX-License-Identifier: Apache-2.0
#include "http/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pdp_err read_all(int fd, char *bytes, size_t room, size_t *len)
{
    *len = 0;
    while (*len < room) {
        ssize_t n = read(fd, bytes + *len, room - *len);
        if (n < 0 && errno != EINTR) {
            return PDP_ERR_IO;
        }
        if (n == 0) {
            bytes[*len] = '\0';
            return PDP_ERR_OK;
        }
        *len += n > 0 ? (size_t)n : 0;
    }
    return PDP_ERR_LIMIT;
}

enum pdp_err file_read(const char *path, char **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    if (fd < 0) {
        return PDP_ERR_IO;
    }
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        errno = EINVAL;
        close(fd);
        return PDP_ERR_IO;
    }
    char *all = malloc(FILE_MAX + 1);
    enum pdp_err err = all != NULL ? read_all(fd, all, FILE_MAX + 1, len) : PDP_ERR_NOMEM;
    close(fd);
    if (err != PDP_ERR_OK) {
        file_wipe(&all, *len);
        *len = 0;
        return err;
    }
    *bytes = all;
    return PDP_ERR_OK;
}

void file_wipe(char **bytes, size_t len)
{
    if (*bytes != NULL) {
        explicit_bzero(*bytes, len);
        free(*bytes);
    }
    *bytes = NULL;
}
