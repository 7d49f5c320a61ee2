#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What pdpctl says of mistakes, word for word: sessions of commands with what they print and how they end.

usage: words.py ROOT BIN [NAME…]

Each tests/cases/words/NAME.txt is a session as `console` blocks of the documents are: `$ command`, what it prints (standard
output and error, as it came), and a line `[2]` where it ends with another number than 0. `…` stands for a part without blanks, a line `…` for
any lines. It runs in a scratch folder with a copy of tests/cases/words/files, where $PWD is shown as `…` too; lines before the first command are remarks. With
PDP_ACCEPT set what is said is written instead: read it before you commit it.
"""
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
import docs  # noqa: E402


def said_by(script, scratch, bin_dir, root):
    page = docs.Page.__new__(docs.Page)
    page.scratch = scratch
    page.env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PDP_ROOT": str(root)}
    return page.run(script)[0]


def try_session(path, scratch, bin_dir, root):
    """Number of commands, and of those that say something else."""
    lines = path.read_text().split("\n")[:-1]
    first = next(i for i, line in enumerate(lines) if line.startswith("$ "))
    session = docs.commands_of(lines[first:])
    script = "".join(f"{command}\nended=$?; [ $ended = 0 ] || echo \"[$ended]\"\nprintf '{docs.MARK}\\n'\n" for command, _ in session)
    said = said_by(script, scratch, bin_dir, root).replace(str(scratch), "…").split(docs.MARK + "\n")
    if len(said) <= len(session):
        print(f"{path.name}: it does not come to its end: {said[0] if len(said) == 1 else session[len(said) - 1][0]}")
        return len(session), 1
    now, bad = lines[:first], 0
    for (command, shown), out in zip(session, said + [""] * len(session)):
        got = out.split("\n")[:-1]
        same = docs.agrees(shown, got)
        now += ["$ " + command, *(shown if same else got)]
        if not same and not os.environ.get("PDP_ACCEPT"):
            print(f"{path.name}: `{command}` says otherwise{docs.difference(shown, got)}")
        bad += not same
    if os.environ.get("PDP_ACCEPT"):
        path.write_text("\n".join(now) + "\n")
    return len(session), bad


def main():
    if not shutil.which("openssl"):
        print("no openssl")
        return 77
    root, bin_dir, wanted = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    tried = bad = 0
    for path in sorted((root / "tests/cases/words").glob("*.txt")):
        if wanted and path.stem not in wanted:
            continue
        with tempfile.TemporaryDirectory() as name:
            scratch = pathlib.Path(os.path.realpath(name))
            shutil.copytree(root / "tests/cases/words/files", scratch, dirs_exist_ok=True)
            commands, others = try_session(path, scratch, bin_dir, root)
            tried, bad = tried + commands, bad + others
    print(f"words: {tried} commands, {bad} that say something else")
    return 1 if bad or tried == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
