// SPDX-License-Identifier: Apache-2.0
#include "unit/cel/lab.h"

static const struct lab_constant CASES[] = {
    {"ip('10.0.0.1') in [ip('10.0.0.1')]", "true"},
    {"cidr('10.0.0.0/8').containsIP(ip('11.0.0.0'))", "false"},
    {"cidr('0.0.0.0/0').containsIP('::1')", "false"},
    {"cidr('::/0').containsIP('10.0.0.1')", "false"},
    {"cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')", "false"},
    {"cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", "true"},
    {"cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", "true"},
    {"cidr('10.1.2.3/8') == cidr('10.0.0.0/8')", "false"},
    {"string(cidr('10.1.2.3/8').ip())", "\"10.1.2.3\""},
    {"cidr('2001:db8::/32').prefixLength()", "32"},
    {"isIP('::ffff:10.0.0.1')", "false"},
    {"isIP('010.0.0.1')", "false"},
    {"isCIDR('10.0.0.0/33')", "false"},
    {"isCIDR('10.0.0.0')", "false"},
    {"ip('169.254.0.1').isLinkLocalUnicast()", "true"},
    {"ip('255.255.255.255').isGlobalUnicast()", "false"},
    {"ip('ff02::1').isLinkLocalMulticast()", "true"},
    {"ip('::').isUnspecified()", "true"},
    {"ip('::1').family()", "6"},
    {"ip.isCanonical('::0')", "false"},
    {"ip('10.0.0' + '.300')", CONVERT},
};

Test(cel_net, gives)
{
    lab_constants(CASES, COUNT_OF(CASES));
}
