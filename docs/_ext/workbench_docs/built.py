"""The site as it was built, page by page: nothing from a network, nothing that was meant for a machine."""

import re
from collections.abc import Iterator
from pathlib import Path

LOADED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"((?:https?:)?//[^\"]*)\"")
MEANT_FOR_MACHINES = re.compile(r"&lt;class|&lt;function|object at 0x|\{\{ ?n_\w+ ?\}\}")
EMPTY_ITEM = re.compile(r"<li>(?:<p>)?\s*(?:</p>)?</li>")
WITH_FORMULAS = "theorems"
"""The folder whose pages all hold a formula."""


def faults(site: Path) -> Iterator[str]:
    """What is wrong with the pages of a site, one line each; none if all is well."""
    for page in sorted(site.rglob("*.html")):
        name, text = page.relative_to(site).as_posix(), page.read_text(encoding="utf-8")
        for address in LOADED.findall(text):
            yield f"{name} loads {address}"
        for found in sorted(set(MEANT_FOR_MACHINES.findall(text))):
            yield f"{name} shows {found}"
        if EMPTY_ITEM.search(text):
            yield f"{name} holds an item of a list without a text"
        if page.parents[1].name == WITH_FORMULAS and "<math " not in text:
            yield f"{name} holds no formula"
