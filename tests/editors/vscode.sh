#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VS Code in a browser, with the extension installed by the very commands that docs/EDITORS.md shows. use: vscode.sh PDPCTL FOLDER
# VS Code comes by npm into FOLDER, as the server of the package code-server; nothing of it is part of the project, and none of its
# native modules is built: they are for logs and terminals. Skipped where it cannot be had.
set -u
VERSION=4.100.3
skip() { echo "skipped: $1"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
for program in node npm chromium; do
    command -v $program >/dev/null 2>&1 || skip "$program is not installed"
done
[ "$(node -p 'parseInt(process.versions.node) >= 20')" = true ] || skip "VS Code needs Node.js 20"
pdpctl=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
mkdir -p "$2"
code=$(cd "$2" && pwd)/code-$VERSION

fetch() {
    rm -rf "$code" && mkdir -p "$code" && cd "$code" && timeout 120 npm pack --silent --fetch-retries=1 code-server@$VERSION || return 1
    in=package/lib/vscode
    tar xzf code-server-$VERSION.tgz --strip-components=3 --exclude='*.map' $in/out $in/package.json $in/product.json $in/npm-shrinkwrap.json \
        $in/resources $in/extensions/yaml $in/extensions/theme-defaults && rm code-server-$VERSION.tgz &&
        timeout 120 npm install --ignore-scripts --omit=dev --no-audit --no-fund --fetch-retries=1 && touch ready
}
[ -e "$code/ready" ] || (fetch) >"$2/code.log" 2>&1 || { tail -n 3 "$2/code.log"; skip "npm has no code-server for us"; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/home" "$work/policies/.git"
cp "$here"/neovim/*.yaml "$work/policies/"
cat >"$work/bin/code" <<END
#!/bin/sh
exec node "$code/out/server-main.js" --accept-server-license-terms --server-data-dir "$work/server" --extensions-dir "$work/extensions" "\$@"
END
# What the server says there would be shown in VS Code's own window alone.
cat >"$work/bin/pdpctl" <<END
#!/bin/sh
exec "$pdpctl" "\$@" 2>>"$work/said"
END
chmod +x "$work/bin/code" "$work/bin/pdpctl"

# VS Code has been used before: only what it installed itself counts.
mkdir "$work/extensions" && printf '[]' >"$work/extensions/extensions.json"
sed -n '/^## VS Code/,/^## /{/^```sh/,/^```/{/^```/!p}}' "$root/docs/EDITORS.md" >"$work/install.sh"
[ -s "$work/install.sh" ] || { echo "docs/EDITORS.md has no commands for VS Code"; exit 1; }
ln -s "$root/docs" "$work/docs"
(cd "$work" && PATH="$work/bin:$PATH" TMPDIR="$work/home" timeout 150 sh -e ./install.sh) >"$work/install.log" 2>&1 || {
    tail -n 20 "$work/install.log"
    ! grep -q '^npm error code E' "$work/install.log" || skip "npm has no vsce for us"
    exit 1
}
HOME="$work/home" TMPDIR="$work/home" node "$here/vscode.mjs" "$code" "$work/bin/pdpctl" "$work"
ended=$?
cat "$work/said"
exit $ended
