# SPDX-License-Identifier: Apache-2.0
# The configuration of the page passes `pdpd --check`, with its files moved here.
cp -R "$PDP_ROOT/policies" .
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pdp.example.com -keyout http.key -out http.pem 2>/dev/null
printf 'edge-1 sha256:%064d\n' 1 >tokens
sed -e "s|/etc/pdp/|$PWD/|; s|/run/pdp/|$PWD/|" "$BLOCK" >pdpd.yaml
pdpd --check --config pdpd.yaml
