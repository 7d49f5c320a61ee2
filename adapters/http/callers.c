// SPDX-License-Identifier: Apache-2.0
#include "http/callers.h"

#include "common/settings.h"
#include "http/file.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct callers {
    bool open;
    char *file; // NULL: no tokens
    pthread_rwlock_t lock;
    struct tokens tokens;
};

// ---- From settings -----------------------------------------------------------------------------------

static enum pdp_err read_tokens(const char *path, struct tokens *tokens, char why[PDP_ADAPTER_WHY_MAX])
{
    char *bytes = NULL;
    size_t len = 0, line = 0;
    const char *what = "";
    *tokens = (struct tokens){0};
    enum pdp_err err = file_read(path, &bytes, &len);
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, PDP_ADAPTER_WHY_MAX, "`%s` cannot be read: %s", path,
                       err == PDP_ERR_IO ? strerror(errno) : pdp_err_text(err));
        return err;
    }
    err = tokens_parse((struct text){bytes, len}, tokens, &line, &what);
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, PDP_ADAPTER_WHY_MAX, "`%s`, line %zu: %s", path, line,
                       what[0] != '\0' ? what : pdp_err_text(err));
    }
    file_wipe(&bytes, len);
    return err;
}

static bool local(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        return false;
    }
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&address;
        return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&address;
    return address.ss_family == AF_UNIX ||
           (address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr));
}

static enum pdp_err read_open(const struct pdp_adapter_setup *setup, struct callers *callers,
                              struct pdp_adapter_wrong *wrong)
{
    enum pdp_err err = setting_bool(setup, "open", &callers->open, wrong);
    for (size_t i = 0; err == PDP_ERR_OK && callers->open && i < setup->listener_count; i++) {
        if (!local(setup->listeners[i])) {
            return setting_wrong(
                setup, "open", wrong, PDP_ERR_RANGE,
                "`open` is for loopback addresses and unix sockets, and this listens on another: "
                "give `tokens` or `client-ca`, so that callers show who they are");
        }
    }
    return err;
}

enum pdp_err callers_new(const struct pdp_adapter_setup *setup, struct callers **out,
                         struct pdp_adapter_wrong *wrong)
{
    *out = NULL;
    struct callers *callers = calloc(1, sizeof *callers);
    if (callers == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_rwlock_init(&callers->lock, NULL);
    const char *file = setting_text(setup, "tokens");
    enum pdp_err err = read_open(setup, callers, wrong);
    if (err == PDP_ERR_OK && file != NULL) {
        char why[PDP_ADAPTER_WHY_MAX];
        callers->file = strdup(file);
        err = callers->file != NULL ? read_tokens(file, &callers->tokens, why) : PDP_ERR_NOMEM;
        if (err != PDP_ERR_OK && err != PDP_ERR_NOMEM) {
            (void)setting_wrong(setup, "tokens", wrong, err, "%s", why);
        }
    }
    if (err != PDP_ERR_OK) {
        callers_free(&callers);
    }
    *out = callers;
    return err;
}

void callers_free(struct callers **callers_ptr)
{
    struct callers *callers = *callers_ptr;
    *callers_ptr = NULL;
    if (callers != NULL) {
        tokens_fini(&callers->tokens);
        pthread_rwlock_destroy(&callers->lock);
        free(callers->file);
        free(callers);
    }
}

enum pdp_err callers_reload(struct callers *callers, char why[PDP_ADAPTER_WHY_MAX])
{
    struct tokens tokens;
    if (callers->file == NULL) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = read_tokens(callers->file, &tokens, why);
    if (err == PDP_ERR_OK) {
        pthread_rwlock_wrlock(&callers->lock);
        struct tokens was = callers->tokens;
        callers->tokens = tokens;
        pthread_rwlock_unlock(&callers->lock);
        tokens_fini(&was);
    }
    return err;
}

bool callers_none(const struct callers *callers)
{
    return callers->file == NULL && !callers->open;
}

// ---- A request ---------------------------------------------------------------------------------------

// What a request shows: NULL where it shows nothing; empty where what it shows is none.
static struct text shown(const struct http_request *request, const char *header)
{
    bool more = false;
    struct text value = http_header(request, header, &more), token = {0};
    if (value.at == NULL || more) {
        return value.at == NULL ? value : TEXT("");
    }
    if (strcasecmp(header, "Authorization") != 0) {
        return value;
    }
    return tokens_bearer(value, &token) ? token : TEXT("");
}

static void name_is(char name[CALLERS_NAME_MAX + 1], const char *is)
{
    (void)snprintf(name, CALLERS_NAME_MAX + 1, "%s", is); // names are no longer
}

bool callers_know(struct callers *callers, const struct http_request *request, const char *header,
                  char name[CALLERS_NAME_MAX + 1])
{
    name[0] = '\0';
    struct text token = shown(request, header);
    if (token.at != NULL) {
        pthread_rwlock_rdlock(&callers->lock);
        const struct token *found = tokens_find(&callers->tokens, token);
        if (found != NULL) {
            name_is(name, found->name);
        }
        pthread_rwlock_unlock(&callers->lock);
        return found != NULL;
    }
    if (request->certificate != NULL) {
        name_is(name, request->certificate);
        return true;
    }
    return callers->open;
}
