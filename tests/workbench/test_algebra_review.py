"""What the algebra must not say: rates that hold for some constants only, pages that say too much."""

from typing import Any

import pytest
import sympy as sp

from assumptions import Smooth, StronglyConvex
from workbench.algebra.complexity import complexity
from workbench.algebra.rate import rates
from workbench.algebra.summary import summary
from workbench.cli.evidence import _refuted
from workbench.cli.evidence_page import page, table
from workbench.cli.evidence_rows import _exact, share
from workbench.methods import GradientDescent
from workbench.parts import Source
from workbench.registry import Registry
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.worst_case import worst_case

L, mu, k, dist0, gap, gap0 = symbols("L mu k dist0 gap gap0")


def claim(bound: Any) -> Theorem:
    return Theorem(
        id="user/claim", title="a claim", source=Source("none", "RECALLED"), method=GradientDescent,
        parameters={"stepsize": 1 / L}, assumes=(StronglyConvex, Smooth), measured=gap, bound=bound,
    )  # fmt: skip


def known(theorem: str) -> Theorem:
    return Registry(None).select_theorems([theorem])[0]


def test_the_slower_of_two_geometric_terms_depends_on_the_conditioning() -> None:
    """(1 - mu/L)^k is the slower one only where mu < L/2."""
    (found,) = rates(claim(gap0 * (1 - mu / L) ** k + gap0 * sp.Rational(1, 2) ** k))
    assert found.kind == "none"
    assert "depends on the constants" in str(found)
    assert complexity(found).kind == "none"


def test_the_slower_term_is_named_where_it_is_the_slower_for_all_constants() -> None:
    (found,) = rates(claim(gap0 * (1 - mu / L) ** k + gap0 * (1 - mu / L) ** (2 * k)))
    assert found.factor == 1 - mu / L


def row(theorem: Theorem, **exact: Any) -> dict[str, Any]:
    """A row of the page with what is asked here."""
    return {
        "theorem": theorem.id, "title": "a claim", "kind": theorem.kind, "status": theorem.source.status,
        "source": "none", "claim": "", "rate": [], "steps": [], "units": "", "tight": None,
        "search": {"verdict": "none found", "evaluations": 1, "ratio": 0.5, "problem": "P()"},
        "exact": {**_exact(theorem, summary(theorem)), **exact}, "published": None, "identities": [],
        "proof": [],
    }  # fmt: skip


def test_the_page_shows_the_ratio_of_the_two_sides_not_of_their_squares() -> None:
    theorem = known("proximal-gradient/strongly-convex")
    cases = [worst_case(theorem, steps=1, parameter=n, values={"mu_g": 0}) for n in range(3)]
    assert all(case.squared for case in cases)
    assert [share(c) for c in cases] == pytest.approx([c.ratio**0.5 for c in cases])
    made = row(theorem)
    assert made["exact"]["share"] == pytest.approx(max(made["exact"]["by_steps"].values()))
    made["exact"]["share"] = 0.9
    assert table([made])[0][4] == "0.9"


def test_the_page_says_where_a_worst_case_is_known_from_above_only() -> None:
    theorem = known("sgd/interpolation-step")
    made = row(theorem)
    assert made["exact"]["relaxed"]
    assert table([made])[0][4].startswith("<= ")
    assert "necessary only" in page([made], 1, 0)
    reached = row(known("sppm/smooth-step"))
    assert not reached["exact"]["relaxed"]
    assert table([reached])[0][4] == "1"


def test_the_page_names_rules_without_a_worst_case() -> None:
    """Two terms have no proximal step of a minibatch of both."""
    made = row(known("sppm/smooth-step"))
    assert "minibatch = 2" in " ".join(made["exact"]["failed"])
    assert "without worst case: proximal steps of one term" in page([made], 1, 0)


@pytest.mark.parametrize(("status", "told"), [("DERIVED", True), ("RECALLED", False)])
def test_a_refuted_worst_case_counts_as_a_refutation(status: str, told: bool) -> None:
    rows = {"search": {"verdict": "none found"}, "exact": {"verdict": "refuted"}, "status": status}
    assert _refuted(rows) is told
    assert not _refuted({**rows, "exact": {"outside": "no class"}})


def test_a_refuted_rule_comes_before_one_that_is_closer_to_the_bound() -> None:
    false = claim(L * dist0**2 / 1000)
    assert _exact(false, summary(false))["verdict"] == "refuted"
