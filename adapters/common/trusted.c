// SPDX-License-Identifier: Apache-2.0
#include "common/trusted.h"

#include "common/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define ENTRY_BYTES_MOST 64
#define MAPPED_BITS 96

struct network {
    unsigned char address[16]; // IPv4 as `::ffff:…`
    unsigned bits;
};

struct trusted {
    bool unix_sockets;
    size_t count;
    struct network networks[];
};

static bool read_address(const char *text, unsigned char out[16], bool *v4)
{
    static const unsigned char MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(out, MAPPED, sizeof MAPPED);
    *v4 = inet_pton(AF_INET, text, out + 12) == 1;
    return *v4 || inet_pton(AF_INET6, text, out) == 1;
}

static bool read_network(const char *text, struct network *out)
{
    char address[ENTRY_BYTES_MOST];
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    bool v4 = false;
    if (len >= sizeof address) {
        return false;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    if (!read_address(address, out->address, &v4)) {
        return false;
    }
    unsigned most = v4 ? 32 : 128;
    out->bits = most;
    if (slash != NULL) {
        char *end = NULL;
        unsigned long bits = slash[1] >= '0' && slash[1] <= '9' ? strtoul(slash + 1, &end, 10) : 129;
        if (end == NULL || *end != '\0' || bits > most) {
            return false;
        }
        out->bits = (unsigned)bits;
    }
    out->bits += v4 ? MAPPED_BITS : 0;
    return true;
}

static bool holds(const struct network *network, const unsigned char address[16])
{
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8, mask = rest > 0 ? 0xffU << (8 - rest) & 0xffU : 0;
    return memcmp(network->address, address, whole) == 0 &&
           (rest == 0 || ((network->address[whole] ^ address[whole]) & mask) == 0);
}

static enum pdp_err add(struct trusted *trusted, const char *text)
{
    if (strcmp(text, "unix") == 0) {
        trusted->unix_sockets = true;
        return PDP_ERR_OK;
    }
    return read_network(text, &trusted->networks[trusted->count]) ? (trusted->count++, PDP_ERR_OK)
                                                                  : PDP_ERR_SYNTAX;
}

enum pdp_err trusted_new(const struct pdp_adapter_setup *setup, struct trusted **trusted,
                         struct pdp_adapter_wrong *wrong)
{
    static const char *const HERE[] = {"unix", "127.0.0.0/8", "::1"};
    struct trusted *made =
        calloc(1, sizeof *made + (setup->setting_count + COUNT_OF(HERE)) * sizeof(struct network));
    *trusted = NULL;
    if (made == NULL) {
        return setting_wrong(setup, NULL, wrong, PDP_ERR_NOMEM, "out of memory");
    }
    bool said = false;
    size_t at = 0;
    enum pdp_err err = PDP_ERR_OK;
    for (const char *text = setting_next(setup, "trusted", &at); text != NULL && err == PDP_ERR_OK;
         text = setting_next(setup, "trusted", &at)) {
        said = true;
        err = add(made, text);
        if (err != PDP_ERR_OK) {
            err = setting_wrong(
                setup, "trusted", wrong, err,
                "`%.100s` is neither an address nor a network such as `10.0.0.0/8`, nor `unix`", text);
        }
    }
    for (size_t i = 0; !said && err == PDP_ERR_OK && i < COUNT_OF(HERE); i++) {
        err = add(made, HERE[i]);
    }
    if (err != PDP_ERR_OK) {
        free(made);
        return err;
    }
    *trusted = made;
    return PDP_ERR_OK;
}

void trusted_free(struct trusted **trusted)
{
    if (trusted != NULL) {
        free(*trusted);
        *trusted = NULL;
    }
}

bool trusted_is(const struct trusted *trusted, const char *peer)
{
    unsigned char address[16];
    bool v4 = false, found = false;
    if (peer == NULL || peer[0] == '\0') {
        return peer != NULL && trusted->unix_sockets;
    }
    if (!read_address(peer, address, &v4)) {
        return false;
    }
    for (size_t i = 0; i < trusted->count; i++) {
        found = found || holds(&trusted->networks[i], address);
    }
    return found;
}
