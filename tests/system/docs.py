#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents say what the programs do: every block of every Markdown file is tried, word for word.

usage: docs.py ROOT BIN [PAGE…]

`docs/ARCHITECTURE.md` (Tests) says how a block gets its case. Prints each difference as `page:line: what`.
"""
import difflib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

COMPLETE = re.compile(r"^apiVersion:", re.M)
PLACE = re.compile(r"^(\S+?):\d+:\d+: (?:error|warning): ")
LOOKS_LIKE_OUTPUT = re.compile(r"^\$ |^\S+:\d+:\d+: |^pdp\w+: |^level=\w+ event=", re.M)
TEST = re.compile(r"<!-- test: (.*?) -->\s*$")
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.ya?ml)`[^`]*:\s*$")
ALONE = {"RiskModel", "Strengths"}  # a folder has at most one of these, whatever its name
MARK = "@@next@@"
SECONDS = 60


class Block:
    def __init__(self, line, info, lines, before):
        self.line, self.info, self.lines = line, info, lines
        self.text = "".join(text + "\n" for text in lines)
        test, named = TEST.search(before), NAMED.search(before)
        self.test = test.group(1) if test else None
        self.file = named.group(1) if named and info == "yaml" else None


def blocks_of(text):
    """Fenced blocks with the last line of text that stands before each."""
    blocks, before, opened = [], "", None
    for number, line in enumerate(text.split("\n"), 1):
        fence = re.match(r" *```(\w*)", line)
        if opened is not None and fence:
            blocks.append(Block(opened[0], opened[1], opened[2], before))
            opened, before = None, ""
        elif fence:
            opened = (number, fence.group(1), [])
        elif opened is not None:
            opened[2].append(line)
        elif line.strip():
            before = line
    return blocks


def documents(text):
    """(kind, name) of each document; of a kind that stands alone the name is left out."""
    for part in re.split(r"^---.*$", text, flags=re.M):
        kind = re.search(r"^kind: *(\w+)", part, re.M)
        name = re.search(r"^metadata:.*?\bname: *([\w.-]+)", part, re.M | re.S)
        if kind:
            yield kind.group(1), "" if kind.group(1) in ALONE or not name else name.group(1)


def pattern_of(line):
    """A shown line as a pattern: `…` stands for a part without blanks, such as a digest or a time."""
    return re.compile(r"\S*?".join(re.escape(part) for part in line.split("…")))


def agrees(shown, said):
    """Is `said` what is shown? A line that is only `…` stands for any lines."""
    if not shown:
        return not said
    if shown[0].strip() == "…":
        return any(agrees(shown[1:], said[at:]) for at in range(len(said) + 1))
    return bool(said) and pattern_of(shown[0]).fullmatch(said[0]) is not None and agrees(shown[1:], said[1:])


def contains(said, shown):
    """Are these whole diagnostics among those?"""
    for at in range(len(said) - len(shown) + 1):
        after = said[at + len(shown):]
        if said[at:at + len(shown)] == shown and not (after and after[0].startswith(" ")):
            return True
    return False


def difference(shown, said):
    return "\n" + "\n".join(difflib.unified_diff(shown, said, "the page", "the program", lineterm="", n=1))


def commands_of(lines):
    """A session as [command, lines shown]. A command goes on as long as the shell finds it unfinished."""
    session, whole = [], True
    for line in lines:
        if not whole:
            session[-1][0] += "\n" + line
        elif line.startswith("$ "):
            session.append([line[2:], []])
        elif session:
            session[-1][1].append(line)
            continue
        else:
            return None
        command = session[-1][0]
        whole = not command.endswith("\\") and subprocess.run(["sh", "-n", "-c", command], capture_output=True).returncode == 0
    return session


def end_group(group, alive):
    """Ends a group of processes and waits until none has `alive`'s other end: a daemon writes until it is gone."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, how)
        except ProcessLookupError:
            pass
        if select.select([alive], [], [], SECONDS)[0]:
            break
    os.close(alive)


