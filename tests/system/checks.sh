# SPDX-License-Identifier: Apache-2.0
# For scripts that go on after a failure and count them: programs in $bin, a folder of their own in $dir, daemons that end with the
# script, checks, `tally` as the last line. Sourced, with PDP_BIN set.
bin=${PDP_BIN:?}
dir=$(mktemp -d)
checks=0
failed=0
daemons=""

finish() {
    for one in $daemons; do
        kill -9 "$one" 2>/dev/null
    done
    rm -rf "$dir"
}
trap finish EXIT

check() { # WHAT COMMAND…: must succeed
    what=$1
    shift
    checks=$((checks + 1))
    if ! "$@" >"$dir/check.out" 2>&1; then
        failed=$((failed + 1))
        echo "FAILED: $what"
        head -c 2000 "$dir/check.out"
    fi
}

expect() { # WHAT STATUS WORDS COMMAND…: the exit status, and words in what it says; no sanitizer speaks
    what=$1
    wanted=$2
    words=$3
    shift 3
    checks=$((checks + 1))
    case $1 in
    */pdpd) timeout 20 "$@" ;; # it must not serve
    *) "$@" ;;
    esac >"$dir/expect.out" 2>&1
    status=$?
    if [ $status -ne "$wanted" ] || ! grep -qF -- "$words" "$dir/expect.out" ||
        grep -qE 'Sanitizer|runtime error' "$dir/expect.out"; then
        failed=$((failed + 1))
        echo "FAILED: $what: status $status, wanted $wanted and \`$words\`:"
        head -c 2000 "$dir/expect.out"
    fi
}

until_true() { # COMMAND…: tries for 20 seconds
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || return 1
        sleep 0.05
    done
}

start() { # NAME ARGS…: a daemon whose log is $dir/NAME.log, in $log; its id in $pid
    log=$dir/$1.log
    shift
    : >"$log" # else the last one's line would do
    "$bin/pdpd" "$@" 2>"$log" &
    pid=$!
    daemons="$daemons $pid"
    until_true grep -q event=ready "$log" || { cat "$log"; return 1; }
}

ends() { # WHAT STATUS: the daemon $pid ends by itself or at our word; its status, and no sanitizer's words
    wait "$pid" 2>/dev/null
    status=$?
    check "$1 ends with $2, not $status" test "$status" -eq "$2"
    for one in "$dir"/*.log; do
        check "$1: no sanitizer speaks in $one" sh -c "! grep -qE 'Sanitizer|runtime error' '$one'"
    done
}

tally() {
    echo "$checks checks, $failed failed"
    [ $failed -eq 0 ]
}
