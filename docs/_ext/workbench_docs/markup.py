"""Plain text as reStructuredText: docstrings hold bars, stars and underscores of mathematics."""

import re
from collections.abc import Sequence

_MARKS = re.compile(r"([\\*`|_<>\[\]])")
_LITERAL = re.compile(r"(``.+?``)", re.S)
_ITEM = re.compile(r"[-*] ")
_LIST = re.compile(r"^(?:[-+]|\(?(?:[A-Za-z]|\d+|[ivxlcdm]+|#)[.)])(?=\s|$)")


def text(plain: str) -> str:
    """Escaped, but for what stands between double backticks; ``-`` or ``n.`` in front begins no list."""
    parts = _LITERAL.split(" ".join(plain.split()))
    shown = "".join(p if _LITERAL.fullmatch(p) else _escaped(p) for p in parts)
    return _LIST.sub(r"\\\g<0>", shown)


def code(plain: object) -> str:
    """An inline literal; nothing for nothing."""
    shown = " ".join(str(plain).split())
    return f"``{shown}``" if shown else ""


def heading(plain: str, mark: str = "=") -> str:
    """A title with its line."""
    shown = text(plain)
    return f"{shown}\n{mark * len(shown)}\n"


def block(lines: Sequence[str], language: str = "text") -> str:
    """A literal block."""
    return "\n".join([f".. code-block:: {language}", "", *(f"   {line}".rstrip() for line in lines), ""])


def docstring(lines: Sequence[str]) -> list[str]:
    """A docstring: paragraphs as text, lists as lists, what is indented or aligned as it stands."""
    shown: list[str] = []
    for paragraph in _paragraphs(lines):
        first = paragraph[0]
        if _ITEM.match(first):
            shown += _items(paragraph)
        elif any(line.startswith(" ") or "   " in line.strip() for line in paragraph):
            shown += block(paragraph).split("\n")
        else:
            shown += [text(" ".join(paragraph)), ""]
    return shown


def _escaped(plain: str) -> str:
    return _MARKS.sub(r"\\\1", plain)


def _items(paragraph: Sequence[str]) -> list[str]:
    items: list[str] = []
    for line in paragraph:
        if _ITEM.match(line):
            items.append(line[2:])
        else:
            items[-1] += f" {line.strip()}"
    return [*(f"- {text(item)}" for item in items), ""]


def _paragraphs(lines: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    return [p for p in found if p]
