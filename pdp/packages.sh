# SPDX-License-Identifier: Apache-2.0
# Sourced by pdp/run.sh and tests/run.sh: installs the Debian packages named, where they are missing.

need_packages() {
    missing=""
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    echo "installing:$missing"
    if [ "$(id -u)" -eq 0 ]; then
        sudo=""
    elif command -v sudo >/dev/null 2>&1; then
        sudo="sudo"
    else
        echo "error: these packages are missing and cannot be installed without root:$missing" >&2
        echo "  hint: as root, run \`apt-get install$missing\`, then run this again" >&2
        return 1
    fi
    log=$(mktemp)
    # One try with the lists as they are, one with fresh ones.
    for try in stale fresh; do
        [ "$try" = stale ] || $sudo apt-get update -qq >>"$log" 2>&1 || true
        if $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1; then
            rm -f "$log"
            return 0
        fi
    done
    echo "error: apt-get could not install:$missing" >&2
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
}

BUILD_PACKAGES="gcc cmake ninja-build pkg-config libc6-dev libyaml-dev libpcre2-dev libssl-dev libnng-dev libmaxminddb-dev
 libjansson-dev libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libsqlite3-dev libzstd-dev libmaxmind-db-writer-perl tzdata
 libjose-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler"
TEST_PACKAGES="clang libclang-rt-14-dev libcriterion-dev libcbor-dev nng-utils ccache python3 binutils curl openssl nginx-light nginx-dev haproxy caddy jose neovim chromium emacs-nox elpa-eglot
 elpa-yaml-mode lcov"
