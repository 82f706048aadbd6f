"""The pages of the library, as data: what `workbench show` says of each object, with links and figures."""

import inspect
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import figures
from workbench.catalogue import CATALOGUE
from workbench.cli.evidence_page import COLUMNS, table
from workbench.cli.show import described
from workbench.registry import OPTIONS, Registry
from workbench.report.statements import statement
from workbench.theorem import Theorem

from .found import Found

KINDS = ("theorems", "problems", "assumptions", "methods", "options", "figures")
"""The folders of the library, in the order of the table of contents."""
ALGEBRA = ("rate", "steps", "units", "worst case", "identities", "multipliers", "proof found")
"""What algebra says of a theorem, by heading."""


@dataclass
class Library:
    """Every object of the rooms, for pages.

    pictures: the folder of the gallery, whose files bear the names of the figures. found: verdicts of a
    verification, if one was made. evidence: the rows beside the page of evidence.
    """

    pictures: Path
    found: Found
    evidence: Path
    registry: Registry = field(default_factory=Registry)
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    def names(self, kind: str) -> list[str]:
        """The objects of a kind, in the order of the catalogue."""
        return [entry["id" if kind == "theorems" else "name"] for entry in CATALOGUE[kind]]

    def page(self, kind: str, name: str) -> dict[str, Any]:
        """What the template of this kind is filled with."""
        return {"name": name, "folder": kind, **getattr(self, f"_{kind.removesuffix('s')}")(name)}

    def summaries(self, kind: str) -> Iterator[dict[str, Any]]:
        """One line for each object of a kind, as `workbench list` has it."""
        yield from CATALOGUE[kind]

    @cached_property
    def theorems(self) -> dict[str, Theorem]:
        """By id."""
        return {t.id: t for t in self.registry.theorems}

    def _said(self, name: str) -> dict[str, Any]:
        """Of a theorem; matching it with all problems is the long part of a build, and done once."""
        if name not in self._kept:
            self._kept[name] = described(name, self.registry, False)
        return self._kept[name]

    def _theorem(self, name: str) -> dict[str, Any]:
        theorem, said = self.theorems[name], self._said(name)
        return {
            **said,
            **statement(theorem),
            "norms": [
                repr(n) for n in (theorem.norm if isinstance(theorem.norm, tuple) else (theorem.norm,))
            ],
            "reasons": Counter(said["not applicable"].values()).most_common(),
            "algebra": {h: said[h] for h in ALGEBRA if said.get(h)},
            "constants": {c: a.__name__ for c, a in theorem.constants.items()},
            "found": self.found.of_theorem(name),
            "evidence": self._evidence(name),
            "pictures": self._pictures(theorem),
        }

    @cached_property
    def _rows(self) -> dict[str, Any]:
        if not self.evidence.exists():
            return {}
        return json.loads(self.evidence.read_text(encoding="utf-8"))["rows"]

    def _evidence(self, name: str) -> dict[str, str]:
        """What search and proof found, by column of the page of evidence; nothing where it has no row."""
        if name not in self._rows:
            return {}
        cells = dict(zip(COLUMNS, table([self._rows[name]])[0], strict=True))
        return {column: cells[column] for column in ("tight", "search", "exact", "published")}

    def _problem(self, name: str) -> dict[str, Any]:
        shown = described(name, self.registry, False)
        own = {text: described(text, self.registry, False) for text in shown["instances"]}
        return {
            **shown,
            "instances": own,
            "theorems": [t for t in self.theorems if own.keys() & {*self._said(t)["instances"]}],
            "counterexamples": [
                c for c in CATALOGUE["counterexamples"] if c["problem"].startswith(f"{name}(")
            ],
            "pictures": self._pictures(self._class(name)),
        }

    def _assumption(self, name: str) -> dict[str, Any]:
        kind = self._class(name)
        return {
            **described(name, self.registry, False),
            "constants": list(kind.constants()),
            "rows": [str(r) for r in self.registry.implications if kind in (*r.premises, r.gives)],
            "pictures": self._pictures(kind),
        }

    def _method(self, name: str) -> dict[str, Any]:
        kind = self._class(name)
        return {
            **described(name, self.registry, False),
            "source": kind.source,
            "quantities": sorted(kind.quantities),
            "pictures": self._pictures(kind),
        }

    def _option(self, name: str) -> dict[str, Any]:
        return {**described(name, self.registry, False), "pictures": []}

    def _figure(self, name: str) -> dict[str, Any]:
        recipe = next(r for r in figures.FIGURES if r.name == name)
        return {
            **described(name, self.registry, False),
            "about": inspect.getdoc(recipe) or "",
            "picture": self._picture(name),
            "theorems": [t.id for t in self.registry.theorems if _uses(recipe, t)],
            "methods": [m.__name__ for m in self.registry.methods if _uses(recipe, m)],
            "problems": [p.__name__ for p in self.registry.families if _uses(recipe, p)],
        }

    def _class(self, name: str) -> Any:
        known = (*self.registry.methods, *self.registry.families, *self.registry.assumptions, *OPTIONS)
        return next(c for c in known if c.__name__ == name)

    def _pictures(self, thing: Any) -> list[dict[str, str]]:
        """The figures whose recipe uses an object, those with a picture."""
        used = [r for r in figures.FIGURES if _uses(r, thing) and self._picture(r.name)]
        return [{"name": r.name, "see": r.see, "picture": self._picture(r.name)} for r in used]

    def _picture(self, name: str) -> str:
        path = self.pictures / f"{name}.png"
        return f"/{self.pictures.name}/{path.name}" if path.exists() else ""


def _uses(recipe: type, thing: Any) -> bool:
    """True if the module of the recipe has imported the object itself."""
    return any(value is thing for value in vars(sys.modules[recipe.__module__]).values())