class Page:
    def __init__(self, root, bin_dir, path, scratch):
        self.root, self.path, self.bad = root, path, 0
        self.shown_name = str(path.relative_to(root))
        self.text = path.read_text()
        self.blocks = blocks_of(self.text)
        self.cases = root / "tests/cases/docs" / path.stem
        self.scratch, self.checked = scratch, {}
        self.env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "TZ": "UTC", "LC_ALL": "C.UTF-8",
                    "PDP_ROOT": str(root)}

    def fail(self, block, what):
        self.bad += 1
        print(f"{self.shown_name}:{block.line if block else 1}: {what}")

    def run(self, script, block=None):
        """Output (both kinds, as it came) and status of a script run in the page's scratch folder."""
        env = dict(self.env)
        if block is not None:
            env["BLOCK"] = str(self.scratch / f".block-{block.line}")
            pathlib.Path(env["BLOCK"]).write_text(block.text)
        alive, held = os.pipe()  # held by the script and by all that it leaves behind, such as a daemon
        run = subprocess.Popen(["sh", "-c", script], cwd=self.scratch, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                               pass_fds=[held])
        os.close(held)
        try:
            return run.communicate(timeout=SECONDS)[0], run.returncode
        except subprocess.TimeoutExpired:
            return "no end after a minute", -1
        finally:
            end_group(run.pid, alive)

    def set_up(self):
        if self.cases.is_dir():
            shutil.copytree(self.cases, self.scratch, dirs_exist_ok=True)
        for folder, used in (("baseline", "policies/baseline"), ("scenarios", "--scenarios policies/scenarios")):
            if used in self.text:
                shutil.copytree(self.root / "policies" / folder, self.scratch / "policies" / folder)
        for block in self.blocks:
            if block.file:
                at = self.scratch / block.file
                at.parent.mkdir(parents=True, exist_ok=True)
                at.write_text(block.text)

    def check(self, folder):
        if folder not in self.checked:
            self.checked[folder] = self.run(f"pdpctl check {folder}")
        return self.checked[folder]

    # ---- One kind of block each ----------------------------------------------------------------------

    def tested(self, block):
        said, status = self.run(block.test, block)
        if block.info in ("text", "console"):
            if not agrees(block.lines, said.split("\n")[:-1]):
                self.fail(block, f"`{block.test}` says otherwise{difference(block.lines, said.split(chr(10))[:-1])}")
        elif status != 0:
            self.fail(block, f"`{block.test}` ends with {status}:\n{said}")

    def text_block(self, block):
        place = PLACE.match(block.lines[0]) if block.lines else None
        if place is None:
            self.fail(block, "a `text` block shows diagnostics; what else a program says goes into `console` with its command")
            return
        said = self.check(place.group(1).split("/")[0])[0].split("\n")
        if not contains(said, block.lines):
            self.fail(block, f"`pdpctl check {place.group(1).split('/')[0]}` does not say so; is there a case "
                             f"{self.cases.relative_to(self.root)}/{place.group(1)}?{difference(block.lines, said)}")

    def console_block(self, block):
        session = commands_of(block.lines)
        if session is None:
            self.fail(block, "a `console` block begins with `$ ` and a command")
            return
        before = ". ./before.sh\n" if (self.scratch / "before.sh").exists() else ""
        script = "".join(f"{command}\nprintf '{MARK}\\n'\n" for command, _ in session)
        said = self.run(before + script)[0].split(MARK + "\n")
        for (command, shown), out in zip(session, said + [""] * len(session)):
            if not agrees(shown, out.split("\n")[:-1]):
                self.fail(block, f"`{command}` says otherwise{difference(shown, out.split(chr(10))[:-1])}")

    def json_block(self, block):
        try:
            value = json.loads(block.text)
        except ValueError as why:
            self.fail(block, f"is no JSON: {why}")
            return
        if "decision" in value or not {"subject", "event", "evaluations"} & set(value):
            return
        (self.scratch / ".allow").mkdir(exist_ok=True)
        (self.scratch / ".allow/all.yaml").write_text("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: all}\n"
                                                      "rules:\n  - {id: all, effect: allow}\n")
        said, status = self.run('pdpctl eval --policies .allow --request "$BLOCK"', block)
        if status not in (0, 1) or "malformed" in said:
            self.fail(block, f"is no question:\n{said}")

    def yaml_block(self, block):
        if block.file is None and not COMPLETE.search(block.text):
            self.fail(block, "is no whole document: say `<!-- test: COMMAND -->` on the line before it; the block is in $BLOCK")

    def yaml_pages(self):
        """Each whole document compiles: with all others of the page that may stand beside it, and `with/`."""
        whole = [b for b in self.blocks if b.info == "yaml" and not b.file and not b.test and COMPLETE.search(b.text)]
        groups = []
        for first in whole:
            group, names = [], set()
            for block in [first] + [b for b in whole if b is not first]:
                theirs = set(documents(block.text))
                if not theirs & names:
                    group.append(block)
                    names |= theirs
            group.sort(key=lambda b: b.line)
            if group not in groups:
                groups.append(group)
        for number, group in enumerate(groups):
            folder = self.scratch / f".compile-{number}"
            folder.mkdir()
            if (self.cases / "with").is_dir():
                shutil.copytree(self.cases / "with", folder, dirs_exist_ok=True)
            for block in group:  # on the lines on which they stand in the page
                (folder / f"line-{block.line:04}.yaml").write_text("\n" * block.line + block.text)
            if not any(kind == "Policy" for block in group for kind, _ in documents(block.text)):
                (folder / "zz-any.yaml").write_text("apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: zz-any}\n"
                                                    "rules:\n  - {id: any, effect: deny}\n")
            said, status = self.run(f"pdpctl check {folder.name}")
            if status != 0 or "warning:" in said:
                self.fail(group[0], f"the documents of the page do not compile:\n{said}")
        for folder in sorted({b.file.split("/")[0] for b in self.blocks if b.file}):
            shown = any(re.search(rf"check {folder}\b|^{folder}/", b.text, re.M) for b in self.blocks if b.info in ("console", "text"))
            if not shown and self.check(folder)[1] != 0:
                self.fail(None, f"`{folder}` does not compile:\n{self.check(folder)[0]}")

    def flags(self):
        """Every flag that is shown exists."""
        for block in (b for b in self.blocks if b.info in ("sh", "console")):
            for problem in unknown_flags(block.text, self.run):
                self.fail(block, problem)

    def unused(self):
        for entry in sorted(self.cases.iterdir()) if self.cases.is_dir() else []:
            if entry.name not in self.text and entry.name not in ("with", "before.sh"):
                self.fail(None, f"{entry.relative_to(self.root)} belongs to no block of the page")

    def look(self):
        self.set_up()
        kinds = {"text": self.text_block, "console": self.console_block, "yaml": self.yaml_block, "json": self.json_block}
        for block in self.blocks:
            if block.test:
                self.tested(block)
            elif block.info in kinds:
                kinds[block.info](block)
            elif LOOKS_LIKE_OUTPUT.search(block.text):
                self.fail(block, "shows what a program says: make it a `console` or a `text` block")
        self.yaml_pages()
        self.flags()
        self.unused()


