#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every diagnostic that the code can give, and all that pdpctl says of a mistake, is shown word for word by a case or a test.

usage: diagnostics.py ROOT

The texts are read out of the calls that report: CALLS says which argument is the text, and what stands around it in what
people see. They are looked for in the expected.txt of all cases, in the sessions of tests/cases/words, in the `text` and
`console` blocks of the documents (which system_docs runs), and in what tests compare with: whole lines of their string literals.
What is wrong with a geo database has its tests in tests/unit/geo.
"""
import ast
import pathlib
import re
import sys

# function: (number of the argument that is the text, the message that it becomes; `%` is the text)
CALLS = {
    "diag_error": (3, "%"), "diag_warning": (2, "%"), "build_fail": (4, "%"), "unit_error": (4, "%"),
    "diag_hint": (1, "hint: %"), "unit_hint": (1, "hint: %"),
    "unit_warning": (3, "%"),
    "mistyped": (1, "`…` must be %, but is …"), "misfit": (2, "`…` must be %, but is …"),
    "hint_names": (4, "hint: %…"), "expect": (2, "…%…"), "unexpected": (1, "…%…"),
    "reading_fail": (3, "%"), "reading_hint": (4, "hint: %…"),
    "say_not": (2, "…, but % is expected"),
    "cli_bad": (1, "%"), "repl_bad": (2, "%"),
    "lint_add": (3, "% [… …]"), "lint_hint": (2, "hint: %"),
    "answer_nobody": (2, "%"),
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
HINTS = {"build_fail": 3, "cli_bad": 0, "repl_bad": 1}  # arguments that are hints besides
# Texts in tables and returns: file, a pattern whose first group is one text, the message.
TABLES = [
    ("pdp/conf/explain.c", r"^    \{'.', (\"(?:\\.|[^\"])*\"),", "%"),
    ("pdp/conf/explain.c", r"^    \{'.', \"(?:\\.|[^\"])*\", (\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/conf/explain.c", r"^    \{\"(?:\\.|[^\"])*\", (\"(?:\\.|[^\"])*\"),", "%"),
    ("pdp/conf/explain.c", r"^    \{\"(?:\\.|[^\"])*\", \"(?:\\.|[^\"])*\",\s+(\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/cel/foreign.c", r"^    \{(?:NULL|\"[^\"]*\"), (?:NULL|\"[^\"]*\"), (?:NULL|\"[^\"]*\"),\s+(\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/cel/foreign.c", r"^    \{\"[^\"]*\", (\"(?:\\.|[^\"])*\"),\s+(?:NULL|\")[^,]*\}", "%"),
    ("pdp/cel/foreign.c", r"^    \{\"[^\"]*\", \"(?:\\.|[^\"])*\",\s+(\"(?:\\.|[^\"])*\")\}", "hint: %"),
    ("pdp/policy/glob.c", r"return (\"(?:\\.|[^\"])*\");", "%"),
    ("pdp/policy/glob.c", r"fault->why = (\"(?:\\.|[^\"])*\");", "%"),
    ("pdp/policy/glob.c", r"fault->hint = (\"(?:\\.|[^\"])*\");", "hint: %"),
    ("pdp/policy/list.c", r"^    \[CEL_SET_\w+\] = \{(\"(?:\\.|[^\"])*\")", "`…` is not %"),
    ("pdp/policy/list.c", r"^    \[CEL_SET_\w+\] = \{\"(?:\\.|[^\"])*\", (\"(?:\\.|[^\"])*\")", "hint: %"),
    ("pdp/policy/exceptions.c", r"return (?:rule->never_lifted \? )?(\"(?:\\.|[^\"])*\")", "`…` %"),
    ("pdp/daemon/config/config.c", r"^ +\*why = (\"(?:\\.|[^\"])+\");", "hint: %"),
    ("pdp/daemon/config/config_adapter.c", r"^ +\*why = (\"(?!this pdpd)(?:\\.|[^\"])+\");", "hint: %"),
    ("pdp/daemon/config/flags.c", r"call->why = (\"(?:\\.|[^\"])+\");", "hint: %"),
    ("pdp/cli/lsp/lsp.c", r"ask(?:->|\.)why = (\"(?:\\.|[^\"])+\");", "%"),
    ("pdp/cli/lsp/lsp_life.c", r"ask->why = (\"(?:\\.|[^\"])+\");", "%"),
    ("pdp/cli/lsp/lsp_frame.c", r"\*why = ([^;]*);", "%"),
    ("pdp/daemon/config/config.c", r"const char \*why = (\"(?:\\.|[^\"])+\");", "%"),
]
# What no input can bring about, and why the code says it all the same. Nothing else may be without a case.
UNREACHED = {
    "`…` would not mean the same, and is left as it is": "fmt reads what it wrote again, and finds the same",
    "hint: please report this file": "goes with it",
    "the bundle cannot be read again: …": "build reads what it wrote again, and finds it good",
    "the answers to line № cannot be read": "the engine's own answers, which are JSON",
    "the folders cannot be compared: …": "memory",
    "mutants could not be tried: …": "memory",
    "`…`: out of memory": "memory",
    "memory is out": "memory",
}
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
    argument = re.sub(r"\bSTR_FMT\b", '"%s"', argument)
    argument = re.sub(r"\bPRI\w+", '"d"', argument)
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
    """As people see it: what is filled in as `…`, numbers as `№`."""
    return FORMAT.sub(lambda m: "%" if m.group(0) == "%%" else "…" if m.group(0)[-1] in "scxX" else "№", text)


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


MESSAGE = re.compile(r"(?:pdpctl: |pdpd: |(?:\S*: )?(?:error|warning|note): |\{.*\"message\":\"(?=.*\"\}\}))(.*?)(?:\"\}\})?$")
HINT = re.compile(r"  (hint: .*)")


def literals_of_c(text):
    return [shown(each) for each in texts_of(without_comments(text))]


def literals_of_python(text):
    """What is filled in is `…`."""
    found, todo = [], [ast.parse(text)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.JoinedStr):
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        else:
            todo += ast.iter_child_nodes(node)
    return found


def shown_whole(root):
    """Texts of which each line is shown as it is."""
    texts = [path.read_text(errors="replace") for path in sorted((root / "tests/cases").rglob("*.txt"))]
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        texts += re.findall(r"^```(?:text|console)\n(.*?)^```", page.read_text(), re.M | re.S)
    return texts


def compared(root):
    """What tests compare with."""
    texts = []
    for folder in ("unit", "system", "fault", "cases", "gateways"):
        for path in sorted((root / "tests" / folder).rglob("*.c")):
            texts += literals_of_c(path.read_text(errors="replace"))
        for path in sorted((root / "tests" / folder).rglob("*.py")):
            texts += literals_of_python(path.read_text()) if path.name != "diagnostics.py" else []
    return texts


def known(root):
    """Messages and hints that cases and tests show."""
    lines = set()
    for line in "\n".join(shown_whole(root) + compared(root)).split("\n"):
        found = MESSAGE.match(line) or HINT.match(line)
        if found:
            lines.add(found.group(1))
    for line in "\n".join(compared(root)).split("\n"):  # a `why` alone, as units give it
        lines.add(line)
    return "\n".join(sorted(lines))


def has_case(message, lines):
    pattern = re.escape(message).replace("…", ".*").replace("№", r"(?:[-+\d.]+|…|№)")
    return re.search(f"^{pattern}$", lines, re.M) is not None


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    messages = {}
    for path in sorted((root / "pdp").rglob("*.c")):
        name = str(path.relative_to(root))
        for message in emitted(path, name):
            if re.search(r"\w", message.replace("hint:", "")):  # a bare `%s` passes on what another call says
                messages.setdefault(message, name)
    lines = known(root)
    shown_by = {m for m in messages if has_case(m, lines)}
    without = sorted((file, m) for m, file in messages.items() if m not in shown_by and m not in UNREACHED)
    late = sorted(m for m in UNREACHED if m not in messages or m in shown_by)
    for file, message in without:
        print(f"{file}: no case shows `{message}`: add one to tests/cases/folders, or to tests/cases/words")
    for message in late:
        print(f"UNREACHED: `{message}` {'has a case' if message in messages else 'is gone'}: take it out")
    print(f"diagnostics: {len(messages)} texts, {len(without)} without a case, {len(UNREACHED)} that nothing reaches, "
          f"{len(without) + len(late)} breaches")
    return 1 if without or late or len(messages) < 800 else 0


if __name__ == "__main__":
    sys.exit(main())
