#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpctl build, sign and verify: the same bytes from anywhere, who signed, and what is refused.
set -eu
command -v openssl >/dev/null || { echo "no openssl"; exit 77; }
. tests/system/expect.sh
same() {
    checks=$((checks + 1))
    cmp -s "$1" "$2" || { echo "FAIL: $1 and $2 differ"; exit 1; }
}
later=2100-01-01T00:00:00Z

mkdir -p "$work/p/sub"
cat >"$work/p/sub/web.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: web}
rules:
  - {id: a, effect: allow, when: 'subject.id in lists.l && within(now, "Mon-Sun 00:00-23:59", "Europe/Berlin")'}
YAML
cat >"$work/p/list.yml" <<'YAML'
apiVersion: pdp/v1
kind: List
metadata: {name: l}
type: string
file: lists/l.txt
YAML
mkdir "$work/p/lists"
echo alice >"$work/p/lists/l.txt"
for key in a b c; do
    openssl genpkey -algorithm ed25519 -out "$work/$key.pem" 2>/dev/null
    openssl pkey -in "$work/$key.pem" -pubout -out "$work/$key.pub"
    chmod 600 "$work/$key.pem"
done

# ---- build ------------------------------------------------------------------------------------------------
expect 0 "documents  2" "$ctl" build "$work/p" -o "$work/one" --version 7 --expires $later --name web
for what in "name       web" "version    7" "expires    $later" "digest     sha256:" "lists      1" "zones      1" \
    "bytes      $(wc -c <"$work/one")"; do
    checks=$((checks + 1))
    grep -qF -- "$what" "$work/out" || { cat "$work/out"; echo "FAIL: no \`$what\`"; exit 1; }
done
# The snapshot that is told is that of the folder and of the bundle.
snapshot=$(sed -n 's/^snapshot *//p' "$work/out")
expect 0 "$snapshot" "$ctl" check "$work/p"
expect 0 "$snapshot" "$ctl" check "$work/one"
expect 0 "bundle web, version 7, expires $later" "$ctl" check "$work/one"
expect 0 '"bundle":{"name":"web","version":7' "$ctl" check "$work/one" --json

# A rule that means to be served is not left out because of what its file is called; a test with a mistake stops nothing.
printf 'apiVersion: pdp/v1\nkind: Test\nmetadata: {name: t}\ncases: []\n---\n{apiVersion: pdp/v1, kind: Policy}\n' >"$work/p/sub/deny_test.yml"
misnamed='sub/deny_test.yml:6:28: error: a file of tests holds documents of kind `Test`, `Scenario` and `Given` only'
expect 2 "$misnamed" "$ctl" check "$work/p"
expect 2 "$misnamed" "$ctl" build "$work/p" -o "$work/none" --version 7 --expires $later
expect 2 "$misnamed" "$PDP_BIN/pdpd" --check --policies "$work/p"
checks=$((checks + 1))
[ ! -e "$work/none" ] || { echo "FAIL: a bundle was written"; exit 1; }
printf 'apiVersion: pdp/v1\nkind: Polisy\n--- [\n' >"$work/p/sub/deny_test.yml"
expect 0 "$snapshot" "$PDP_BIN/pdpd" --check --policies "$work/p"
rm "$work/p/sub/deny_test.yml"

# From another path, another day, another order of making: the same bytes.
mkdir -p "$work/far/away/q/lists" "$work/far/away/q/sub"
cp "$work/p/list.yml" "$work/far/away/q/"
cp "$work/p/sub/web.yaml" "$work/far/away/q/sub/"
cp "$work/p/lists/l.txt" "$work/far/away/q/lists/"
touch -d 2001-01-01 "$work/far/away/q/list.yml"
chmod 600 "$work/far/away/q/list.yml"
expect 0 "" "$ctl" build "$work/far/away/q/" --output "$work/two" --version=7 --expires 2100-01-01T01:00:00+01:00 --name web
same "$work/one" "$work/two"
(cd "$work/far/away/q" && TZ=Asia/Tokyo LC_ALL=C "$ctl" build . -o "$work/three" --version 7 --expires $later --name web >/dev/null)
same "$work/one" "$work/three"
expect 0 "\"digest\":" "$ctl" build "$work/p" -o "$work/two" --version 8 --expires $later --name web --json
checks=$((checks + 1))
! cmp -s "$work/one" "$work/two" || { echo "FAIL: another version is the same file"; exit 1; }

