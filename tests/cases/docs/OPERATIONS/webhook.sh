# SPDX-License-Identifier: Apache-2.0
# The configuration of the chapter passes `pdpd --check`, with a key and files made here.
mkdir -p hook
openssl genpkey -algorithm ed25519 -out hook/sign.key
openssl req -x509 -new -key hook/sign.key -subj /CN=pdp.example -days 30 -out hook/pdp.pem
cp hook/pdp.pem hook/idp-ca.pem
cp hook/sign.key hook/pdp.key
echo a-token >hook/token
{
    printf 'policies: policies/baseline\ndecide: ipc:///run/pdp/decide.sock\n'
    sed -e "s|/etc/pdp/webhook|hook|" "$BLOCK"
} >pdpd.yaml
pdpd --check --config pdpd.yaml
