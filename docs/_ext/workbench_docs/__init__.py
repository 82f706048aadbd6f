"""The part of the documentation that is made from the objects: an extension of Sphinx."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import workbench

from . import api, architecture, formulas, pages
from .found import Found
from .library import Library
from .markup import docstring

ROOT = Path(workbench.__file__).resolve().parents[1]


def setup(app: Sphinx) -> dict[str, Any]:
    """Pages before reading, docstrings while reading, mathematics while writing."""
    app.add_config_value("workbench_results", str(ROOT / "results"), "env", (str,))
    app.connect("builder-inited", write)
    app.connect("source-read", _present)
    app.connect("autodoc-process-docstring", _as_text)
    app.add_html_math_renderer("mathml", (formulas.inline, None), (formulas.display, None))
    return {"version": workbench.__version__, "parallel_read_safe": True, "parallel_write_safe": True}


def write(app: Sphinx) -> None:
    """The library, the API and the picture, into the folders ``library`` and ``api`` of the sources."""
    source = Path(app.srcdir)
    found = Found.read(Path(app.config.workbench_results))
    pages.write(Library(source / "gallery", found, source / "evidence.json"), source / "library")
    pages.keep(dict(api.pages()), source / "api")
    contract = architecture.contract(ROOT / "pyproject.toml")
    (source / "library" / "architecture.svg").write_text(architecture.svg(contract, ROOT), encoding="utf-8")
    (source / "library" / "architecture.md.txt").write_text(
        architecture.table(contract, ROOT), encoding="utf-8"
    )


def _present(app: Sphinx, name: str, source: list[str]) -> None:
    """In a list of pages ``benchmarks?`` stands for a page that is there once its numbers were measured."""

    def entry(found: re.Match[str]) -> str:
        return f"{found[1]}\n" if Path(app.srcdir, f"{found[1]}.md").exists() else ""

    if name == app.config.root_doc:
        source[0] = re.sub(r"^(\w+)\?\n", entry, source[0], flags=re.M)


def _as_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings here are plain text: what they hold of bars and stars is mathematics, not markup."""
    del app, what, name, thing, options
    lines[:] = docstring(lines)
