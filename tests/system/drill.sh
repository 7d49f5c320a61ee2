# SPDX-License-Identifier: Apache-2.0
# What the pages of docs/drills run on: a daemon of their own, in the folder in which they are run.
ADMIN="--connect ipc://$PWD/admin.sock"
mkdir -p state
cat >pdpd.yaml <<YAML
policies: $PWD/policies
state: $PWD/state
${geo:+geo: [$PWD/$geo]}
decide:
  - {url: ipc://$PWD/edge-1.sock, name: edge-1}
  - {url: ipc://$PWD/edge-2.sock, name: edge-2}
admin: ipc://$PWD/admin.sock
breaker_share: 20
breaker_least: 2
reload_least: $([ -n "${geo:-}" ] && echo 100 || echo 2)
YAML

# `systemctl restart pdpd`, of this one; it is killed, which is harder.
systemctl() {
    [ -z "${daemon:-}" ] || { kill -9 "$daemon"; wait "$daemon" 2>/dev/null || true; }
    rm -f ./*.sock
    pdpd --config pdpd.yaml >/dev/null 2>>pdpd.log &
    daemon=$!
    tries=0
    until [ -S admin.sock ] && [ -S edge-1.sock ] && [ -S edge-2.sock ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || { cat pdpd.log; return 1; }
        sleep 0.05
    done
}

# ask SUBJECT GATEWAY [SESSION]: what a gateway asks for a user of this session; prints effect, code and rule.
began=$(($(date +%s) - 60))
ask() {
    printf '{"subject": {"type": "user", "id": "%s", "properties": {"roles": ["staff"]}}, "action": {"name": "GET"},
 "resource": {"type": "route", "id": "/a"}, "context": {"session": {"id": "%s", "auth_time": %s, "amr": ["pwd"]},
 "network": {"ip": "203.0.113.7"}}}' "$1" "${3:-$1-1}" "$began" >question.json
    pdpctl decide --connect "ipc://$PWD/$2.sock" --request question.json |
        sed -n '1s/$/:/p; s/^ *\(code\|rule\)  *//p' | paste -sd' ' -
}
systemctl restart pdpd
