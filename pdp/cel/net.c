// SPDX-License-Identifier: Apache-2.0
// HOT
// Addresses and networks.
#include "cel/frame.h"
#include "cel/lib.h"

// A CIDR value keeps the address as written; its network is that masked. cidr_parse clears the bits below
// the prefix, so the address is read again.
static bool parse_cidr(struct str text, struct cidr *out)
{
    struct str address = str_sub(text, 0, str_find_byte(text, '/', 0));
    struct ip ip;
    if (!cidr_parse(text, true, out) || !ip_parse_unmapped(address, &ip)) {
        return false;
    }
    out->base = ip;
    return true;
}

static struct value of_ip(struct cel_frame *f, const struct ip *ip)
{
    struct value error;
    struct ip *own = frame_alloc(f, sizeof *own, _Alignof(struct ip), &error);
    if (own == NULL) {
        return error;
    }
    *own = *ip;
    return (struct value){.kind = VALUE_IP, .as.ip = own};
}

static struct value of_cidr(struct cel_frame *f, const struct cidr *cidr)
{
    struct value error;
    struct cidr *own = frame_alloc(f, sizeof *own, _Alignof(struct cidr), &error);
    if (own == NULL) {
        return error;
    }
    *own = *cidr;
    return (struct value){.kind = VALUE_CIDR, .as.cidr = own};
}

struct value net_ip(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct ip ip;
    if (args[0].kind == VALUE_IP) {
        return args[0];
    }
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_IP, args, count);
    }
    return ip_parse_unmapped(value_text(&args[0]), &ip) ? of_ip(frame, &ip)
                                                        : frame_error(CEL_ERROR_CONVERT, F_IP);
}

struct value net_cidr(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct cidr cidr;
    if (args[0].kind == VALUE_CIDR) {
        return args[0];
    }
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_CIDR, args, count);
    }
    return parse_cidr(value_text(&args[0]), &cidr) ? of_cidr(frame, &cidr)
                                                   : frame_error(CEL_ERROR_CONVERT, F_CIDR);
}

struct value net_is_ip(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct ip ip;
    (void)frame;
    return args[0].kind == VALUE_STRING ? value_bool(ip_parse_unmapped(value_text(&args[0]), &ip))
                                        : frame_no_overload(F_IS_IP, args, count);
}

struct value net_is_cidr(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct cidr cidr;
    (void)frame;
    return args[0].kind == VALUE_STRING ? value_bool(parse_cidr(value_text(&args[0]), &cidr))
                                        : frame_no_overload(F_IS_CIDR, args, count);
}

struct value net_is_canonical(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct ip ip;
    unsigned char room[64];
    struct buf text = {.at = room, .cap = sizeof room, .limit = sizeof room};
    (void)frame;
    if (args[0].kind != VALUE_STRING) {
        return frame_no_overload(F_IP_CANONICAL, args, count);
    }
    if (!ip_parse_unmapped(value_text(&args[0]), &ip)) {
        return frame_error(CEL_ERROR_CONVERT, F_IP);
    }
    ip_print(&text, &ip);
    return value_bool(str_eq(buf_view(&text), value_text(&args[0])));
}

struct value net_family(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return args[0].kind == VALUE_IP ? value_int(args[0].as.ip->v4 ? 4 : 6)
                                    : frame_no_overload(F_FAMILY, args, count);
}

static bool all_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool is_unspecified(const struct ip *ip)
{
    return ip->v4 ? all_zero(ip->bytes + 12, 4) : all_zero(ip->bytes, 16);
}

static bool is_loopback(const struct ip *ip)
{
    return ip->v4 ? ip->bytes[12] == 127 : all_zero(ip->bytes, 15) && ip->bytes[15] == 1;
}

static bool is_multicast(const struct ip *ip)
{
    return ip->v4 ? (ip->bytes[12] & 0xf0) == 0xe0 : ip->bytes[0] == 0xff;
}

