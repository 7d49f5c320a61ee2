#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An outsider's view: install into a prefix, compile the examples with pkg-config and with CMake, run them.
set -eu
build=$(dirname "$PDP_BIN")
source=$PWD
library=$build/lib/libpdp.so
[ -e "$library" ] && [ -e "$build/lib/libpdp-engine.so" ] || { echo "the shared libraries are not built"; exit 77; }
if nm -D "$library" | grep -qE '__(asan|ubsan|tsan|gcov)'; then
    echo "skipped: a sanitized library cannot be linked by an ordinary program"
    exit 77
fi
work=$(mktemp -d)
daemon=
clean() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
fail() {
    echo "FAIL: $*"
    exit 1
}

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "install"; }
grep -qF "ExecStart=$work/prefix/bin/pdpd " "$work/prefix/lib/systemd/system/pdpd.service" || fail "the unit starts another pdpd"
for file in share/pdp/policies/baseline/guards.yaml share/pdp/policies/scenarios/carrier-nat.yaml share/doc/pdp/LICENSE share/doc/pdp/docs/POLICY.md share/man/man8/pdpd.8; do
    [ -s "$work/prefix/$file" ] || fail "$file is not installed"
done
"$work/prefix/bin/pdpctl" check "$work/prefix/share/pdp/policies/baseline" >/dev/null || fail "the installed policies are refused"
pc=$(dirname "$(find "$work/prefix" -name libpdp.pc)")
PKG_CONFIG_PATH=$pc
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir libpdp)
LD_LIBRARY_PATH=$lib
export LD_LIBRARY_PATH
[ "$(pkg-config --modversion libpdp)" = "$(pkg-config --modversion libpdp-engine)" ] || fail "versions differ"

flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2046,SC2086
cc $flags docs/examples/ask.c $(pkg-config --cflags --libs libpdp) -o "$work/ask"
# shellcheck disable=SC2046,SC2086
cc $flags docs/examples/loop.c $(pkg-config --cflags --libs libpdp) -o "$work/loop"
# shellcheck disable=SC2046,SC2086
cc $flags docs/examples/embed.c $(pkg-config --cflags --libs libpdp-engine) -o "$work/embed"
for example in docs/examples/*.c; do
    [ "$(wc -l <"$example")" -lt 60 ] || fail "$example is 60 lines or more"
done

# nginx finds libpdp beside its module, wherever both were installed.
module=$(find "$work/prefix" -name ngx_http_pdp_module.so)
[ -z "$module" ] || env -u LD_LIBRARY_PATH ldd "$module" | grep -q "libpdp.*=> $work/prefix/" || fail "the module finds no libpdp"

mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(outsider LANGUAGES C)
find_package(pdp 0.1 REQUIRED)
add_compile_definitions(_GNU_SOURCE)
add_executable(ask $source/docs/examples/ask.c)
target_link_libraries(ask PRIVATE pdp::pdp)
add_executable(embed $source/docs/examples/embed.c)
target_link_libraries(embed PRIVATE pdp::engine)
CMAKE
cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/cmake.log" 2>&1 &&
    cmake --build "$work/cmake/build" >>"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; fail "the CMake package"; }

# The headers are C and C++.
if command -v c++ >/dev/null; then
    printf '#include <pdp/pdp.h>\n#include <pdp/engine.h>\nint main() { return pdp_answer_allows(nullptr) ? 1 : 0; }\n' >"$work/t.cc"
    # shellcheck disable=SC2046
    c++ "$work/t.cc" $(pkg-config --cflags --libs libpdp) -o "$work/cxx"
    "$work/cxx" || fail "C++"
fi

cat >"$work/policy.yaml" <<'YAML'
apiVersion: pdp/v1
kind: Policy
metadata: {name: example, owner: docs}
target: resource.type == "route"
combine: most-restrictive
rules:
  - id: read
    effect: allow
    actions: [GET]
    when: subject.id == "alice"
    reason: alice may read
YAML
question() {
    printf '{"subject":{"type":"user","id":"%s"},"action":{"name":"GET"},"resource":{"type":"route","id":"/x"}}' "$1"
}
expect() { # WANT_CODE WANT_TEXT COMMAND…
    code=$1 text=$2
    shift 2
    got=0
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$code" ] || { cat "$work/out"; fail "$*: exit $got, not $code"; }
    grep -qF -- "$text" "$work/out" || { cat "$work/out"; fail "$*: no \`$text\`"; }
}
question alice >"$work/alice.json"
question mallory >"$work/mallory.json"
for embed in "$work/embed" "$work/cmake/build/embed"; do
    expect 0 "allow (policy)" sh -c "'$embed' '$work/policy.yaml' <'$work/alice.json'"
    expect 1 "deny (no-rule)" sh -c "'$embed' '$work/policy.yaml' <'$work/mallory.json'"
    expect 1 "embed:" sh -c "echo '{' | '$embed' '$work/policy.yaml'"
done
echo "rules: [" >"$work/bad.yaml"
expect 1 "bad.yaml:" sh -c "'$work/embed' '$work/bad.yaml' <'$work/alice.json'"

# Nobody listens: deny, and the program says who was asked.
expect 1 "nobody answers at ipc://$work/none.sock" "$work/ask" "ipc://$work/none.sock" alice GET /x
expect 1 "nobody answers at ipc://$work/none.sock" "$work/loop" "ipc://$work/none.sock" alice GET /x
expect 2 "not supported" "$work/ask" "gopher://x" alice GET /x

if [ -x "$work/prefix/bin/pdpd" ]; then
    mkdir "$work/policies"
    cp "$work/policy.yaml" "$work/policies/"
    "$work/prefix/bin/pdpd" --policies "$work/policies" --decide "ipc://$work/decide.sock" 2>"$work/pdpd.log" &
    daemon=$!
    tries=0
    until [ -S "$work/decide.sock" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || { cat "$work/pdpd.log"; fail "the installed daemon does not listen"; }
        sleep 0.05
    done
    for ask in "$work/ask" "$work/cmake/build/ask"; do
        expect 0 "allow (policy)" "$ask" "ipc://$work/decide.sock" alice GET /x
        expect 1 "deny (no-rule)" "$ask" "ipc://$work/decide.sock" mallory GET /x
    done
    expect 0 "allow (alice may read)" "$work/loop" "ipc://$work/decide.sock" alice GET /x
    expect 1 "deny (" "$work/loop" "ipc://$work/decide.sock" mallory GET /x
fi
echo "ok: installed, compiled both ways, asked and embedded"
