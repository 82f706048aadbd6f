"""Places at which the symbols of a claim become numbers, to decide which of two terms is the larger."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from workbench.claims import Recurrence, axes_of, free_symbols
from workbench.expressions import Evaluator
from workbench.symbols import OVER_CLIENTS, OVER_LAYERS
from workbench.theorem import Theorem
from workbench.verify.environment import solve_rules

LARGE, SMALL = 2.0, 0.1
_NUMBERS: Mapping[str, float] = {
    "d": 4.0,
    "n_terms": 5.0,
    "n_clients": 3.0,
    "n_layers": 3.0,
    "n_parts": 3.0,
    "with_noise": 0.0,
    "L1_max": 0.02,
    "q_server_i": 0.4,
    "q_worker_i": 0.3,
    "p_i": 0.5,
    "p_j": 0.5,
    "rho_low_i": 0.7,
    "a_i": 0.7,
    "delta": 0.3,
    "delta_star": 0.3,
    "sigma": 0.5,
    "dist0": 3.0,
    "gap0": 1.0,
    "star_i": 0.8,
    "start_i": 0.6,
}
_CHANGES: tuple[Mapping[str, float], ...] = (
    {},
    {"with_noise": 1.0, "dist0": 0.4, "gap0": 5.0},
    {"n_terms": 1.0, "n_clients": 1.0, "n_layers": 1.0, "L_f": 0.0, "with_noise": 0.0},
    {"n_layers": 1.0, "with_noise": 1.0},
    {"L1_descent_i": 0.0, "L_f": 0.0, "dist0": 2.0},
    {
        **dict.fromkeys(("mu", "mu_f", "mu_component", "mu_pl"), 0.95),
        **dict.fromkeys(("L", "L_f", "L_max"), 1.0),
    },
)
"""Ordinary constants; noise and other starts; a single term, client, layer; a single layer; no L1; moduli of
convexity close to those of smoothness."""

AT = {"k": 3.0, "K": 10.0}

Place = Mapping[str, Tensor]
"""Symbol -> its value, (1, 1, *axes)."""


def places(theorem: Theorem, rules: Mapping[str, Any]) -> list[dict[str, Tensor]]:
    """Values of all that the claim and these rules name, where it applies; what changes, at k = 3 of K = 10.

    Empty if ``requires`` holds at none. A recursion is not evaluated.
    """
    return [place for place in map(dict, _all(theorem, rules)) if _applies(theorem, place)]


def _all(theorem: Theorem, rules: Mapping[str, Any]) -> Iterator[dict[str, Tensor]]:
    names = _names(theorem, rules)
    late = _after_recursions(rules)
    solvable = {n: rule for n, rule in rules.items() if n not in late}
    for change in _CHANGES:
        layers = int(change.get("n_layers", 3))
        known = {n: _value(n, change, layers) for n in names}
        known |= {"size_i": torch.full((1, 1, layers), 4.0, dtype=torch.float64)}
        known |= {n: torch.full((1, 1), value, dtype=torch.float64) for n, value in AT.items()}
        yield {**known, **solve_rules(solvable, known, 1)}


def _names(theorem: Theorem, rules: Mapping[str, Any]) -> list[str]:
    sides = (theorem.measured, theorem.bound, theorem.when, theorem.requires, *rules.values())
    used = {s.name for side in sides for s in free_symbols(side)} - {"k", "K"} - set(theorem.fields)
    return sorted(used)


def changing(rules: Mapping[str, Any]) -> set[str]:
    """Hyperparameters whose value depends on the step or on the horizon."""
    return _reached(rules, {"k", "K"} | _recursions(rules)) - {"k", "K"}


def _after_recursions(rules: Mapping[str, Any]) -> set[str]:
    return _reached(rules, _recursions(rules))


def _recursions(rules: Mapping[str, Any]) -> set[str]:
    return {n for n, rule in rules.items() if isinstance(rule, Recurrence)}


def _reached(rules: Mapping[str, Any], first: set[str]) -> set[str]:
    """These names and all whose rules depend on them."""
    found = set(first)
    while more := {n for n, r in rules.items() if {s.name for s in free_symbols(r)} & found} - found:
        found |= more
    return found


def _value(name: str, change: Mapping[str, float], layers: int) -> Tensor:
    stem = name.split("_")[0]
    usual = SMALL if stem in ("mu", "tau") else LARGE if stem in ("L", "L0") else 1.0
    size = {"L_max": 3.0, "L_avg": 2.5}.get(name, usual)
    number = change.get(name, _NUMBERS.get(name, size))
    shape = (1, 1, *(layers for _ in axes_of(name)))
    spread = torch.linspace(1.0, 1.1, max(1, int(torch.Size(shape).numel())), dtype=torch.float64)
    return number * spread.reshape(shape)


def _applies(theorem: Theorem, place: Mapping[str, Tensor]) -> bool:
    used = {s.name for s in free_symbols(theorem.requires)}
    if used - set(place):
        return True
    return bool(Evaluator(place, 1)(theorem.requires).all())


def slope_seen(theorem: Theorem, rules: Mapping[str, Any], steps: int = 128) -> str:
    """The slope of the bound over log k between steps / 2 and steps, at the first place, as text."""
    if (values := bound_along(theorem, rules, steps)) is None:
        return "its values depend on the path"
    middle, last = float(values[0, steps // 2]), float(values[0, -1])
    if not 0 < last < math.inf > middle > 0:
        return f"{last:g} at k = {steps}"
    return f"slope {math.log2(last / middle):.2f} seen between k = {steps // 2} and {steps}"


def bound_along(theorem: Theorem, rules: Mapping[str, Any], steps: int, at: int = 0) -> Tensor | None:
    """The bound at every k <= steps = K, rules in it, as a run would evaluate it; (1, K + 1).

    At the place number ``at`` of those where the theorem applies. None where it names what a run decides.
    """
    named = (theorem.meaning(s.name) for s in free_symbols(theorem.bound))
    if any(m.kind == "quantity" and m.when != "start" for m in named):
        return None
    where = (places(theorem, rules) or [*_all(theorem, rules)])[at]
    known = {n: v for n, v in where.items() if n not in rules}
    known["k"] = torch.arange(steps + 1, dtype=torch.float64)[None]
    known["K"] = torch.full((1, 1), float(steps), dtype=torch.float64)
    solved = solve_rules(rules, known, steps)
    return Evaluator({**known, **solved}, steps)(theorem.bound).expand(1, steps + 1)


def numbers(e: Any, place: Place) -> Tensor:
    """The value of an expression at a place, one number for each layer and client that it names."""
    side = sp.sympify(e)
    return Evaluator(place, 1)(side, _axes(side)).reshape(-1)


def _axes(e: sp.Basic) -> str:
    """Axes of an expression that no reduction in it removes, as ``Evaluator`` takes them."""
    if isinstance(e, sp.Symbol):
        return axes_of(e.name)
    inner = "".join(_axes(a) for a in e.args)
    gone = "i" if isinstance(e, OVER_LAYERS) else "j" if isinstance(e, OVER_CLIENTS) else ""
    return "".join(axis for axis in "ji" if axis in inner and axis != gone)
