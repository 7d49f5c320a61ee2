# SPDX-License-Identifier: Apache-2.0
# A daemon and its HTTP front on sockets of the scratch folder, in the place of the page's address.
says_ready() {
    tries=0
    until grep -qs event=ready "$1" || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
}
rm -f pdpd.log http.log
echo '{"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}' >question.json
pdpd --policies "$PDP_ROOT/policies/authzen-certification" --decide "ipc://$PWD/pdp.sock" 2>pdpd.log &
pdpd=$!
says_ready pdpd.log
pdp-http --pdp "ipc://$PWD/pdp.sock" --listen "unix:$PWD/http.sock" --open true 2>http.log &
http=$!
trap 'kill $http $pdpd; wait' EXIT
says_ready http.log
curl() {
    command curl --unix-socket http.sock "$@"
    echo
}
