"""The document as one HTML page that needs nothing else: no network, no server."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from workbench.report.matrix import static_legend, static_matrix
from workbench.report.summary import summary

SCRIPTS = ("data.js", "matrix.js", "statement.js", "plot.js", "changes.js", "main.js")
_SLOT = re.compile(r"@(\w+)@")


def page(document: Mapping[str, Any]) -> str:
    """A page whose policy lets it load nothing and run its own script alone, known by its hash.

    Texts of the document come to stand in the page as data; the script shows them as text, never as HTML.
    Without the script the page is a table, made here.
    """
    style = _part("page.css")
    script = '"use strict";\n' + "\n".join(_part(name) for name in SCRIPTS)
    slots = {
        "title": html.escape(" against ".join(folder["name"] for folder in document["folders"])),
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "data": embedded(document),
        "overview": html.escape(summary(document)),
        "matrix": static_matrix(document),
        "legend": static_legend(document),
    }
    return _SLOT.sub(lambda found: slots[found[1]], _part("page.html"))


def embedded(document: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element in which it stands."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))  # ASCII: all else is escaped
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _part(name: str) -> str:
    return (files("workbench") / "report" / "template" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
