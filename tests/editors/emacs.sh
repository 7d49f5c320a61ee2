#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Emacs with the very configuration that docs/EDITORS.md shows, and `pdpctl lsp`. use: emacs.sh PDPCTL FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd)
command -v emacs >/dev/null 2>&1 || { echo "skipped: emacs is not installed"; exit 77; }
emacs --batch --eval "(kill-emacs (if (and (require 'eglot nil t) (require 'yaml-mode nil t)) 0 1))" >/dev/null 2>&1 ||
    { echo "skipped: emacs has no eglot or no yaml-mode"; exit 77; }
PDPCTL=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home" "$work/policies/.git"
export PDPCTL HOME="$work/home"
cp "$here"/neovim/*.yaml "$work/policies/"
cd "$work/policies" && emacs --batch -f package-activate-all -l "$here/../../docs/examples/emacs/pdp.el" -l "$here/emacs.el" 2>&1
