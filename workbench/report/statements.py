"""What theorems say, for a reader of results."""

import inspect
import re
from collections.abc import Sequence
from typing import Any

from workbench.records import source_hash
from workbench.registry import Registry
from workbench.report.mathml import mathml
from workbench.statement import claim_latex, claim_text, condition_text, rules_text
from workbench.theorem import Theorem
from workbench.well_stated import swept

KINDS = {
    "path": "on every run, at every step",
    "exact": "with equality, on every run, at every step",
    "equal": "two methods make the same iterates",
    "step": "in expectation over one step, at any state",
    "mean": "in expectation, at every step",
    "hp": "at every step at once, with high probability",
    "slope": "a rate: in expectation, over horizons K",
}
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})(v\d+)?")


class Library:
    """The theorems whose statements can be shown: the library's, then those of a user's file.

    registry: what is known; the library alone if None.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        registry = registry or Registry()
        self.theorems = {t.id: t for t in registry.theorems}
        user = registry.user
        self.codes = frozenset({source_hash(), source_hash(user.sources if user else ())})

    def in_order(self, ids: Sequence[str]) -> list[str]:
        """Without repetition, in the order of the library; unknown ones last, as they came."""
        given = list(dict.fromkeys(ids))
        return [t for t in self.theorems if t in given] + [t for t in given if t not in self.theorems]

    def known(self, ids: Sequence[str]) -> list[Theorem]:
        """Those of these theorems that have a statement."""
        return [self.theorems[name] for name in self.in_order(ids) if name in self.theorems]


def statement(theorem: Theorem) -> dict[str, Any]:
    """Everything that a page shows of it, as plain JSON values."""
    latex = claim_latex(theorem)
    norms = swept(theorem.norm)
    return {
        "title": theorem.title,
        "claim": claim_text(theorem),
        "latex": latex,
        "mathml": mathml(latex),
        "kind": theorem.kind,
        "speaks": KINDS[theorem.kind],
        "methods": [m.__name__ for m in theorem.methods],
        "assumes": [[a.__name__, _first_line(a)] for a in theorem.assumes],
        "norms": [repr(n) for n in norms],
        "parameters": rules_text(theorem),
        "requires": condition_text(theorem.requires),
        "when": condition_text(theorem.when),
        "paper": theorem.source.paper,
        "paper_title": theorem.source.title,
        "url": paper_url(theorem.source.paper),
        "status": theorem.source.status,
        "where": theorem.source.where,
        "proof": theorem.proof,
    }


def paper_url(paper: str) -> str:
    """Where an arXiv paper is read; empty for any other."""
    found = _ARXIV.fullmatch(paper)
    return f"https://arxiv.org/abs/{found[1]}{found[2] or ''}" if found else ""


def arxiv_number(paper: str) -> str:
    """``2502.02002`` of ``arXiv:2502.02002v2``; empty for any other paper."""
    found = _ARXIV.fullmatch(paper)
    return found[1] if found else ""


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]
