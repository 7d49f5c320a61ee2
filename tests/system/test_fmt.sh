#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpctl fmt: what it writes, what it names, and that nothing is lost where a disk is full.
set -eu
. tests/system/expect.sh
same() { # FILE TEXT
    checks=$((checks + 1))
    printf "$2" >"$work/wanted"
    cmp -s "$1" "$work/wanted" || { echo "FAIL: $1 is not as expected"; diff "$1" "$work/wanted"; exit 1; }
}
says() { # EXIT OUTPUT ERROR COMMAND…: all of standard output, and a line's beginning on standard error
    code=$1 text=$2 wrong=$3
    shift 3
    got=0
    checks=$((checks + 1))
    "$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
    [ "$got" = "$code" ] || { cat "$work/err"; echo "FAIL: $*: exit $got, not $code"; exit 1; }
    [ "$(cat "$work/out")" = "$text" ] || { cat "$work/out"; echo "FAIL: $*: says otherwise"; exit 1; }
    [ -n "$wrong" ] || [ ! -s "$work/err" ] || { cat "$work/err"; echo "FAIL: $*: complains"; exit 1; }
    grep -qF -- "$wrong" "$work/err" || [ -z "$wrong" ] || { cat "$work/err"; echo "FAIL: $*: no \`$wrong\`"; exit 1; }
}
mkdir -p "$work/p/sub/.hidden"
good='a: b\nc:\n  - d # why\n'
mixed='a:  b\nc:\n- d # why\n'
printf "$good" >"$work/p/good.yaml"
printf "$mixed" >"$work/p/one.yaml"
printf "$mixed" >"$work/p/sub/two_test.yml"
printf "$mixed" >"$work/p/sub/notes.txt"
printf "$mixed" >"$work/p/sub/.hidden/three.yaml"
chmod 664 "$work/p/one.yaml"
cd "$work"

says 1 'p/one.yaml
p/sub/two_test.yml' '' fmt --check p
says 0 '--- p/one.yaml
+++ p/one.yaml, formatted
@@ -1,3 +1,3 @@
-a:  b
+a: b
 c:
-- d # why
+  - d # why' '' fmt --diff p/one.yaml
same p/one.yaml "$mixed"
says 0 'p/one.yaml
p/sub/two_test.yml' '' fmt p
same p/one.yaml "$good"
same p/sub/two_test.yml "$good"
same p/sub/notes.txt "$mixed"
same p/sub/.hidden/three.yaml "$mixed"
checks=$((checks + 1))
[ "$(stat -c %a p/one.yaml)" = 664 ] || { echo "FAIL: the mode changed"; exit 1; }
says 0 '' '' fmt p
says 0 '' '' fmt --check p/good.yaml p/one.yaml

# Standard input, and what cannot be done.
checks=$((checks + 1))
[ "$(printf "$mixed" | "$ctl" fmt -)" = "$(printf "$good")" ] || { echo "FAIL: standard input"; exit 1; }
printf 'a: [b\n' >bad.yaml
printf '? a\n: b\n' >odd.yaml
says 2 '' 'bad.yaml:2:1: error: `,` or `]` was expected here' fmt bad.yaml odd.yaml nowhere.yaml
says 2 '' 'pdpctl: `odd.yaml` has a `?` key or an empty document, and is left as it is' fmt bad.yaml odd.yaml nowhere.yaml
says 2 '' 'pdpctl: `nowhere.yaml` cannot be read: No such file or directory' fmt bad.yaml odd.yaml nowhere.yaml
printf "$mixed" >p/one.yaml
says 2 'p/one.yaml' 'bad.yaml:2:1: error' fmt bad.yaml p
same p/one.yaml "$good"

# JSON is YAML too, and would be none any more.
printf '{"a":1}' >q.json
cp q.json q.YAML
for file in q.json q.YAML; do
    says 2 '' "pdpctl: \`$file\` is left as it is: its name does not end in" fmt $file
    says 2 '' "pdpctl: \`$file\` is left as it is: its name does not end in" fmt --check $file
    same $file '{"a":1}'
done

# Line ends stay where all lines have the same; else they are line feeds.
printf 'a:  b\r\nc:\r\n- |\r\n  x\r\n\r\n- d # why\r\n' >both.yaml
says 1 'both.yaml' '' fmt --check both.yaml
says 0 'both.yaml' '' fmt both.yaml
same both.yaml 'a: b\r\nc:\r\n  - |\r\n    x\r\n\r\n  - d # why\r\n'
says 0 '' '' fmt --check both.yaml
printf 'a:  b\r\nc:\n- d # why\r\n' >both.yaml
says 0 'both.yaml' '' fmt both.yaml
same both.yaml "$good"

# A link stays one; the file behind it is formatted.
printf "$mixed" >behind.yaml
ln -s behind.yaml link.yaml
says 0 'link.yaml' '' fmt link.yaml
same behind.yaml "$good"
checks=$((checks + 1))
[ -L link.yaml ] || { echo "FAIL: the link is gone"; exit 1; }

if [ -n "${PDP_DISK_FAILS:-}" ]; then
    printf "$mixed" >p/one.yaml
    printf full >disk
    status=0
    LD_PRELOAD=$PDP_DISK_FAILS DISK_FILES=$(pwd -P)/p DISK_FAILS=$(pwd)/disk "$ctl" fmt p >out 2>err || status=$?
    checks=$((checks + 3))
    [ "$status" = 2 ] || { echo "FAIL: exit $status on a full disk"; exit 1; }
    grep -qxF 'pdpctl: `p/one.yaml` cannot be written, and is as it was: No space left on device' err || { echo "FAIL:"; cat err; exit 1; }
    same p/one.yaml "$mixed"
    [ "$(ls -A p)" = "$(printf "good.yaml\none.yaml\nsub")" ] || { ls -A p; echo "FAIL: a part is left"; exit 1; }
fi
cd /
echo "$checks checks"
