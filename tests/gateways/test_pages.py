#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a page of docs/gateways shows is what the tests run: every file in `examples` of an adapter stands in a page, to the byte."""
import re
from support import ROOT, check, finish

BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```$", re.M | re.S)

pages = {page.name: BLOCK.findall(page.read_text()) for page in sorted((ROOT / "docs/gateways").glob("*.md"))}
files = sorted(ROOT.glob("adapters/*/examples/*"))
check(len(files) > 0, "there are examples")
for file in files:
    shown = [name for name, blocks in pages.items() if file.read_text() in blocks]
    check(len(shown) == 1, f"{file.relative_to(ROOT)} stands in one page of docs/gateways, as it is: {shown}")
index = (ROOT / "docs/gateways/README.md").read_text()
for name in pages:
    check(name == "README.md" or f"]({name}" in index, f"docs/gateways/README.md names {name}")
finish()
