"""A theorem as a programme: its assumptions give the class, its method the chain, its sides the forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from assumptions import (
    EUCLIDEAN,
    BoundedDomain,
    Convex,
    Lipschitz,
    Smooth,
    SmoothPart,
    StronglyConvex,
    StronglyConvexProxPart,
    StronglyConvexSmoothPart,
)
from workbench.claims import Recurrence, free_symbols
from workbench.methods import ConditionalGradient, ProximalPoint
from workbench.theorem import Theorem
from workbench.worst_case.chain import CHAINS, States
from workbench.worst_case.classes import (
    BoundedIndicators,
    ConvexFunctions,
    FunctionClass,
    LipschitzConvexFunctions,
    SmoothFunctions,
)
from workbench.worst_case.gram import NOTHING, ORIGIN, Basis, Form, Vector, square
from workbench.worst_case.model import Unknown
from workbench.worst_case.programme import Programme
from workbench.worst_case.reading import Side, UnreadableError, choices, expanded, pair
from workbench.worst_case.scaling import (
    STEADY,
    changes,
    differentiable,
    redefined,
    require_comparable,
    require_one_star,
)
from workbench.worst_case.setting import Setting, setting_of, start_names

Constants = Mapping[str, Fraction]

SINGLE: Mapping[frozenset[type], Callable[[Constants], FunctionClass]] = {
    frozenset({Convex}): lambda _: ConvexFunctions(),
    frozenset({StronglyConvex}): lambda c: ConvexFunctions(c["mu"]),
    frozenset({Convex, Smooth}): lambda c: ConvexFunctions(0, c["L"]),
    frozenset({StronglyConvex, Smooth}): lambda c: ConvexFunctions(c["mu"], c["L"]),
    frozenset({Convex, Lipschitz}): lambda c: LipschitzConvexFunctions(c["G"]),
    frozenset({Smooth}): lambda c: SmoothFunctions(c["L"]),
}
"""Assumptions on one function -> its class."""

COMPOSITE: Mapping[frozenset[type], Callable[[Constants], FunctionClass]] = {
    frozenset({SmoothPart, StronglyConvexSmoothPart, StronglyConvexProxPart}): lambda c: ConvexFunctions(
        c["mu_g"]
    ),
    frozenset({SmoothPart, StronglyConvexSmoothPart, BoundedDomain}): lambda c: BoundedIndicators(
        c["diameter"]
    ),
}
"""Assumptions on f + h, f smooth and convex -> the class of h."""


class NoExactClassError(ValueError):
    """A theorem that is outside every class with interpolation conditions; says why, offers the search."""


@dataclass(frozen=True)
class Question:
    """A claim as a programme: the smallest of ``programme.objective`` is at most ``bound``, says the theorem.

    squared: both sides of the claim were squared. functions: f, or f and h, with what is known of them.
    signed: the bound may be negative; then ``upper <= bound`` proves the claim only if the normalisation has
    a positive multiplier, which with a nonnegative measure says that the bound is nonnegative.
    """

    programme: Programme
    bound: Fraction
    squared: bool
    setting: Setting
    functions: tuple[Unknown, ...]
    signed: bool = False


def outside(theorem: Theorem) -> str | None:
    """Why a theorem has no deterministic chain over a class with interpolation conditions; None if it has."""
    if theorem.kind not in ("path", "step"):
        return f"a claim of kind {theorem.kind} is not one about the worst run"
    if isinstance(theorem.norm, tuple) or theorem.norm != EUCLIDEAN:
        return f"a Gram matrix holds Euclidean lengths only, its norm is {theorem.norm!r}"
    if len(theorem.methods) != 1 or theorem.methods[0] not in CHAINS:
        names = ", ".join(m.__name__ for m in theorem.methods)
        known = ", ".join(sorted(m.__name__ for m in CHAINS))
        return f"{names} is not written as a chain of exact steps (those are {known})"
    if frozenset(theorem.assumes) not in {*SINGLE, *COMPOSITE}:
        names = ", ".join(a.__name__ for a in theorem.assumes) or "nothing"
        return f"functions with {names} have no interpolation conditions here"
    return redefined(theorem)


def question(
    theorem: Theorem, steps: int, values: Mapping[str, Any] | None = None, parameter: int = 0
) -> Question:
    """The programme of a theorem after ``steps`` steps, with the ``parameter``-th of its swept rules.

    A claim about one step that holds at any state is read from a free state after one step, whatever
    ``steps``. NoExactClassError, ValueError.
    """
    reason = outside(theorem)
    if reason is not None:
        raise no_class(theorem, reason)
    variants = theorem.variants()
    if not 0 <= parameter < len(variants):
        raise ValueError(f"{theorem.id}: parameter must be in 0..{len(variants) - 1}, got {parameter!r}")
    variant = variants[parameter]
    setting = setting_of(theorem, variant, 1 if _one_step(theorem, variant) else steps, values)
    try:
        measured = choices(expanded(theorem.measured, setting, setting.at))
        sides, bound, squared = pair(measured, expanded(theorem.bound, setting, setting.at))
    except UnreadableError as error:
        raise no_class(theorem, str(error)) from None
    return _assembled(setting, sides, bound, squared)


def no_class(theorem: Theorem, reason: str) -> NoExactClassError:
    """The error for a theorem outside; offers the search."""
    return NoExactClassError(
        f"{theorem.id} has no exact worst case: {reason}; search for one: workbench falsify {theorem.id}"
    )


def _one_step(theorem: Theorem, variant: Mapping[str, Any]) -> bool:
    """True if the claim is about one step from any state: no start, no memory, no schedule."""
    if theorem.kind == "step":
        if changes(theorem, variant):
            raise no_class(theorem, STEADY)
        return True
    sides = [theorem.measured, theorem.bound, theorem.when]
    names = {s.name for side in [*sides, *variant.values()] for s in free_symbols(side)}
    if isinstance(theorem.bound, Recurrence) or names & {"k", "K"} or start_names(theorem, sides):
        return False
    return bool(theorem.next_names) and theorem.methods[0].free in ((), ("x",))


def _functions(setting: Setting, basis: Basis) -> tuple[list[Unknown], Vector]:
    """The functions with their minimiser at the origin, and the start."""
    assumed, constants = frozenset(setting.theorem.assumes), setting.constants
    if assumed in SINGLE:
        f = Unknown(basis, "f", SINGLE[assumed](constants))
        if isinstance(f.kind, SmoothFunctions):
            f.f_star = NOTHING
            return [f], ORIGIN
        f.know(ORIGIN, ORIGIN, NOTHING, "*")
        return [f], basis.vector("x0")
    slope = basis.vector("g*")
    f = Unknown(basis, "f", ConvexFunctions(constants["mu_f"], constants["L_f"]), slope)
    h = Unknown(basis, "h", COMPOSITE[assumed](constants), -slope)
    f.know(ORIGIN, slope, NOTHING, "*")
    h.know(ORIGIN, -slope, NOTHING, "*")
    x0 = basis.vector("x0")
    if isinstance(h.kind, BoundedIndicators) and setting.theorem.methods == (ConditionalGradient,):
        h.at(x0)
    return [f, h], x0


class _Reader:
    """Quantities of a chain as forms."""

    def __init__(self, setting: Setting, functions: list[Unknown], states: States) -> None:
        self.setting, self.functions, self.states = setting, functions, states

    def __call__(self, name: str, step: int) -> Form:
        """gap, or the square of dist, gradnorm, estimate_dist, moved at a step."""
        state = self.states[step]
        x = state["x"]
        if name == "gap":
            parts = [f.at(x).f for f in self.functions if not isinstance(f.kind, BoundedIndicators)]
            return sum(parts, start=NOTHING)
        if name == "gradnorm" and len(self.functions) == 1:
            if self.setting.theorem.methods == (ProximalPoint,) and not differentiable(self.functions[0]):
                raise UnreadableError("at a kink gradnorm is of any subgradient, not that of the step")
            return square(self.functions[0].at(x).g)
        minimiser = not isinstance(self.functions[0].kind, SmoothFunctions)
        if name == "dist" and minimiser:
            return square(x)
        if name == "moved" and step >= 1:
            return square(x - self.states[step - 1]["x"])
        if name == "estimate_dist" and minimiser:
            beta = self.setting.rules[min(step, self.setting.steps - 1)]["beta"]
            return square(state["y"] + (state["y"] - x) * ((1 + beta) / (1 - beta)))
        raise UnreadableError(f"{name} at step {step} is not a form for this class")


def _assembled(setting: Setting, sides: list[Side], bound: Side, squared: bool) -> Question:
    theorem, basis = setting.theorem, Basis()
    functions, x0 = _functions(setting, basis)
    h = functions[1] if len(functions) == 2 else None
    free_pair = setting.steps == 1 and theorem.kind == "step" and "y" in theorem.methods[0].free
    second = {"y0": basis.vector("y0")} if free_pair else {}
    states = CHAINS[theorem.methods[0]](functions[0], h, x0, setting.rules, **second)
    read = _Reader(setting, functions, states)
    try:
        signed = require_comparable(sides, bound)
        require_one_star(sides, bound, functions)
        objective = tuple(side.form(read) for side in sides)
        normal, equalities, limit = _normalised(setting, bound, read)
    except UnreadableError as error:
        raise no_class(theorem, str(error)) from None
    constraints = {name: form for f in functions for name, form in f.conditions().items()}
    programme = Programme(basis, objective, {**constraints, **normal}, equalities)
    return Question(programme, limit, squared, setting, tuple(functions), signed)


def _normalised(
    setting: Setting, bound: Side, read: _Reader
) -> tuple[dict[str, Form], dict[str, Form], Fraction]:
    """(constraints, equalities, value of the bound): the start is fixed where the rules or the class do.

    Starts that the rules mention are fixed; they are numbers in the bound. Otherwise the claim is homogeneous
    in f and x, and it is enough to look where the bound is at most what it is with all its quantities 1 (at
    most 1, where it may be negative). UnreadableError for a bound with a scale and quantities beside it.
    """
    equalities = {
        name: read(name[:-1], 0) - (value if name == "gap0" else value**2)
        for name, value in setting.starts.items()
    }
    if not bound.terms:
        return {}, equalities, bound.const
    if bound.const != 0 or equalities:
        free = ", ".join(sorted({f"{name} at step {step}" for name, step in bound.terms}))
        raise UnreadableError(
            f"its bound does not scale with {free}: a number is fixed beside it (a start can be fixed too: "
            "dist0 or gap0 in values)"
        )
    whole = sum(bound.terms.values(), start=Fraction(0))
    limit = whole if all(c > 0 for c in bound.terms.values()) else Fraction(1)
    return {"normalisation": bound.form(read) - limit}, equalities, limit
