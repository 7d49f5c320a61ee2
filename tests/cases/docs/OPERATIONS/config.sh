# SPDX-License-Identifier: Apache-2.0
# The configuration of the page passes `pdpd --check`, with its folders moved here and databases made for tests.
perl "$PDP_ROOT/tests/data/make_mmdb.pl" geo city asn >/dev/null
sed -e "s|/etc/pdp/policies|policies/baseline|; s|/var/lib/GeoIP/GeoLite2-City|geo/city|; s|/var/lib/GeoIP/GeoLite2-ASN|geo/asn|" \
    "$BLOCK" >pdpd.yaml
pdpd --check --config pdpd.yaml