expect 2 "\`--version N\` is missing" "$ctl" build "$work/p" -o "$work/x" --expires $later
expect 2 "\`--expires T\` is missing" "$ctl" build "$work/p" -o "$work/x" --version 1
expect 2 "\`--output FILE\` is missing" "$ctl" build "$work/p" --version 1 --expires $later
expect 2 "no whole number from 1" "$ctl" build "$work/p" -o "$work/x" --version 0 --expires $later
expect 2 "is no time" "$ctl" build "$work/p" -o "$work/x" --version 1 --expires tomorrow
expect 2 "is no time" "$ctl" build "$work/p" -o "$work/x" --version 1 --expires 2100-01-01T00:00:00.5Z
expect 2 "small letters" "$ctl" build "$work/p" -o "$work/x" --version 1 --expires $later --name Web
expect 0 "this bundle has expired" "$ctl" build "$work/p" -o "$work/old" --version 1 --expires 2001-01-01T00:00:00Z
expect 2 "cannot be written" "$ctl" build "$work/p" -o "$work/none/x" --version 1 --expires $later
mv "$work/p/lists/l.txt" "$work/l.txt"
expect 2 "the file \`lists/l.txt\` of a list cannot be read" "$ctl" build "$work/p" -o "$work/x" --version 1 --expires $later
mv "$work/l.txt" "$work/p/lists/l.txt"
sed -i 's|lists/l.txt|./lists/l.txt|' "$work/p/list.yml"
expect 2 "\`./lists/l.txt\` cannot go into a bundle" "$ctl" build "$work/p" -o "$work/x" --version 1 --expires $later
sed -i 's|./lists/l.txt|lists/l.txt|' "$work/p/list.yml"
sed 's/effect: allow/effect: alow/' "$work/p/sub/web.yaml" >"$work/p/bad.yaml"
expect 2 "bad.yaml:5:" "$ctl" build "$work/p" -o "$work/x" --version 1 --expires $later
rm "$work/p/bad.yaml"
checks=$((checks + 1))
[ ! -e "$work/x" ] || { echo "FAIL: a refused build wrote a file"; exit 1; }

# ---- In the place of a folder -----------------------------------------------------------------------------
printf '{"subject":{"type":"user","id":"alice"},"action":{"name":"GET"},"resource":{"type":"x","id":"x"}}' >"$work/q.json"
expect 0 "allow" "$ctl" eval --policies "$work/one" --request "$work/q.json"
"$ctl" compile --print "$work/p" >"$work/print1"
"$ctl" compile --print "$work/one" >"$work/print2"
same "$work/print1" "$work/print2"
printf '{"at": 1795370000000, "request": %s}\n' "$(cat "$work/q.json")" >"$work/events"
"$ctl" replay --policies "$work/p" --events "$work/events" >"$work/replay1"
"$ctl" replay --policies "$work/one" --events "$work/events" >"$work/replay2"
same "$work/replay1" "$work/replay2"
expect 2 "this is no bundle, at byte 0" "$ctl" check "$work/q.json"

