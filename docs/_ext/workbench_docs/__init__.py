"""The part of the documentation that is made from the objects: an extension of Sphinx."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

import workbench

from . import api, architecture, built, formulas, pages
from .found import Found
from .library import Library
from .markup import docstring

ROOT = Path(workbench.__file__).resolve().parents[1]


def setup(app: Sphinx) -> dict[str, Any]:
    """Pages before reading, docstrings while reading, mathematics while writing, a look at what was built.

    workbench_results: the folder of a verification. workbench_objects: False for a site of hand-written
    pages alone, without those that are made from the objects.
    """
    app.add_config_value("workbench_results", str(ROOT / "results"), "env", (str,))
    app.add_config_value("workbench_objects", True, "env", (bool,))
    app.connect("builder-inited", write)
    app.connect("source-read", _present)
    app.connect("autodoc-process-docstring", _as_text)
    app.connect("autodoc-process-signature", _by_name)
    app.connect("build-finished", _require_well)
    app.add_html_math_renderer("mathml", (formulas.inline, None), (formulas.display, None))
    return {"version": workbench.__version__, "parallel_read_safe": True, "parallel_write_safe": True}


def write(app: Sphinx) -> None:
    """The library, the API and the picture, into the folders ``library`` and ``api`` of the sources."""
    if not app.config.workbench_objects:
        return
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


def _by_name(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Functions that are defaults of a dataclass, by their names instead of ``<function ... at 0x...>``."""
    del app, what, name, thing, options
    return re.sub(r"<function (\w+)(?: at 0x\w+)?>", r"\1", signature or "") or signature, returned


def _require_well(app: Sphinx, error: Exception | None) -> None:
    """SphinxError naming the pages with ``faults``."""
    wrong = [] if error or app.builder.format != "html" else list(built.faults(Path(app.outdir)))
    if wrong:
        raise SphinxError("\n".join(wrong))


def _as_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings here are plain text: what they hold of bars and stars is mathematics, not markup."""
    del app, what, name, thing, options
    lines[:] = docstring(lines)
