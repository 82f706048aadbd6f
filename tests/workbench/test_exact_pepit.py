"""The same chains on PEPit's points: the same numbers."""

import sys

import pytest

from workbench.theorems import THEOREMS
from workbench.worst_case import NoExactClassError, worst_case
from workbench.worst_case.pepit import PEPitMissingError, pepit_worst_case, require_pepit

BY_ID = {theorem.id: theorem for theorem in THEOREMS}
CASES = (
    ("gd/convex", 4),
    ("gd/strongly-convex", 1),
    ("ppm/convex", 3),
    ("subgradient/any-stepsizes", 3),
    ("nesterov/convex", 3),
    ("proximal-gradient/convex", 3),
    ("proximal-gradient/strongly-convex", 1),
    ("fista/convex", 3),
)


@pytest.mark.parametrize(("name", "steps"), CASES)
@pytest.mark.filterwarnings("ignore")
def test_pepit_has_the_same_value(name: str, steps: int):
    pytest.importorskip("PEPit")
    theirs = pepit_worst_case(BY_ID[name], steps=steps)
    assert worst_case(BY_ID[name], steps=steps).upper == pytest.approx(theirs, rel=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_compared_is_named():
    pytest.importorskip("PEPit")
    with pytest.raises(ValueError, match="SmoothFunctions are not compared with PEPit; convex classes are"):
        pepit_worst_case(BY_ID["gd/nonconvex"], steps=2)
    with pytest.raises(NoExactClassError, match="gd/pl has no exact worst case"):
        pepit_worst_case(BY_ID["gd/pl"])


def test_without_pepit_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "PEPit", None)
    with pytest.raises(PEPitMissingError, match=r"pip install 'workbench\[pep\]'"):
        require_pepit()
    with pytest.raises(PEPitMissingError, match="this needs PEPit"):
        pepit_worst_case(BY_ID["gd/convex"], steps=1)
