// SPDX-License-Identifier: Apache-2.0
// Addresses and prefixes: what is read prints, and what is printed reads as the same.
#include "base/ip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str text = {(const char *)bytes, len};
    struct ip ip, again;
    struct cidr cidr, cidr_again;
    struct buf out = {0};
    if (ip_parse(text, &ip)) {
        ip_print(&out, &ip);
        check(ip_parse(buf_view(&out), &again) && ip_eq(&ip, &again));
    }
    buf_clear(&out);
    if (cidr_parse(text, true, &cidr)) {
        cidr_print(&out, &cidr);
        check(cidr_parse(buf_view(&out), false, &cidr_again) && cidr_again.bits == cidr.bits &&
              ip_eq(&cidr.base, &cidr_again.base) && cidr_holds(&cidr, &cidr.base));
    }
    buf_fini(&out);
    return 0;
}