HELP = {}


def groups(run):
    """First words of commands that have two, such as `session list`."""
    if None not in HELP:
        HELP[None] = set(re.findall(r"(?m)^  ([a-z]+) [a-z]+\b", run("pdpctl --help")[0]))
    return HELP[None]


def unknown_flags(text, run):
    text = re.sub(r"\\\n", " ", text)
    for call in re.findall(r"(?:^|[\s;&|(/])((?:pdpctl|pdpd) [^\n|;&]*)", text):
        words = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "x", call).split()
        command = words[0]
        if command == "pdpctl":
            command += " " + " ".join(words[1:3] if words[1] in groups(run) else words[1:2])
        if command not in HELP:
            said, status = run(f"{command} --help")
            HELP[command] = said if status == 0 else None
        if HELP[command] is None:
            yield f"there is no command `{command}`"
            continue
        for flag in re.findall(r"\s(--[a-z-]+)", " " + " ".join(words)):
            if flag not in ("--help", "--version") and not re.search(rf"{flag}\b", HELP[command]):
                yield f"`{command}` has no flag `{flag}`"


def man_pages(root, page):
    for path in sorted([*root.glob("docs/man/*.[1-8]"), *root.glob("pdp/**/*.[1-8]")]):
        text = path.read_text().replace("\\-", "-").replace("\\(aq", "'")
        for example in re.findall(r"^\.(?:nf|EX)$(.*?)^\.(?:fi|EE)$", text, re.M | re.S):
            for problem in unknown_flags(example, page.run):
                page.bad += 1
                print(f"{path.relative_to(root)}: {problem}")


def pages(root):
    for path in sorted(root.rglob("*.md")):
        parts = path.relative_to(root).parts
        if parts[0] != "build" and not any(part.startswith(".") for part in parts):
            yield path


def main():
    root, bin_dir = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    wanted, bad, blocks, last = sys.argv[3:], 0, 0, None
    stems = {path.stem for path in pages(root)}
    for entry in sorted((root / "tests/cases/docs").iterdir()):
        if entry.name not in stems:
            print(f"{entry.relative_to(root)}: there is no such page")
            bad += 1
    for path in pages(root):
        if wanted and path.stem not in wanted:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            last = Page(root, bin_dir, path, pathlib.Path(scratch))
            last.look()
            if path.stem == "cli":
                man_pages(root, last)
            blocks += len(last.blocks)
            bad += last.bad
    print(f"docs: {blocks} blocks tried, {bad} differences")
    return 1 if bad or blocks == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
