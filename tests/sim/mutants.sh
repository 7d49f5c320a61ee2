#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mutants.sh BUILD CC: breaks one source file after the other as tests/sim/mutants/*.sed say, links it with the
# simulation and all else as it was built, and expects the simulation to notice. Line 1 of a mutant names its file.
set -u
build=$1 cc=$2
here=$(dirname "$0")
root=$here/../..
out=$build/sim-mutants
steps=${PDP_MUTANT_STEPS:-4000000}
libs=$(pkg-config --libs yaml-0.1 libpcre2-8 libcrypto libmaxminddb jansson sqlite3 libzstd)
mkdir -p "$out"

floor_of() {
    case $1 in
    pdp/base/*) echo 0 ;;
    pdp/model/* | pdp/conf/* | pdp/seal/*) echo 1 ;;
    pdp/cel/* | pdp/geo/* | pdp/wire/* | pdp/sp/*) echo 2 ;;
    pdp/policy/* | pdp/risk/* | pdp/session/*) echo 3 ;;
    pdp/node/*) echo 5 ;;
    *) echo 4 ;;
    esac
}

# link NAME FILE: the simulation with NAME.o, which stands before its floor, in the place of FILE's own object.
link() {
    objects=
    for floor in 5 4 3 2 1 0; do
        [ "$floor" = "$(floor_of "$2")" ] && objects="$objects $out/$1.o"
        objects="$objects $build/lib/libfloor$floor.a"
    done
    # shellcheck disable=SC2086
    "$cc" -o "$out/$1" "$build"/tests/sim/CMakeFiles/sim_worlds.dir/*.o $objects $libs -lpthread -lm
}

# break_one MUTANT: 0 where it was applied, built, and noticed.
break_one() {
    mutant=$1
    name=$(basename "$mutant" .sed)
    file=$(sed -n '1s/^# //p' "$mutant")
    copy=$out/$name.c
    if ! sed -E -f "$mutant" "$root/$file" >"$copy" || cmp -s "$copy" "$root/$file"; then
        echo "$name: does not apply to $file any more"
        return 1
    fi
    if ! "$cc" -std=gnu11 -O2 -w -D_GNU_SOURCE -DPDP_VERSION='"0"' -ffp-contract=off -fno-strict-aliasing \
        -fno-common -I"$root/pdp" -I"$root/include" -c -o "$out/$name.o" "$copy" || ! link "$name" "$file"; then
        echo "$name: does not build"
        return 1
    fi
    timeout 120 "$out/$name" --steps "$steps" --brief >"$out/$name.log" 2>&1
    ended=$?
    if [ $ended -eq 1 ]; then
        echo "$name: noticed: $(head -n 1 "$out/$name.log")"
        return 0
    fi
    echo "$name: NOT noticed (ended with $ended): $(tail -n 1 "$out/$name.log")"
    return 1
}

wrong=0 count=0
for mutant in "$here"/mutants/${PDP_MUTANT:-*}.sed; do
    break_one "$mutant" || wrong=$((wrong + 1))
    count=$((count + 1))
done
echo "$count mutants, $wrong not noticed"
[ $wrong -eq 0 ] && [ $count -gt 0 ]
