"""The library written as pages: a folder for each kind, a page for each object, an index for each folder."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from workbench.catalogue import CATALOGUE
from workbench.cli.listing import COLUMNS

from .library import KINDS, Library
from .markup import block, code, docstring, heading, text

INTRO = {
    "theorems": "Statements, run on every problem whose certified constants satisfy their assumptions.",
    "problems": "Functions whose constants are proved beside them, in instances.",
    "assumptions": "What can be said about a function: each is checked, estimated and refuted.",
    "methods": "Reference methods: pure steps in float64.",
    "options": "Samplings, laws of layers, compressors and polar factors: what methods take besides numbers.",
    "figures": "Recipes: each computes its numbers, keeps them and draws them.",
}
STATUS = {
    "SOURCED": "The statement was read at this place.",
    "DERIVED": "Ours in the setting of the source, and proved here; not to be cited as the paper's theorem.",
    "RECALLED": "From memory: shown, and never counted for or against.",
}
TEMPLATES = Path(__file__).parent / "templates"


def write(library: Library, folder: Path) -> None:
    """Write every page of the library into a folder."""
    keep(dict(all_pages(library)), folder)


def keep(pages: Mapping[str, str], folder: Path) -> None:
    """Make a folder hold these pages and no other.

    A page that is there with the same text keeps its date, so that a second build reads only what is new.
    """
    for path, content in pages.items():
        target = folder / f"{path}.rst"
        if not target.exists() or target.read_text(encoding="utf-8") != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    for left in folder.rglob("*.rst"):
        if left.relative_to(folder).as_posix().removesuffix(".rst") not in pages:
            left.unlink()


def all_pages(library: Library) -> Iterator[tuple[str, str]]:
    """(path without ending, text): the front page, the indices, the objects."""
    kinds = [(kind, len(library.names(kind)), INTRO[kind]) for kind in KINDS]
    yield "index", _filled("library.rst", kinds=kinds)
    for kind in KINDS:
        yield f"{kind}/index", index(kind)
        for name in library.names(kind):
            yield f"{kind}/{name}", page(library, kind, name)


def page(library: Library, kind: str, name: str) -> str:
    """The page of one object."""
    return _filled(f"{kind}.rst", **library.page(kind, name))


def index(kind: str) -> str:
    """The list of a kind, with the columns of `workbench list`; the first is a link."""
    columns, row = COLUMNS[kind]
    rows = []
    for entry in CATALOGUE[kind]:
        name, *cells = row(entry)
        rows.append([link(name, kind), *map(text, cells)])
    return _filled("index.rst", kind=kind, intro=INTRO[kind], columns=columns, rows=rows)


def link(name: str, kind: str) -> str:
    """To the page of an object; its name alone where there is none (a user's, a base class)."""
    known = {entry["id" if kind == "theorems" else "name"] for entry in CATALOGUE[kind]}
    return f":doc:`{text(name)} </library/{kind}/{name}>`" if name in known else code(name)


def instance(specification: str) -> str:
    """A specification, linked to the page of its outermost class."""
    family = specification.partition("(")[0]
    if link(family, "problems").startswith(":doc:"):
        return f":doc:`{text(specification)} </library/problems/{family}>`"
    return code(specification)


def _filled(template: str, **context: Any) -> str:
    made = _environment().get_template(template).render(context)
    return re.sub(r"\n{3,}", "\n\n", made).strip() + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False)
    environment.filters |= {
        "text": text,
        "code": code,
        "link": link,
        "instance": instance,
        "heading": heading,
        "block": lambda said, language="text": block(said.splitlines(), language),
        "docstring": lambda said: "\n".join(docstring(said.splitlines())),
        "meaning": STATUS.__getitem__,
        "title": {entry["id"]: entry["title"] for entry in CATALOGUE["theorems"]}.__getitem__,
    }
    return environment
