// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/bundles.h"

#include "base/time.h"
#include "daemon/file.h"
#include "engine/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    KEY_BYTES_MAX = 16384
};
static const char FILE_NAME[] = "served-bundle";

struct bundles {
    const struct config *config;
    bool writes;
    int folder; // held open, and locked where `writes`
    char path[4096];
    struct served last;
    pthread_mutex_t lock; // of `yielded`, while something is written
    bool yielded;
};

static void PRINTF_LIKE(2, 3) tell(char why[static BUNDLES_WHY_MAX], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, BUNDLES_WHY_MAX, fmt, args); // a longer text is cut
    va_end(args);
}

// ---- State -----------------------------------------------------------------------------------------

static enum pdp_err folder_take(struct bundles *bundles, char why[static BUNDLES_WHY_MAX])
{
    const char *dir = bundles->config->state;
    bundles->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (bundles->folder < 0) {
        tell(why,
             "the state folder `%s` cannot be opened: %s\n  hint: make it once, for the user that runs "
             "this; on a "
             "disk that survives restarts",
             dir, strerror(errno));
        return PDP_ERR_IO;
    }
    if (bundles->writes && flock(bundles->folder, LOCK_EX | LOCK_NB) != 0) {
        tell(why, "the state folder `%s` is in use: %s\n  hint: each pdpd has a state folder of its own", dir,
             errno == EWOULDBLOCK ? "another process holds it" : strerror(errno));
        return PDP_ERR_BUSY;
    }
    return PDP_ERR_OK;
}

static enum pdp_err state_read(struct bundles *bundles, char why[static BUNDLES_WHY_MAX])
{
    AUTO(buf_fini) struct buf text = {0};
    const char *said = "it is not what was written";
    enum pdp_err err = file_take(bundles->path, SERVED_BYTES_MAX, &text, NULL, &said);
    if (err == PDP_ERR_MISSING) {
        return PDP_ERR_OK;
    }
    if (err == PDP_ERR_OK) {
        err = served_read(buf_view(&text), &bundles->last);
    }
    if (err != PDP_ERR_OK) {
        tell(why,
             "`%s`, which remembers what was served last, is refused: %s\n  hint: find out why. Bring it "
             "back from a "
             "copy; or, only if every older bundle may be served again, delete it",
             bundles->path, said);
    }
    return err;
}

enum pdp_err bundles_open(const struct config *config, bool writes, struct bundles **out,
                          char why[static BUNDLES_WHY_MAX])
{
    *out = NULL;
    tell(why, "memory is out");
    AUTO(bundles_close) struct bundles *bundles = calloc(1, sizeof *bundles);
    if (bundles == NULL) {
        return PDP_ERR_NOMEM;
    }
    pthread_mutex_init(&bundles->lock, NULL);
    bundles->config = config;
    bundles->writes = writes;
    bundles->folder = -1;
    int len = snprintf(bundles->path, sizeof bundles->path, "%s/%s", config->state, FILE_NAME);
    if (len < 0 || (size_t)len >= sizeof bundles->path) {
        tell(why, "the name of the state folder is too long");
        return PDP_ERR_LIMIT;
    }
    TRY(folder_take(bundles, why));
    TRY(state_read(bundles, why));
    *out = STEAL(bundles);
    return PDP_ERR_OK;
}

void bundles_close(struct bundles **bundles_ptr)
{
    struct bundles *bundles = STEAL(*bundles_ptr);
    if (bundles != NULL) {
        if (bundles->folder >= 0) {
            (void)close(bundles->folder); // and gives the lock back
        }
        pthread_mutex_destroy(&bundles->lock);
        free(bundles);
    }
}

bool bundles_first(const struct bundles *bundles)
{
    return !bundles->last.known;
}

void bundles_yield(struct bundles *bundles)
{
    pthread_mutex_lock(&bundles->lock);
    bundles->yielded = true;
    pthread_mutex_unlock(&bundles->lock);
    (void)flock(bundles->folder, LOCK_UN);
}

enum pdp_err bundles_regain(struct bundles *bundles)
{
    if (flock(bundles->folder, LOCK_EX | LOCK_NB) != 0) {
        return PDP_ERR_BUSY;
    }
    pthread_mutex_lock(&bundles->lock);
    bundles->yielded = false;
    pthread_mutex_unlock(&bundles->lock);
    return PDP_ERR_OK;
}

static enum served_refusal remember(struct bundles *bundles, const struct bundle *bundle,
                                    char why[static BUNDLES_WHY_MAX])
{
    struct served next = served_of(bundle);
    const struct served *last = &bundles->last;
    if (!bundles->writes || (last->known && last->version == next.version)) {
        return SERVED_NONE;
    }
    AUTO(buf_fini) struct buf text = {0};
    const char *said = "memory is out";
    if (served_write(&next, &text) != PDP_ERR_OK ||
        file_replace(bundles->path, buf_view(&text), 0600, &said) != PDP_ERR_OK) {
        tell(why, "`%s` cannot be written: %s\n  hint: %s", bundles->path, said,
             "what is not remembered is not served; make room, or let the user that runs this write there");
        return SERVED_STATE;
    }
    bundles->last = next;
    return SERVED_NONE;
}

enum served_refusal bundles_remember(struct bundles *bundles, const struct bundle *bundle,
                                     char why[static BUNDLES_WHY_MAX])
{
    enum served_refusal refusal = SERVED_STATE;
    pthread_mutex_lock(&bundles->lock);
    if (bundles->yielded) {
        tell(why, "another pdpd takes over\n  hint: ask that one");
    } else {
        refusal = remember(bundles, bundle, why);
    }
    pthread_mutex_unlock(&bundles->lock);
    return refusal;
}

