"""Units of claims: the whole library agrees, and a claim that mixes lengths and values is named."""

import dataclasses

import pytest
import sympy as sp

import assumptions
from assumptions import Assumption, Convex, Smooth
from workbench import Source, Theorem, symbols
from workbench.algebra.unit_tables import CONSTANTS, FIELDS, FIELDS_OF
from workbench.algebra.units import check_units, parsed, written
from workbench.methods import GradientDescent
from workbench.registry import Registry

THEOREMS = {t.id: t for t in Registry().theorems}
FOUND = {name: check_units(t) for name, t in THEOREMS.items()}
WITH_NUMBERS = {"gluon/schedule", "gluon/schedule-steady", "gluon/schedule-l0l1", "gluon/rate"}
"""Recursions and rates for radii that are plain numbers, which are written into the bound."""
stepsize, L, gap, gap0, dist0, dist, gap_next, k, gradnorm = symbols(
    "stepsize L gap gap0 dist0 dist gap_next k gradnorm"
)


def claim(**changes) -> Theorem:
    made = {
        "id": "mine/claim",
        "title": "",
        "source": Source("", "RECALLED"),
        "method": GradientDescent,
        "parameters": {"stepsize": 1 / L},
        "assumes": (Convex, Smooth),
        "measured": gap,
        "bound": L * dist0**2 / k,
    }
    return Theorem(**{**made, **changes})


def test_every_claim_of_the_library_agrees():
    assert not {name for name, u in FOUND.items() if not u.agree}
    assert not {name: u.wrong for name, u in FOUND.items() if u.wrong}


def test_numbers_of_a_rule_stand_in_no_other_claim():
    """A new claim that agrees only once a unit is 1 must be looked at before it is listed above."""
    excused = {name for name, u in FOUND.items() if u.excused}
    assert excused == WITH_NUMBERS
    fixed = {unit for name in excused for _, unit in FOUND[name].fixed}
    assert fixed == {"x"}


def test_every_constant_and_hyperparameter_has_a_unit_that_reads():
    texts = [*CONSTANTS.values(), *FIELDS.values(), *FIELDS_OF.values()]
    assert [written(parsed(text)) for text in texts] == texts
    kinds = [getattr(assumptions, name) for name in assumptions.__all__]
    classes = [c for c in kinds if isinstance(c, type) and issubclass(c, Assumption)]
    named = {n for c in classes for n in (*c.constants(), *c.derived)}
    assert named - set(CONSTANTS) == {"eb", "phi_scale"}  # units of these depend on a power and a function
    fields = {n for t in THEOREMS.values() for n in t.fields if n not in t.options}
    assert {"stepsize", "radius_i", "dual_stepsize_j"} <= fields & set(FIELDS)
    used = {n for t in THEOREMS.values() for n in t.uses if t.meaning(n).kind == "field"}
    assert used <= set(FIELDS)


def test_a_good_claim_says_its_unit():
    assert str(check_units(claim())) == "agree (f)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bound": L * dist0 / k}, "f and f / x"),
        ({"bound": gap0 + dist0}, "f and x"),
        ({"measured": gap + gradnorm}, "f and f / x"),
        ({"bound": sp.exp(-dist0) * gap0}, "argument of exp(-dist0): 1 and x"),
        ({"bound": gap0 * L**k}, "base of L**k: 1 and f / x^2"),
        ({"bound": gap0 / k**dist0}, "exponent of"),
        ({"bound": gap0, "when": gap <= dist}, "when, "),
        ({"bound": gap0, "requires": stepsize <= L}, "requires, "),
        ({"bound": sp.Max(gap0, L)}, "Max(L, gap0)"),
        ({"measured": gap_next - gap, "bound": sp.Piecewise((gap0, k > 1), (dist0, True))}, "Piecewise"),
    ],
    ids=["a power", "sum", "measured", "exp", "base", "exponent", "when", "requires", "max", "piecewise"],
)
def test_a_mismatch_is_named(change, said):
    found = check_units(claim(**change))
    assert not found.agree
    assert said in str(found)


def test_a_rule_that_is_a_number_fixes_a_unit_and_excuses_nothing_else():
    steady = claim(parameters={"stepsize": sp.Rational(1, 2)}, bound=dist0**2 / (stepsize * k))
    found = check_units(steady)
    assert found.agree
    assert found.fixed == (("stepsize", "f / x^2"),)
    assert not found.excused
    written_in = dataclasses.replace(steady, bound=2 * dist0**2 / k)
    assert check_units(written_in).agree
    assert check_units(written_in).excused
    assert not check_units(dataclasses.replace(steady, bound=2 * dist0 / k)).agree


def test_zero_and_infinity_have_any_unit():
    assert check_units(claim(bound=0)).agree
    assert check_units(claim(bound=sp.Max(0, gap0))).agree
    assert check_units(claim(bound=sp.Min(gap0, sp.Integer(10) ** 300))).agree


def test_a_quantity_without_a_unit_is_named():
    own = {"mine": lambda problem, method, state: state.x[..., 0]}
    found = check_units(claim(quantities=own, measured=symbols("mine"), bound=gap0))
    assert str(found) == "not checked: the unit of mine is not stated"
    assert not found.agree


def test_units_are_written_with_x_and_f():
    with pytest.raises(ValueError, match="written with x and f"):
        parsed("metres")
    assert written(parsed("1")) == "1"
    assert written(parsed("f x / x^3")) == "f / x^2"
