// SPDX-License-Identifier: Apache-2.0
#include "daemon/config/url.h"

static enum pdp_err fail(const char **why, const char *what, enum pdp_err err)
{
    *why = what;
    return err;
}

static enum pdp_err path_parse(struct str path, struct url *out, const char **why)
{
    if (path.len == 0 || path.at[0] != '/') {
        return fail(why,
                    "an ipc address is `ipc://` and an absolute path, such as `ipc:///run/pdp/decide.ipc`",
                    PDP_ERR_MALFORMED);
    }
    if (path.len > URL_PATH_MAX) {
        return fail(why, "the path of a socket is at most 107 bytes", PDP_ERR_RANGE);
    }
    if (memchr(path.at, 0, path.len) != NULL) {
        return fail(why, "the path holds a NUL byte", PDP_ERR_MALFORMED);
    }
    memcpy(out->path, path.at, path.len);
    out->transport = SP_IPC;
    return PDP_ERR_OK;
}

static bool host_parse(struct str host, struct ip *out)
{
    if (str_eq(host, STR("localhost"))) {
        return ip_parse(STR("127.0.0.1"), out);
    }
    if (str_eq(host, STR("*"))) {
        return ip_parse(STR("0.0.0.0"), out);
    }
    if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']') {
        return ip_parse(str_sub(host, 1, host.len - 2), out) && !out->v4;
    }
    return ip_parse(host, out) && out->v4;
}

static enum pdp_err host_port_parse(struct str rest, struct url *out, const char **why)
{
    size_t colon = rest.len;
    while (colon > 0 && rest.at[colon - 1] != ':') {
        colon--;
    }
    uint64_t port = 0;
    if (colon == 0 || !str_to_u64(str_sub(rest, colon, rest.len), &port) || port > UINT16_MAX) {
        return fail(why, "a tcp address ends with a port from 0 to 65535, such as `tcp://127.0.0.1:7700`",
                    PDP_ERR_MALFORMED);
    }
    if (!host_parse(str_sub(rest, 0, colon - 1), &out->ip)) {
        return fail(why, "the host is `localhost`, `*`, an IPv4 address or an IPv6 address in brackets",
                    PDP_ERR_MALFORMED);
    }
    out->port = (uint16_t)port;
    out->transport = SP_TCP;
    return PDP_ERR_OK;
}

enum pdp_err url_parse(struct str text, struct url *out, const char **why)
{
    *out = (struct url){0};
    *why = "";
    if (str_starts(text, STR("ipc://"))) {
        return path_parse(str_sub(text, 6, text.len), out, why);
    }
    if (str_starts(text, STR("tcp://"))) {
        return host_port_parse(str_sub(text, 6, text.len), out, why);
    }
    if (str_starts(text, STR("tls+tcp://"))) {
        out->tls = true;
        return host_port_parse(str_sub(text, 10, text.len), out, why);
    }
    return fail(why, "an address begins with `ipc://`, `tcp://` or `tls+tcp://`", PDP_ERR_UNSUPPORTED);
}

void url_print(const struct url *url, struct buf *out)
{
    if (url->transport == SP_IPC) {
        buf_printf(out, "ipc://%s", url->path);
        return;
    }
    buf_printf(out, "%stcp://%s", url->tls ? "tls+" : "", url->ip.v4 ? "" : "[");
    ip_print(out, &url->ip);
    buf_printf(out, "%s:%u", url->ip.v4 ? "" : "]", url->port);
}

bool url_is_loopback(const struct url *url)
{
    if (url->transport == SP_IPC) {
        return true;
    }
    static const uint8_t ONE[16] = {[15] = 1};
    return url->ip.v4 ? url->ip.bytes[12] == 127 : memcmp(url->ip.bytes, ONE, sizeof ONE) == 0;
}
