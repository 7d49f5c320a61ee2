#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every folder below tests/cases/configs holds a pdpd.yaml that `pdpd --check` refuses in the words of its expected.txt, to the
# byte. With PDP_ACCEPT set the words are written instead: read them before you commit them.
set -eu
pdpd=$(cd "$PDP_BIN" && pwd)/pdpd
[ -x "$pdpd" ] || { echo "pdpd is not built"; exit 77; }
said=$(mktemp)
trap 'rm -f "$said"' EXIT
checks=0
for folder in tests/cases/configs/*/; do
    got=0
    (cd "$folder" && "$pdpd" --check --config pdpd.yaml) >"$said" 2>&1 || got=$?
    [ "$got" = 2 ] || { cat "$said"; echo "FAIL: $folder: exit $got, not 2"; exit 1; }
    if [ -n "${PDP_ACCEPT:-}" ]; then
        cp "$said" "$folder/expected.txt"
    else
        diff -u "$folder/expected.txt" "$said" || { echo "FAIL: $folder"; exit 1; }
    fi
    checks=$((checks + 1))
done
[ "$checks" -ge 4 ] || { echo "FAIL: only $checks cases"; exit 1; }
echo "$checks configurations refused in the expected words"
