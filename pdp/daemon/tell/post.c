// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/post.h"

#include "base/num.h"
#include "daemon/clock.h"
#include "daemon/file.h"
#include "daemon/tell/jwt.h"
#include "daemon/tell/set.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FILE_MOST = 65536,
    TOKEN_MOST = 8192,
    SAID_MOST = 160, // bytes of an answer that are told to people
    ANSWER_MOST = 65536
};
static const int64_t HURRY_MS = 500;

struct post {
    const struct config_webhook *config;
    CURL *curl;
    _Atomic int64_t until_ms; // steady: what hangs is given up; INT64_MAX: at its own time
    struct buf token, header;
    struct buf said; // what the receiver answered, cut
    size_t said_bytes;
    char error[CURL_ERROR_SIZE];
};

// ---- Files -------------------------------------------------------------------------------------------

static enum pdp_err secret_take(const char *path, struct buf *out, char why[static POST_WHY_MAX])
{
    const char *words = "";
    enum pdp_err err = file_take(path, FILE_MOST, out, NULL, &words);
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, POST_WHY_MAX, "`%.150s` cannot be read: %.100s", path, words);
    }
    return err;
}

static void secret_fini(struct buf *secret)
{
    if (secret->at != NULL) {
        explicit_bzero(secret->at, secret->cap);
    }
    buf_fini(secret);
}

static enum pdp_err key_take(const struct config_webhook *config, struct jwt_key **out,
                             char why[static POST_WHY_MAX])
{
    const char *words = "";
    struct buf pem = {0};
    *out = NULL;
    enum pdp_err err = secret_take(config->key, &pem, why);
    if (err == PDP_ERR_OK) {
        err = jwt_key_read(buf_view(&pem), out, &words);
        if (err != PDP_ERR_OK) {
            (void)snprintf(why, POST_WHY_MAX, "`%.150s` %.100s", config->key, words);
        }
    }
    secret_fini(&pem);
    return err;
}

// Printable, so that no line of a header can end within it.
static bool is_token(struct str token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.at[i] <= ' ' || token.at[i] >= 0x7f) {
            return false;
        }
    }
    return token.len > 0 && token.len <= TOKEN_MOST;
}

static enum pdp_err header_make(struct post *post, char why[static POST_WHY_MAX])
{
    struct buf file = {0};
    buf_clear(&post->header);
    if (post->config->token == NULL) {
        return PDP_ERR_OK;
    }
    enum pdp_err err = secret_take(post->config->token, &file, why);
    struct str token = str_trim(buf_view(&file));
    if (err == PDP_ERR_OK && !is_token(token)) {
        (void)snprintf(why, POST_WHY_MAX, "`%.200s` holds no token of printable signs", post->config->token);
        err = PDP_ERR_SYNTAX;
    }
    if (err == PDP_ERR_OK) {
        buf_str(&post->header, STR("Authorization: Bearer "));
        buf_str(&post->header, token);
        buf_byte(&post->header, '\0');
        err = post->header.failed ? PDP_ERR_NOMEM : PDP_ERR_OK;
    }
    secret_fini(&file);
    return err;
}

static enum pdp_err token_make(struct post *post, struct str claims, char why[static POST_WHY_MAX])
{
    AUTO(jwt_key_free) struct jwt_key *key = NULL;
    const struct config_webhook *config = post->config;
    TRY(key_take(config, &key, why));
    struct str name = str_of(config->key_id != NULL ? config->key_id : jwt_key_name(key));
    buf_clear(&post->token);
    enum pdp_err err = jwt_sign(key, STR(SET_TYPE), name, claims, &post->token);
    if (err != PDP_ERR_OK) {
        (void)snprintf(why, POST_WHY_MAX, "a token could not be signed");
    }
    return err;
}

// ---- libcurl -----------------------------------------------------------------------------------------

static size_t on_answer(char *at, size_t size, size_t count, void *user)
{
    struct post *post = user;
    size_t len = size * count, room = SAID_MOST - post->said.len;
    buf_str(&post->said, (struct str){at, len < room ? len : room});
    post->said_bytes += len;
    return post->said_bytes <= ANSWER_MOST ? len : 0; // 0: enough
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct post *post = user;
    (void)a, (void)b, (void)c, (void)d;
    return clock_now().steady_ms >= atomic_load_explicit(&post->until_ms, memory_order_relaxed);
}

