"""Legends from the LaTeX of theorems: all can be set, or are names."""

import numpy as np
import pytest

from figures.legend import WIDEST, bound_text, extent, mathtext, measured_text
from workbench.theorems import THEOREMS


@pytest.mark.parametrize("stated", [t for t in THEOREMS if t.kind != "equal"], ids=lambda t: t.id)
def test_every_theorem_has_a_legend_that_can_be_set(stated):
    for shown in (measured_text(stated), bound_text(stated)):
        if shown.startswith("$"):
            size = extent(shown)
            assert size is not None
            assert size[0] <= WIDEST
        else:
            assert shown.endswith(stated.id)


def test_most_of_the_short_claims_are_formulas():
    formulas = [bound_text(t).startswith("$") for t in THEOREMS if t.id.startswith(("gd/", "bpm/", "ppm/"))]
    assert np.mean(formulas) > 0.7


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\left(- \mu \mathrm{stepsize} + 1\right)^{k}", r"$\left(1 - \mu\, \mathrm{stepsize}\right)^{k}$"),
        (r"\left(\left(a + b\right)\right) c", r"$\left(a + b\right) c$"),
        (r"\tfrac1n x", None),
        (r"\begin{cases} 1 & \text{for}\: x \\0 & \text{otherwise} \end{cases}", None),
        (r"v_{k}_{0}", None),
        (" + ".join(["a"] * 40), None),
    ],
)
def test_what_matplotlib_cannot_set_is_translated_or_left(latex, shown):
    assert mathtext(latex) == shown
