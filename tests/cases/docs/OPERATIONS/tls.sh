# SPDX-License-Identifier: Apache-2.0
# The configuration of the chapter passes `pdpd --check`, with certificates made here.
mkdir -p tls
make_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "tls/$1" 2>/dev/null; }
make_key ca.key && make_key pdp.key
openssl req -x509 -new -key tls/ca.key -subj /CN=ca -days 30 -out tls/gateways.pem
openssl req -x509 -new -key tls/pdp.key -subj /CN=pdp.example -days 30 -out tls/pdp.pem
printf '[ca]\ndefault_ca = it\n[it]\ndatabase = tls/index\ndefault_md = sha256\n' >tls/ca.cnf
: >tls/index
openssl ca -config tls/ca.cnf -gencrl -crldays 30 -keyfile tls/ca.key -cert tls/gateways.pem -out tls/gateways.crl 2>/dev/null
sed -e "s|/etc/pdp/policies|policies/baseline|; s|/etc/pdp/tls|tls|" "$BLOCK" >pdpd.yaml
pdpd --check --config pdpd.yaml
