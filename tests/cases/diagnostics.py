#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every diagnostic that the code can give has a case that shows it word for word, or stands in uncovered.txt.

usage: diagnostics.py ROOT [--accept]

The texts are read out of the calls that report: CALLS says which argument is the text, and what stands around it in what
people see. They are looked for in the expected.txt of all cases and in the `text` blocks of the documents (which system_docs
runs). What is wrong with a geo database has its tests in tests/unit/geo. A text without a case, and one that uncovered.txt lists though it has a case, fails. `--accept` writes the list.
"""
import pathlib
import re
import sys

# function: (number of the argument that is the text, the message that it becomes; `%` is the text)
CALLS = {
    "diag_error": (3, "%"), "diag_warning": (2, "%"), "build_fail": (4, "%"), "unit_error": (4, "%"),
    "diag_hint": (1, "hint: %"), "unit_hint": (1, "hint: %"),
    "mistyped": (1, "`…` must be %, but is …"), "misfit": (2, "`…` must be %, but is …"),
    "hint_names": (4, "hint: %…"), "expect": (2, "…%…"), "unexpected": (1, "…%…"),
    "reading_fail": (3, "%"), "reading_hint": (4, "hint: %…"),
    "say_not": (2, "…, but % is expected"),
}
# The same for a name that several files give to functions of their own.
LOCAL = {
    "pdp/cel/regex_vet.c": {"refuse": (2, "the pattern is refused: %")},
    "pdp/cel/within.c": {"wrong": (1, "%")},
    "pdp/cel/lex.c": {"bad": (3, "%")},
    "pdp/cel/lex_string.c": {"fail": (3, "%")},
    "pdp/cel/macro.c": {"complain": (2, "%")},
    "pdp/risk/labels.c": {"refuse": (1, "%")},
    "pdp/daemon/config/config.c": {"no_such": (3, "`…` is no %")},
    "pdp/daemon/config/url.c": {"fail": (1, "%")},
}
HINTS = {"build_fail": 3}  # arguments that are hints besides
# Texts in tables and returns: file, a pattern whose first group is one text, the message.
TABLES = [
    ("pdp/conf/explain.c", r"^    \{'.', (\"(?:\\.|[^\"])*\"),", "%"),
    ("pdp/conf/explain.c", r"^    \{'.', \"(?:\\.|[^\"])*\", (\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/conf/explain.c", r"^    \{\"(?:\\.|[^\"])*\", (\"(?:\\.|[^\"])*\"),", "%"),
    ("pdp/conf/explain.c", r"^    \{\"(?:\\.|[^\"])*\", \"(?:\\.|[^\"])*\",\s+(\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/policy/glob.c", r"return (\"(?:\\.|[^\"])*\");", "%"),
    ("pdp/policy/glob.c", r"fault->why = (\"(?:\\.|[^\"])*\");", "%"),
    ("pdp/policy/glob.c", r"fault->hint = (\"(?:\\.|[^\"])*\");", "hint: %"),
    ("pdp/policy/list.c", r"^    \[CEL_SET_\w+\] = \{(\"(?:\\.|[^\"])*\")", "`…` is not %"),
    ("pdp/policy/list.c", r"^    \[CEL_SET_\w+\] = \{\"(?:\\.|[^\"])*\", (\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/policy/exceptions.c", r"return (?:rule->never_lifted \? )?(\"(?:\\.|[^\"])*\")", "`…` %"),
    ("pdp/daemon/config/config.c", r"const char \*why = (\"(?:\\.|[^\"])+\");", "%"),
]
LITERAL = re.compile(r'"((?:\\.|[^"\\])*)"')
FORMAT = re.compile(r"%(?:%|[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j)?[a-zA-Z])")
UNESCAPED = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}


def without_comments(text):
    return re.sub(r"(?m)^\s*//.*$", "", text)


def arguments(text, at):
    """The arguments of a call whose `(` stands just before `at`."""
    depth, start, out = 0, at, []
    while at < len(text):
        literal = LITERAL.match(text, at)
        char = re.match(r"'(?:\\.|[^'])'", text[at:at + 4])
        if literal:
            at = literal.end()
            continue
        if char:
            at += char.end()
            continue
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            if depth == 0:
                return out + [text[start:at]]
            depth -= 1
        elif text[at] == "," and depth == 0:
            out.append(text[start:at])
            start = at + 1
        at += 1
    return []


def texts_of(argument):
    """The texts that an argument may be: literals side by side are one, `?:` gives several. Macros are any text."""
    argument = re.sub(r"\bSTR_FMT\b|\bPRI\w+", '"%s"', argument)
    argument = re.sub(r"\\\n", "", argument)
    found, end = [], None
    for literal in LITERAL.finditer(argument):
        text = re.sub(r"\\(.)", lambda m: UNESCAPED.get(m.group(1), m.group(0)), literal.group(1))
        if found and not argument[end:literal.start()].strip():
            found[-1] += text
        else:
            found.append(text)
        end = literal.end()
    return found


def shown(text):
    """As people see it: what is filled in as `…`."""
    return FORMAT.sub(lambda m: "%" if m.group(0) == "%%" else "…", text)


def emitted(path, name):
    text = without_comments(path.read_text())
    calls = {**CALLS, **LOCAL.get(name, {})}
    for call in re.finditer(r"\b(\w+)\(", text):
        if call.group(1) in calls:
            number, frame = calls[call.group(1)]
            given = arguments(text, call.end())
            for each in texts_of(given[number]) if number < len(given) else []:
                yield frame.replace("%", shown(each))
            hint = HINTS.get(call.group(1))
            for each in texts_of(given[hint]) if hint is not None and hint < len(given) else []:
                yield "hint: " + shown(each)
    for file, pattern, frame in TABLES:
        if file == name:
            for found in re.finditer(pattern, text, re.M):
                for each in texts_of(found.group(1)):
                    yield frame.replace("%", shown(each))


def known(root):
    """Messages and hints that cases show."""
    texts = [path.read_text(errors="replace") for path in sorted((root / "tests/cases").rglob("expected.txt"))]
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        texts += re.findall(r"^```(?:text|console)\n(.*?)^```", page.read_text(), re.M | re.S)
    lines = set()
    for line in "\n".join(texts).split("\n"):
        found = re.match(r"(?:\S*: )?(?:error|warning): (.*)", line)
        hint = re.match(r"  (hint: .*)", line)
        if found or hint:
            lines.add(found.group(1) if found else hint.group(1))
    return "\n".join(sorted(lines))


def has_case(message, lines):
    pattern = ".*".join(re.escape(part) for part in message.split("…"))
    return re.search(f"^{pattern}$", lines, re.M) is not None


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    listed = root / "tests/cases/uncovered.txt"
    messages = {}
    for path in sorted((root / "pdp").rglob("*.c")):
        name = str(path.relative_to(root))
        for message in emitted(path, name):
            if re.search(r"\w", message.replace("hint:", "")):  # a bare `%s` passes on what another call says
                messages.setdefault(message, name)
    lines = known(root)
    without = sorted(m for m in messages if not has_case(m, lines))
    if "--accept" in sys.argv:
        listed.write_text("".join(m + "\n" for m in without))
    excused = set(listed.read_text().split("\n")) - {""}
    bad = 0
    for message in without:
        if message not in excused:
            bad += 1
            print(f"{messages[message]}: no case shows `{message}`: add one to tests/cases/folders")
    for message in sorted(excused - set(without)):
        bad += 1
        print(f"tests/cases/uncovered.txt: `{message}` {'has a case' if message in messages else 'is gone'}: take the line out")
    print(f"diagnostics: {len(messages)} texts, {len(without)} without a case, {bad} breaches")
    return 1 if bad or len(messages) < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
