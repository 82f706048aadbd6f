"""What a claim of each kind may say: checked when it is stated."""

import math
from typing import TYPE_CHECKING, Any

import sympy as sp

from workbench.claims import Recurrence, free_symbols
from workbench.symbols import OVER_STEPS, Word, product

if TYPE_CHECKING:
    from workbench.theorem import Theorem


def require_of_kind(theorem: "Theorem") -> None:
    """ValueError where the parts of a theorem do not make a claim of its kind."""
    _require_numbers(theorem)
    if theorem.kind == "step":
        _require_step(theorem)
    if theorem.kind in ("mean", "slope"):
        _require_mean(theorem)


def _require_numbers(theorem: "Theorem") -> None:
    for name, kind in (("failure", "hp"), ("exponent", "slope")):
        value = getattr(theorem, name)
        if (value is None) == (theorem.kind == kind):
            meant = "a probability in (0, 1)" if kind == "hp" else "a number"
            needs = f"a claim of kind {kind} needs {name}, {meant}"
            said = needs if value is None else f"{name} belongs to kind {kind}"
            raise ValueError(f"{theorem.id}: {said}; got {value!r} with kind {theorem.kind!r}")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{theorem.id}: {name} must be a number, got {value!r}")
    if theorem.failure is not None and not 0 < theorem.failure < 1:
        raise ValueError(f"{theorem.id}: failure must be a probability in (0, 1), got {theorem.failure!r}")
    if theorem.exponent is not None and not math.isfinite(theorem.exponent):
        raise ValueError(f"{theorem.id}: exponent must be finite, got {theorem.exponent!r}")


def _require_step(theorem: "Theorem") -> None:
    """The bound and the domain speak of the state; nothing speaks of earlier steps or of a horizon."""
    stated = [*theorem.rules, theorem.requires, theorem.measured, theorem.bound, theorem.when]
    if any(s.name == "K" for e in stated for s in free_symbols(e)):
        raise ValueError(f"{theorem.id}: a step claim may not mention the horizon K")
    for where in ("measured", "bound", "when"):
        side = getattr(theorem, where)
        if isinstance(side, Recurrence) or sp.sympify(side).has(*OVER_STEPS):
            raise ValueError(f"{theorem.id}: {where} of a step claim speaks of one step, got {side}")
        later = [s.name for s in free_symbols(side) if theorem.meaning(s.name).when == "next"]
        if not later and where == "measured":
            raise ValueError(
                f"{theorem.id}: measured of a step claim must speak of the next state, as gap_next does, "
                f"got {side}"
            )
        if later and where != "measured":
            raise ValueError(
                f"{theorem.id}: {where} of a step claim may not speak of the next state, "
                f"got {', '.join(later)}"
            )


def _require_mean(theorem: "Theorem") -> None:
    """The bound and the domain are known before the run; what is measured is nonnegative, term by term."""
    for where in ("bound", "when"):
        for symbol in free_symbols(getattr(theorem, where)):
            meaning = theorem.meaning(symbol.name)
            if meaning.kind == "quantity" and meaning.when != "start":
                raise ValueError(
                    f"{theorem.id}: {where} of a {theorem.kind} claim must be deterministic, "
                    f"but {symbol.name!r} is random; constants, hyperparameters, k, K and quantities "
                    f"at the start ({meaning.base}0) are accepted"
                )
    if isinstance(theorem.measured, Recurrence) or not _nonnegative(theorem, theorem.measured):
        raise ValueError(
            f"{theorem.id}: measured of a {theorem.kind} claim must be nonnegative, which "
            f"{theorem.measured} may not be; sums and products of nonnegative quantities, even powers, "
            "Abs and Max(..., 0) are; of a quantity of yours say so: Quantity(..., nonnegative=True)"
        )


def _nonnegative(theorem: "Theorem", e: Any) -> bool:
    """Whether an expression is nonnegative by its form: constants and hyperparameters count as positive."""
    e = sp.sympify(e)
    if isinstance(e, sp.Symbol):
        meaning = theorem.meaning(e.name)
        return meaning.kind != "quantity" or theorem.all_quantities[meaning.base].nonnegative
    if e.is_number:
        return bool(e >= 0)
    if isinstance(e, sp.Pow):
        return bool(e.args[1].is_even) or _nonnegative(theorem, e.args[0])
    if isinstance(e, sp.Max):
        return any(_nonnegative(theorem, a) for a in e.args)
    if isinstance(e, sp.Abs | sp.exp):
        return True
    if isinstance(e, sp.Piecewise):
        return all(_nonnegative(theorem, a.args[0]) for a in e.args)
    inside = isinstance(e, (sp.Add | sp.Mul | sp.Min | product, Word))
    return inside and all(_nonnegative(theorem, a) for a in e.args)
