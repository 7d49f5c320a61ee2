#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of `pdpctl --help`, and every flag of its own help, stands in docs/cli.md and in docs/man/pdpctl.1:
`commands.py PDPCTL`. With PDP_ACCEPT set the tables at the end of both are written anew; read them before you commit them."""
import os
import pathlib
import re
import subprocess
import sys

PAGE, MAN = pathlib.Path("docs/cli.md"), pathlib.Path("docs/man/pdpctl.1")
TLS = ("ca", "cert", "key", "name") # go with `--connect` wherever that goes
TITLE = "## Every command and its flags\n"
ON, OFF = '.\\" Every command and its flags: written by tests/system/commands.py\n', '.\\" End of every command\n'


def said(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def commands(pdpctl):
    """Name, flags, and what they mean, as the program tells them."""
    for line in said(pdpctl, "--help").splitlines():
        name = re.match(r"  (\w[\w-]*(?: [a-z][\w-]*)?) {1,}\S", line)
        if not name or not line.startswith("  "):
            continue
        words = name.group(1).split()
        for count in (2, 1): # the second word may be the first of the help
            done = subprocess.run([pdpctl, *words[:count], "--help"], capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.startswith(f"use: pdpctl {' '.join(words[:count])} "):
                flags = re.findall(r"^  --([\w-]+)", done.stdout, re.M)
                missing = [flag for flag in TLS if "connect" in flags and flag not in flags]
                if missing:
                    raise SystemExit(f"FAIL: {words[:count]} takes --connect, and not {missing}")
                yield " ".join(words[:count]), [flag for flag in flags if "connect" not in flags or flag not in TLS]
                break


def page_table(known):
    rows = [f"| `{name}` | {' '.join(f'`--{flag}`' for flag in flags) or '–'} |" for name, flags in known]
    return "\n".join([TITLE, "`pdpctl COMMAND --help` tells what each means. `--ca`, `--cert`, `--key` and `--name` go with each `--connect`.\n", "| Command | Flags |", "|---|---|", *rows]) + "\n"


def man_table(known):
    def dashed(text):
        return text.replace("-", "\\-")

    rows = [f".TP\n.B {dashed(name)}\n{' '.join(dashed('--' + flag) for flag in flags) or 'No flags.'}\n" for name, flags in known]
    return ON + ".SH COMMANDS AND THEIR FLAGS\n" + "".join(rows) + OFF


def told(known):
    """Commands that the page's first table, and the man page above its table of flags, do not describe."""
    names = [name for name, _ in known]
    page, man = PAGE.read_text().split("\n## ")[0], MAN.read_text().split(ON)[0].replace("\\-", "-")
    rows = set()
    for row in re.findall(r"^\| (`[^|]*) \|", page, re.M):
        group = ""
        for words in re.findall(r"`([a-z-]+(?: [a-z-]+)?)", row):
            first, _, second = words.partition(" ")
            if second and words in names:
                group = first + " "
            rows |= {name for name in (words, first, group + first) if name in names and (not group or name.startswith(group))}
    for name in names:
        if name not in rows:
            yield f"{PAGE} does not tell what `{name}` does: its first table"
        if not re.search(rf"^\.TP\n\.BR? {name}\b", man, re.M):
            yield f"{MAN} does not tell what `{name}` does"


def part(text, begins, ends):
    at = text.find(begins)
    end = len(text) if at < 0 or not ends else text.find(ends, at) + len(ends)
    return (text, "", "") if at < 0 else (text[:at], text[at:end], text[end:])


def main():
    known = list(commands(os.path.abspath(sys.argv[1])))
    failures = 0
    if len(known) < 30:
        print(f"FAIL: only {len(known)} commands were read from the help: {known}")
        return 1
    for path, wanted, begins, ends in ((PAGE, page_table(known), TITLE, ""), (MAN, man_table(known), ON, OFF)):
        before, table, after = part(path.read_text(), begins, ends)
        if os.environ.get("PDP_ACCEPT"):
            path.write_text((before if table else before.rstrip("\n") + "\n" + ("\n" if path == PAGE else "")) + wanted + after)
        elif table != wanted:
            failures += 1
            have, want = set(table.splitlines()), set(wanted.splitlines())
            print(f"FAIL: {path} says otherwise than the program; PDP_ACCEPT=1 writes it anew\n"
                  f"  missing: {sorted(want - have)}\n  too many: {sorted(have - want)}")
    for what in told(known):
        failures += 1
        print(f"FAIL: {what}")
    print(f"{len(known)} commands, {sum(len(flags) for _, flags in known)} flags, {failures} pages that differ")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