# ---- sign and verify --------------------------------------------------------------------------------------
id=ed25519:$(openssl pkey -pubin -in "$work/a.pub" -outform DER | tail -c 32 | sha256sum | cut -d' ' -f1)
cp "$work/one" "$work/two"
expect 1 "refused: 0 of 1 keys" "$ctl" verify "$work/one" --key "$work/a.pub"
expect 0 "signed by $id" "$ctl" sign "$work/one" --key "$work/a.pem"
cp "$work/one" "$work/three"
expect 0 "was signed by $id already" "$ctl" sign "$work/one" --key "$work/a.pem"
same "$work/one" "$work/three"
expect 0 "signature  $id valid, $work/a.pub" "$ctl" verify "$work/one" --key "$work/a.pub"
expect 1 "$id unknown" "$ctl" verify "$work/one" --key "$work/b.pub"
expect 0 "signed by" "$ctl" sign "$work/one" --key "$work/b.pem"
# The order of signing leaves no trace.
expect 0 "" "$ctl" sign "$work/two" --key "$work/b.pem"
expect 0 "" "$ctl" sign "$work/two" --key "$work/a.pem"
same "$work/one" "$work/two"
expect 0 "good: 2 of 3 keys signed it, 2 must have" "$ctl" verify "$work/one" --key "$work/a.pub" --key "$work/b.pub" --key "$work/c.pub" --threshold 2
expect 1 "refused: 2 of 3 keys signed it, 3 must have" "$ctl" verify "$work/one" --key "$work/a.pub" --key "$work/b.pub" --key "$work/c.pub"
expect 1 '"ok":false' "$ctl" verify "$work/one" --key "$work/a.pub" --key "$work/c.pub" --json
expect 2 "are the same key" "$ctl" verify "$work/one" --key "$work/a.pub" --key "$work/a.pub" --threshold 1
expect 2 "is more than there are keys" "$ctl" verify "$work/one" --key "$work/a.pub" --threshold 2
expect 2 "\`--key PUBFILE\` is missing" "$ctl" verify "$work/one"
expect 2 "this is a private key" "$ctl" verify "$work/one" --key "$work/a.pem"
expect 2 "this is a public key" "$ctl" sign "$work/one" --key "$work/a.pub"
expect 0 "" "$ctl" sign "$work/old" --key "$work/a.pem"
expect 1 "it has expired" "$ctl" verify "$work/old" --key "$work/a.pub"
expect 0 "good" "$ctl" verify "$work/old" --key "$work/a.pub" --now 2000-01-01T00:00:00Z
chmod 644 "$work/c.pem"
expect 0 "others may read the key" "$ctl" sign "$work/one" --key "$work/c.pem"
openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out "$work/locked.pem" 2>/dev/null
expect 2 "is encrypted" "$ctl" sign "$work/one" --key "$work/locked.pem"
openssl genpkey -algorithm x25519 -out "$work/x.pem" 2>/dev/null
chmod 600 "$work/x.pem"
expect 2 "not Ed25519" "$ctl" sign "$work/one" --key "$work/x.pem"

# openssl itself says that the signature is right: 46 bytes are signed.
cp "$work/old" "$work/sig"
digest=$("$ctl" verify "$work/old" --key "$work/a.pub" | sed -n 's/^digest *sha256://p')
printf 'pdp-bundle-v1\0' >"$work/message"
printf '%s' "$digest" | sed 's/../\\x&/g' | xargs -0 printf '%b' >>"$work/message"
tail -c 64 "$work/old" >"$work/sig"
expect 0 "Success" openssl pkeyutl -verify -rawin -pubin -inkey "$work/a.pub" -in "$work/message" -sigfile "$work/sig"

# One byte other than it was.
cp "$work/three" "$work/torn"
printf 'b' | dd of="$work/torn" bs=1 seek=$(($(wc -c <"$work/torn") - 200)) conv=notrunc 2>/dev/null
expect 1 "not valid" "$ctl" verify "$work/torn" --key "$work/a.pub"
head -c 100 "$work/three" >"$work/torn"
expect 2 "is refused at byte 100: the bundle ends too early" "$ctl" verify "$work/torn" --key "$work/a.pub"
expect 2 "is refused at byte 100" "$ctl" sign "$work/torn" --key "$work/a.pem"

echo "$checks checks"