static bool set_up(struct post *post)
{
    CURL *curl = post->curl;
    const struct config_webhook *config = post->config;
    bool ok = curl_easy_setopt(curl, CURLOPT_URL, config->url) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK && // whatever the environment says
              curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)config->timeout_ms) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->error) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_WRITEDATA, post) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_XFERINFODATA, post) == CURLE_OK;
    if (ok && config->ca != NULL) {
        ok = curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK;
    }
    if (ok && config->cert != NULL) {
        ok = curl_easy_setopt(curl, CURLOPT_SSLCERT, config->cert) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_SSLKEY, config->cert_key) == CURLE_OK;
    }
    return ok;
}

static struct curl_slist *headers_make(const struct post *post)
{
    const char *const lines[] = {"Content-Type: application/secevent+jwt", "Accept: application/json",
                                 "Expect:", post->header.len > 0 ? (const char *)post->header.at : NULL};
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct curl_slist *longer = lines[i] != NULL ? curl_slist_append(list, lines[i]) : list;
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static enum post_result judge(struct post *post, CURLcode code, char why[static POST_WHY_MAX])
{
    long status = 0;
    (void)curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        (void)snprintf(why, POST_WHY_MAX, "no answer: %.200s",
                       post->error[0] != '\0' ? post->error : curl_easy_strerror(code));
        return POST_FAILED;
    }
    if (status >= 200 && status < 300) {
        return POST_TAKEN;
    }
    (void)snprintf(why, POST_WHY_MAX, "it answered %ld: " STR_FMT, status, STR_ARG(buf_view(&post->said)));
    return status >= 400 && status < 500 ? POST_REFUSED : POST_FAILED;
}

enum post_result post_send(struct post *post, struct str claims, char why[static POST_WHY_MAX])
{
    why[0] = post->error[0] = '\0';
    buf_clear(&post->said);
    post->said_bytes = 0;
    if (token_make(post, claims, why) != PDP_ERR_OK || header_make(post, why) != PDP_ERR_OK) {
        return POST_FAILED;
    }
    struct curl_slist *headers = headers_make(post);
    CURL *curl = post->curl;
    bool ready = headers != NULL && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)post->token.len) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)post->token.at) == CURLE_OK;
    CURLcode code = ready ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
    enum post_result result = judge(post, code, why);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (post->header.at != NULL) { // with a token
        explicit_bzero(post->header.at, post->header.cap);
    }
    return result;
}

void post_hurry(struct post *post)
{
    atomic_store(&post->until_ms, num_add_sat(clock_now().steady_ms, HURRY_MS));
}

void post_calm(struct post *post)
{
    atomic_store(&post->until_ms, INT64_MAX);
}

// ---- Set-up ------------------------------------------------------------------------------------------

static enum pdp_err files_try(struct post *post, char why[static POST_WHY_MAX])
{
    const struct config_webhook *config = post->config;
    const char *const paths[] = {config->ca, config->cert, config->cert_key};
    AUTO(jwt_key_free) struct jwt_key *key = NULL;
    TRY(key_take(config, &key, why));
    TRY(header_make(post, why));
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        if (paths[i] != NULL && access(paths[i], R_OK) != 0) {
            (void)snprintf(why, POST_WHY_MAX, "`%.200s` cannot be read", paths[i]);
            return PDP_ERR_IO;
        }
    }
    return PDP_ERR_OK;
}

enum pdp_err post_new(const struct config_webhook *config, struct post **out, char why[static POST_WHY_MAX])
{
    *out = NULL;
    why[0] = '\0';
    AUTO(post_free) struct post *post = calloc(1, sizeof *post);
    if (post == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return PDP_ERR_NOMEM;
    }
    post->config = config;
    post_calm(post);
    TRY(files_try(post, why));
    post->curl = curl_easy_init();
    if (post->curl == NULL || !set_up(post)) {
        (void)snprintf(why, POST_WHY_MAX, "`%.200s` cannot be sent to", config->url);
        return PDP_ERR_UNSUPPORTED;
    }
    *out = STEAL(post);
    return PDP_ERR_OK;
}

void post_free(struct post **post_ptr)
{
    struct post *post = STEAL(*post_ptr);
    if (post != NULL) {
        curl_easy_cleanup(post->curl);
        buf_fini(&post->token);
        secret_fini(&post->header);
        buf_fini(&post->said);
        free(post);
    }
}
