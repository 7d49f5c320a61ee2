// SPDX-License-Identifier: Apache-2.0
#include "common/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_MS 3000L
#define WHOLE_MS 10000L
#define AGENT "pdp/" PDP_VERSION

static const char *const SAFE[] = {"https://",      "http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:",
                                   "http://[::1]/", "http://localhost:", "http://localhost/"};

bool fetch_is_url(const char *from)
{
    for (size_t i = 0; i < sizeof SAFE / sizeof *SAFE; i++) {
        size_t len = strlen(SAFE[i]);
        // A user name could make `http://127.0.0.1:x@elsewhere/` of what looks like this machine.
        if (strncmp(from, SAFE[i], len) == 0 && from[len] != '\0' && strchr(from, '@') == NULL) {
            return true;
        }
    }
    return false;
}

bool fetch_is_unsafe(const char *from)
{
    return !fetch_is_url(from) && strstr(from, "://") != NULL;
}

struct read {
    char *bytes;
    size_t len, most;
    bool too_long;
};

static bool read_more(struct read *it, const char *bytes, size_t len)
{
    if (len > it->most - it->len) {
        it->too_long = true;
        return false;
    }
    char *grown = realloc(it->bytes, it->len + len + 1);
    if (grown == NULL) {
        return false;
    }
    memcpy(grown + it->len, bytes, len);
    it->bytes = grown;
    it->len += len;
    return true;
}

// ---- A file ---------------------------------------------------------------------------------------

static enum pdp_err read_open(int fd, struct read *it)
{
    char part[16384];
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return PDP_ERR_IO;
    }
    for (;;) {
        ssize_t got = read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? PDP_ERR_OK : PDP_ERR_IO;
        }
        if (!read_more(it, part, (size_t)got)) {
            return it->too_long ? PDP_ERR_LIMIT : PDP_ERR_NOMEM;
        }
    }
}

static enum pdp_err read_file(const char *path, struct read *it, char *why, size_t why_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum pdp_err err = fd >= 0 ? read_open(fd, it) : PDP_ERR_IO;
    int reason = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, why_bytes, "`%s` cannot be read: %s", path,
                       it->too_long ? "it is too long"
                       : fd < 0     ? strerror(reason)
                                    : "it is no regular file");
    }
    return err;
}

// ---- A URL ----------------------------------------------------------------------------------------

static size_t on_bytes(char *bytes, size_t size, size_t count, void *user)
{
    return read_more(user, bytes, size * count) ? size * count : 0;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const atomic_bool *stop = user;
    return stop != NULL && atomic_load(stop);
}

static void set_up(CURL *curl, const struct fetch_about *about, struct read *it)
{
    curl_easy_setopt(curl, CURLOPT_URL, about->from);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, about->from[4] == 's' ? "https" : "http");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, WHOLE_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, AGENT);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, it);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, about->stop);
    if (about->ca != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, about->ca);
    }
    if (about->from[4] != 's') {
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); // this machine is not behind a proxy
    }
}

static enum pdp_err read_url(const struct fetch_about *about, struct read *it, char *why, size_t why_bytes)
{
    CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (curl == NULL) {
        (void)snprintf(why, why_bytes, "out of memory");
        return PDP_ERR_NOMEM;
    }
    long status = 0;
    set_up(curl, about, it);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (code == CURLE_OK && status == 200) {
        return PDP_ERR_OK;
    }
    if (code != CURLE_OK) {
        (void)snprintf(why, why_bytes, "`%s` gave nothing: %s", about->from,
                       it->too_long ? "it is too long" : curl_easy_strerror(code));
    } else {
        (void)snprintf(why, why_bytes, "`%s` answered with status %ld, expected 200", about->from, status);
    }
    return it->too_long ? PDP_ERR_LIMIT : PDP_ERR_IO;
}

enum pdp_err fetch_bytes(const struct fetch_about *about, char **bytes, size_t *len, char *why,
                         size_t why_bytes)
{
    *bytes = NULL;
    *len = 0;
    struct read it = {.most = about->most};
    enum pdp_err err = fetch_is_url(about->from)      ? read_url(about, &it, why, why_bytes)
                       : fetch_is_unsafe(about->from) ? PDP_ERR_UNSUPPORTED
                                                      : read_file(about->from, &it, why, why_bytes);
    if (err == PDP_ERR_UNSUPPORTED) {
        (void)snprintf(why, why_bytes, "`%s` is neither a file nor an https URL", about->from);
    }
    if (err != PDP_ERR_OK) {
        free(it.bytes);
        return err;
    }
    *bytes = it.bytes;
    *len = it.len;
    return PDP_ERR_OK;
}
