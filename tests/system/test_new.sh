#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pdpctl new: what it begins is good, formatted and tested; it writes over nothing, and leaves no part behind.
set -eu
. tests/system/expect.sh
root=$PWD
for template in web api admin; do
    expect 0 "next: pdpctl test $work/$template" "$ctl" new "$work/$template" --template $template
    expect 0 "good: " "$ctl" check "$work/$template"
    ! grep -q warning "$work/out" || { cat "$work/out"; echo "FAIL: warnings of $template"; exit 1; }
    checks=$((checks + 1))
    "$ctl" fmt --check "$work/$template" || { echo "FAIL: $template is not formatted"; exit 1; }
    expect 0 "no finding" "$ctl" lint "$work/$template"
    expect 0 "rules       " "$ctl" test "$work/$template" --coverage
    checks=$((checks + 1))
    [ "$(grep -c '100.0 %' "$work/out")" = 2 ] || { cat "$work/out"; echo "FAIL: the tests of $template leave something out"; exit 1; }
    expect 0 " noticed" "$ctl" test "$work/$template" --mutate
    checks=$((checks + 1))
    diff -r "$root/policies/templates/$template" "$work/$template" || { echo "FAIL: $template is not what the repository has"; exit 1; }
done
expect 0 "$work/plain/web.yaml" "$ctl" new "$work/plain/"

expect 2 "pdpctl: \`$work/web\` is no empty folder, and is left as it is" "$ctl" new "$work/web"
expect 2 "  hint: name a folder that is not there yet, or an empty one" "$ctl" new "$work/web"
expect 2 'pdpctl: there is no template `wob`' "$ctl" new "$work/x" --template wob
expect 2 '  hint: there are `admin`, `api` and `web`' "$ctl" new "$work/x" --template wob
expect 2 "pdpctl: \`$work/x/y\` cannot be made: No such file or directory" "$ctl" new "$work/x/y"
touch "$work/file"
expect 2 "\`$work/file\` is no empty folder" "$ctl" new "$work/file"
expect 2 'pdpctl: `new` takes no flag `-x`' "$ctl" new -x
expect 2 '  hint: a name that begins with `-` goes behind `--`' "$ctl" new -x
checks=$((checks + 1))
[ ! -e ./-x ] || { echo "FAIL: a folder -x is made"; exit 1; }
cd "$work"
ctl=$(cd "$root" && readlink -f "$ctl")
expect 0 "next: pdpctl test -- -x" "$ctl" new -- -x
expect 0 "passed in 6 documents" "$ctl" test -- -x
expect 0 "next: pdpctl test 'a b'" "$ctl" new 'a b'
expect 0 "next: pdpctl test 'it'\\''s'" "$ctl" new "it's"
expect 0 "begin a policy folder" "$ctl" new --help -- x
cd "$root"
mkdir "$work/empty"
expect 0 "next: " "$ctl" new "$work/empty"

if [ -n "${PDP_DISK_FAILS:-}" ]; then
    printf full >"$work/disk"
    export DISK_FILES="$work/full" DISK_FAILS="$work/disk"
    expect 2 "cannot be written: No space left on device" env LD_PRELOAD="$PDP_DISK_FAILS" "$ctl" new "$work/full"
    checks=$((checks + 1))
    [ ! -e "$work/full" ] || { ls "$work/full"; echo "FAIL: a part is left"; exit 1; }
fi
echo "$checks checks"