static bool is_link_multicast(const struct ip *ip)
{
    return ip->v4 ? ip->bytes[12] == 224 && ip->bytes[13] == 0 && ip->bytes[14] == 0
                  : ip->bytes[0] == 0xff && (ip->bytes[1] & 0x0f) == 2;
}

static bool is_link_unicast(const struct ip *ip)
{
    return ip->v4 ? ip->bytes[12] == 169 && ip->bytes[13] == 254
                  : ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

static bool is_global_unicast(const struct ip *ip)
{
    bool broadcast = ip->v4 && (ip->bytes[12] & ip->bytes[13] & ip->bytes[14] & ip->bytes[15]) == 0xff;
    return !broadcast && !is_unspecified(ip) && !is_loopback(ip) && !is_multicast(ip) && !is_link_unicast(ip);
}

#define ADDRESS_TEST(name, test, func)                                                   \
    struct value name(struct cel_frame *frame, const struct value *args, uint32_t count) \
    {                                                                                    \
        (void)frame;                                                                     \
        return args[0].kind == VALUE_IP ? value_bool(test(args[0].as.ip))                \
                                        : frame_no_overload(func, args, count);          \
    }
ADDRESS_TEST(net_is_unspecified, is_unspecified, F_UNSPECIFIED)
ADDRESS_TEST(net_is_loopback, is_loopback, F_LOOPBACK)
ADDRESS_TEST(net_is_global_unicast, is_global_unicast, F_GLOBAL_UNICAST)
ADDRESS_TEST(net_is_link_multicast, is_link_multicast, F_LINK_MULTICAST)
ADDRESS_TEST(net_is_link_unicast, is_link_unicast, F_LINK_UNICAST)

struct value net_contains_ip(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct ip ip;
    (void)frame;
    if (args[0].kind != VALUE_CIDR || (args[1].kind != VALUE_IP && args[1].kind != VALUE_STRING)) {
        return frame_no_overload(F_CONTAINS_IP, args, count);
    }
    if (args[1].kind == VALUE_IP) {
        ip = *args[1].as.ip;
    } else if (!ip_parse_unmapped(value_text(&args[1]), &ip)) {
        return frame_error(CEL_ERROR_CONVERT, F_IP);
    }
    struct cidr network = cidr_network(args[0].as.cidr);
    return value_bool(cidr_holds(&network, &ip));
}

struct value net_contains_cidr(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    struct cidr inner;
    (void)frame;
    if (args[0].kind != VALUE_CIDR || (args[1].kind != VALUE_CIDR && args[1].kind != VALUE_STRING)) {
        return frame_no_overload(F_CONTAINS_CIDR, args, count);
    }
    if (args[1].kind == VALUE_CIDR) {
        inner = *args[1].as.cidr;
    } else if (!parse_cidr(value_text(&args[1]), &inner)) {
        return frame_error(CEL_ERROR_CONVERT, F_CIDR);
    }
    struct cidr outer = cidr_network(args[0].as.cidr);
    return value_bool(inner.base.v4 == outer.base.v4 && inner.bits >= outer.bits &&
                      cidr_holds(&outer, &inner.base));
}

struct value net_cidr_ip(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    return args[0].kind == VALUE_CIDR ? of_ip(frame, &args[0].as.cidr->base)
                                      : frame_no_overload(F_CIDR_IP, args, count);
}

struct value net_masked(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    if (args[0].kind != VALUE_CIDR) {
        return frame_no_overload(F_MASKED, args, count);
    }
    struct cidr network = cidr_network(args[0].as.cidr);
    return of_cidr(frame, &network);
}

struct value net_prefix_length(struct cel_frame *frame, const struct value *args, uint32_t count)
{
    (void)frame;
    return args[0].kind == VALUE_CIDR ? value_int(args[0].as.cidr->bits)
                                      : frame_no_overload(F_PREFIX_LENGTH, args, count);
}
