#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check: floors, outside libraries, banned calls, hot files, exported symbols.

usage: check.py ROOT RULE [LIBRARY…]    RULE: floors, outside, adapters, banned, hot, files, headers, symbols, evidence
Prints each breach as `file:line: what` and ends with 1 where there was one.
"""
import pathlib
import re
import subprocess
import sys

FLOORS = [
    ["base"],
    ["model", "conf", "seal"],
    ["cel", "geo", "wire", "sp"],
    ["policy", "risk", "session"],
    ["engine", "lint", "store", "audit"],
    ["node", "client"],
    ["daemon", "cli"],
]
FLOOR_OF = {folder: number for number, folders in enumerate(FLOORS) for folder in folders}
CLIENT_MAY = {"base", "model", "wire", "sp", "client"}
CLI_ADDS = {"daemon/folder.h", "daemon/file.h"}  # what reads and writes files is compiled into both programs

# Which folder may include an outside library's headers.
OUTSIDE = {
    r"yaml\.h": {"conf"},
    r"openssl/.*": {"seal", "client", "daemon"},
    r"pcre2.*": {"cel"},
    r"maxminddb.*": {"geo"},
    r"jansson\.h": {"wire", "cli"},
    r"sqlite3\.h|libpq-fe\.h": {"store"},
    r"zstd\.h": {"audit"},
    r"nng/.*": {"client"},
    r"microhttpd\.h|curl/.*": {"daemon"},
    r"sys/(socket|epoll|signalfd|un)\.h|netinet/.*|arpa/.*|netdb\.h": {"daemon", "client", "cli"},
    r"time\.h|sys/time\.h": {"daemon", "cli", "client"},
}
# Written by one who looked: a socket address is built for libmaxminddb, which takes no other form.
OUTSIDE_EXCEPT = {("geo", "netinet/in.h"), ("geo", "sys/socket.h")}

BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|alloca|rand|srand|gets|strncpy|strncat)\s*\("
HOT_BANNED = r"\b(malloc|calloc|realloc|free|printf|fprintf|snprintf|buf_printf|arena_printf|clock_gettime)\s*\("
SETS_UP = r"(^|_)(new|free|init|fini|make)$"  # runs before or after requests, whatever file it stands in
ROOT = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "pdp", "policies", "include", "adapters",
        "tests", "docs", "build"}


def sources(root, folder="pdp"):
    return sorted(p for p in (root / folder).rglob("*.[ch]"))


def code_lines(path):
    """Lines with comments and text taken out, so that a word in a message is no call."""
    text = path.read_text()
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)
    for number, line in enumerate(text.split("\n"), 1):
        line = re.sub(r'"(\\.|[^"\\])*"', '""', line) if not line.lstrip().startswith("#include") else line
        yield number, re.sub(r"//.*", "", line)


def floors(root):
    for path in sources(root):
        folder = path.relative_to(root / "pdp").parts[0]
        if folder not in FLOOR_OF:
            yield path, 1, f"folder `{folder}` stands on no floor"
            continue
        for number, line in code_lines(path):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found or "/" not in found.group(1):
                continue
            theirs = found.group(1).split("/")[0]
            if theirs == folder or found.group(1) in CLI_ADDS and folder == "cli":
                continue
            if theirs not in FLOOR_OF or FLOOR_OF[theirs] >= FLOOR_OF[folder]:
                yield path, number, f"`{folder}` (floor {FLOOR_OF[folder]}) includes `{found.group(1)}`"
            if folder == "client" and theirs not in CLIENT_MAY:
                yield path, number, f"`client` may stand on base, model, wire and sp only, not on `{theirs}`"


def outside(root):
    for path in sources(root):
        folder = path.relative_to(root / "pdp").parts[0]
        for number, line in code_lines(path):
            found = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            for pattern, folders in OUTSIDE.items():
                if found and re.fullmatch(pattern, found.group(1)) and folder not in folders:
                    if (folder, found.group(1)) not in OUTSIDE_EXCEPT:
                        yield path, number, f"`{folder}` may not include <{found.group(1)}>"


def adapters(root):
    """An adapter stands on what is installed: <pdp/*.h>, its own folder, and common/."""
    for path in sources(root, "adapters"):
        parts = path.relative_to(root / "adapters").parts
        own = {parts[0], "common"} if len(parts) > 1 else {"common"}
        for number, line in code_lines(path):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if found and "/" in found.group(1) and found.group(1).split("/")[0] not in own:
                yield path, number, f"an adapter may not include `{found.group(1)}`"
            if found and "/" not in found.group(1) and not (path.parent / found.group(1)).exists() \
                    and not found.group(1).endswith(".pb-c.h"):
                yield path, number, f"an adapter may not include `{found.group(1)}`"


def banned(root):
    for folder in ("pdp", "adapters"):
        for path in sources(root, folder):
            for number, line in code_lines(path):
                found = re.search(BANNED, line)
                if found:
                    yield path, number, f"`{found.group(1)}` is banned"
                if re.search(r"\bgoto\b", line):
                    yield path, number, "`goto` is banned"
                if re.search(r"(?<![\w.>])exit\s*\(", line) and path.name != "main.c":
                    yield path, number, "`exit` outside main.c"


def hot(root):
    for path in sources(root):
        lines = path.read_text().split("\n")
        if "// HOT" not in lines[:3]:
            continue
        function = ""
        for number, line in code_lines(path):
            begins = re.match(r"[a-z][\w \*]*?\b(\w+)\(", line)
            function = begins.group(1) if begins else function
            found = re.search(HOT_BANNED, line)
            if found and not re.search(SETS_UP, function):
                yield path, number, f"`{found.group(1)}` on the hot path, in `{function}`"


def files(root):
    for entry in root.iterdir():
        if not entry.name.startswith(".") and entry.name not in ROOT:
            yield entry, 1, "is no entry of the root"
    for folder in ("pdp", "include", "tests", "adapters"):
        for path in sources(root, folder):
            lines = path.read_text().split("\n")
            if lines[0] != "// SPDX-License-Identifier: Apache-2.0":
                yield path, 1, "line 1 is not the SPDX line"
            if len(lines) > 700:
                yield path, len(lines), "longer than 700 lines"
            if folder == "pdp" and path.suffix == ".h" and not lines[1].startswith("//"):
                yield path, 2, "line 2 of a header says what it is for"


def headers(root):
    for path in sources(root) + sources(root, "include"):
        if path.suffix != ".h":
            continue
        run = subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-I", root / "pdp", "-I",
                              root / "include", "-x", "c", path], capture_output=True, text=True)
        if run.returncode != 0:
            yield path, 1, "does not compile alone: " + run.stderr.strip().split("\n")[0]


def declared(root):
    names = {}
    for path in sources(root, "include"):
        text = re.sub(r"//.*", "", path.read_text())
        for found in re.finditer(r"PDP_API\b[^;{]*?\b(pdp_\w+)\s*\(", text):
            names[found.group(1)] = path
    return names


def symbols(root, libraries):
    names, exported = declared(root), set()
    for library in libraries:
        out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            name = line.split()[-1].split("@")[0]
            exported.add(name)
            if name not in names:
                yield pathlib.Path(library), 1, f"exports `{name}`, which no header of include/pdp declares"
    for name, path in names.items():
        if name not in exported:
            yield path, 1, f"`{name}` is declared but no library exports it"
    if not libraries:
        yield root, 1, "no library was given to look at"


EVIDENCE = {"SECURITY.md", "COMPLIANCE.md"}  # pages that say which test shows what
TEST_FILES = [
    (r"unit_([a-z]+)_([a-z_]+)", r"unit/\1/\2.c"),
    (r"(fuzz|diff|cases)_([a-z_]+)", r"\1/\1_\2.c"),
    (r"cases_([a-z_]+)", r"cases/\1.c"),
    (r"(fault|system)_([a-z0-9_]+)", r"\1/test_\2.c"),
    (r"system_([a-z0-9_]+)", r"system/test_\1.sh"),
    (r"diff_([a-z_]+)", r"diff/\1.sh"),
    (r"sim_([a-z_]+)", r"sim/\1.c"),
    (r"sim_([a-z_]+)", r"sim/\1.sh"),
]


def evidence(root):
    """Tests that a page names as what shows something are there."""
    for name in sorted(EVIDENCE):
        path = root / "docs" / name
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for test in re.findall(r"`((?:unit|fuzz|diff|cases|fault|system|sim)_[a-z0-9_]+)`", line):
                files = [re.sub(f"^{pattern}$", to, test) for pattern, to in TEST_FILES if re.fullmatch(pattern, test)]
                if not any((root / "tests" / file).exists() for file in files):
                    yield path, number, f"`{test}` is no test"


def main():
    root, rule = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    rules = {f.__name__: f for f in (floors, outside, adapters, banned, hot, files, headers, symbols, evidence)}
    found = list(rules[rule](root, sys.argv[3:]) if rule == "symbols" else rules[rule](root))
    for path, number, what in found:
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        print(f"{shown}:{number}: {what}")
    print(f"{rule}: {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