// ---- Signatures ------------------------------------------------------------------------------------

static bool keys_take(const struct bundles *bundles, struct sign_key *keys, char why[static BUNDLES_WHY_MAX])
{
    for (size_t i = 0; i < bundles->config->bundle_key_count; i++) {
        AUTO(buf_fini) struct buf pem = {0};
        const char *path = bundles->config->bundle_keys[i], *said = "";
        enum pdp_err err = file_take(path, KEY_BYTES_MAX, &pem, NULL, &said);
        if (err == PDP_ERR_OK) {
            err = sign_key_read(buf_view(&pem), &keys[i], &said);
        }
        if (err != PDP_ERR_OK) {
            tell(why, "the key `%s` cannot be used: %s\n  hint: %s", path, said,
                 "`openssl pkey -in KEY.pem -pubout -out KEY.pub` makes one");
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (memcmp(keys[k].id, keys[i].id, sizeof keys[k].id) == 0) {
                tell(why, "`%s` and `%s` are the same key\n  hint: give each key once",
                     bundles->config->bundle_keys[k], path);
                return false;
            }
        }
    }
    return true;
}

static void note_signers(const struct bundle *bundle, const enum sign_state *states,
                         struct bundle_facts *facts)
{
    for (size_t i = 0; i < bundle->signature_count; i++) {
        if (states[i] == SIGN_VALID) {
            AUTO(buf_fini) struct buf id = {0};
            bundle_hex(bundle->signatures[i].key_id, &id);
            snprintf(facts->signers[facts->signer_count++], BUNDLES_SIGNER_MAX, "ed25519:" STR_FMT,
                     STR_ARG(buf_view(&id)));
        }
    }
}

static enum served_refusal judge_signatures(const struct bundles *bundles, const struct bundle *bundle,
                                            struct bundle_facts *facts, char why[static BUNDLES_WHY_MAX])
{
    const struct config *config = bundles->config;
    struct sign_key keys[CONFIG_KEYS_MAX];
    enum sign_state states[BUNDLE_SIGNATURES_MAX];
    if (config->bundle_unsigned) {
        return SERVED_NONE;
    }
    if (!keys_take(bundles, keys, why)) {
        return SERVED_KEYS;
    }
    size_t valid = sign_verify(bundle, keys, config->bundle_key_count, states);
    size_t wanted =
        config->bundle_threshold > 0 ? (size_t)config->bundle_threshold : config->bundle_key_count;
    note_signers(bundle, states, facts);
    if (valid >= wanted && wanted > 0) {
        return SERVED_NONE;
    }
    tell(why,
         "%zu of %zu keys signed it, and %zu must have\n  hint: `pdpctl verify` tells who signed it, "
         "`pdpctl sign` "
         "adds a signature",
         valid, config->bundle_key_count, wanted);
    return SERVED_SIGNATURES;
}

// ---- Judging ---------------------------------------------------------------------------------------

static void note(const struct bundle *bundle, struct bundle_facts *facts)
{
    *facts = (struct bundle_facts){.version = bundle->version, .expires_s = bundle->expires_s};
    memcpy(facts->name, bundle->name.at, bundle->name.len);
    packed_digest(bundle, facts->digest);
}

static void say(const struct bundles *bundles, const struct bundle *bundle, enum served_refusal refusal,
                char why[static BUNDLES_WHY_MAX])
{
    const struct served *last = &bundles->last;
    AUTO(buf_fini) struct buf expires = {0};
    time_print(&expires, bundle->expires_s, 0);
    switch (refusal) {
    case SERVED_EXPIRED:
        tell(why, "it has expired at " STR_FMT "\n  hint: build it anew with a higher version",
             STR_ARG(buf_view(&expires)));
        break;
    case SERVED_NAME:
        tell(why, "its name is `" STR_FMT "`, and `%s` was served here before\n  hint: %s `%s`",
             STR_ARG(bundle->name), last->name,
             "another name is another line of versions: build it with `--name`", last->name);
        break;
    case SERVED_ROLLBACK:
        tell(why,
             "its version is %" PRId64 ", and version %" PRId64
             " was served before\n  hint: to go back, build what "
             "was then with a higher version",
             bundle->version, last->version);
        break;
    default:
        tell(why, "%s\n  hint: a version means one content: build it anew with a higher version",
             served_refusal_text(refusal));
    }
}

enum served_refusal bundles_judge(struct bundles *bundles, const struct bundle *bundle, int64_t now_s,
                                  struct bundle_facts *facts, char why[static BUNDLES_WHY_MAX])
{
    note(bundle, facts);
    why[0] = '\0';
    // Signatures first: of what nobody known has signed, nothing else is worth looking at.
    enum served_refusal refusal = judge_signatures(bundles, bundle, facts, why);
    if (refusal != SERVED_NONE) {
        return refusal;
    }
    refusal = served_judge(&bundles->last, bundle, now_s);
    if (refusal != SERVED_NONE) {
        say(bundles, bundle, refusal, why);
    }
    return refusal;
}

enum served_refusal bundles_judge_again(struct bundles *bundles, const struct bundle *bundle, int64_t now_s,
                                        struct bundle_facts *facts, char why[static BUNDLES_WHY_MAX])
{
    enum served_refusal refusal = bundles_judge(bundles, bundle, now_s, facts, why);
    if (refusal != SERVED_ROLLBACK) { // all else is asked before a version is
        return refusal;
    }
    why[0] = '\0';
    return SERVED_NONE;
}
