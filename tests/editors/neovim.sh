#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Neovim with the very configuration that docs/EDITORS.md shows, and `pdpctl lsp`. use: neovim.sh PDPCTL FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd)
command -v nvim >/dev/null 2>&1 || { echo "skipped: neovim is not installed"; exit 77; }
PDPCTL=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home" "$work/policies/.git"
export PDPCTL HOME="$work/home" XDG_CONFIG_HOME="$work/home" XDG_DATA_HOME="$work/home" XDG_CACHE_HOME="$work/home" XDG_STATE_HOME="$work/home"
cp "$here"/neovim/*.yaml "$work/policies/"
cd "$work/policies" && nvim --headless --clean -n -u "$here/../../docs/examples/neovim/pdp.lua" -c "luafile $here/neovim.lua" web.yaml 2>&1
