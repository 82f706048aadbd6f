"""Claims about one step of a random method from any state: draws enumerated, expectation is linear."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from assumptions import (
    EUCLIDEAN,
    AverageSmooth,
    ComponentConvex,
    ComponentSmooth,
    ComponentStronglyConvex,
    Convex,
    ConvexTerms,
    Interpolation,
    Smooth,
    SmoothPart,
    StarVariance,
    StronglyConvex,
    StronglyConvexSmoothPart,
)
from workbench.methods import PAGE, SAGA, LooplessSVRG, PointSAGA, ProxSkip
from workbench.theorem import Theorem
from workbench.worst_case.classes import ConvexFunctions, FunctionClass, SmoothFunctions
from workbench.worst_case.finite_sum import AnyFunctions, FiniteSum, composite, expectation
from workbench.worst_case.gram import Form, square
from workbench.worst_case.model import Unknown
from workbench.worst_case.programme import Programme
from workbench.worst_case.reading import UnreadableError
from workbench.worst_case.scaling import STEADY, changes, redefined, require_comparable
from workbench.worst_case.setting import Setting
from workbench.worst_case.step_chain import STEPS, State
from workbench.worst_case.step_setting import SPREAD, side, step_setting
from workbench.worst_case.translate import Question, no_class

KNOWN = {
    ComponentConvex, ComponentSmooth, ComponentStronglyConvex, Convex, Smooth, StronglyConvex,
    StarVariance, Interpolation, AverageSmooth,
}  # fmt: skip
COMPOSITE = {SmoothPart, StronglyConvexSmoothPart, ConvexTerms}


def outside(theorem: Theorem) -> str | None:
    """Why a theorem is not one whose outcomes are enumerated here; None if it is."""
    if theorem.kind != "step":
        return f"a claim of kind {theorem.kind} is not about one step from any state"
    if len(theorem.methods) != 1 or theorem.methods[0] not in STEPS:
        return "its method is not enumerated: " + ", ".join(m.__name__ for m in theorem.methods)
    if theorem.norm != EUCLIDEAN:
        return f"a Gram matrix holds Euclidean lengths only, its norm is {theorem.norm!r}"
    known = COMPOSITE if theorem.methods[0] is ProxSkip else KNOWN
    strange = [a.__name__ for a in theorem.assumes if a not in known]
    if strange:
        return f"{', '.join(strange)} is not a condition on a Gram matrix here"
    return redefined(theorem)


def step_question(
    theorem: Theorem, values: Mapping[str, Any] | None = None, parameter: int = 0
) -> tuple[Question, bool]:
    """(the programme: measured, in the mean, where the bound is at most 1; True if its optimum is attained).

    values: constants, hyperparameters and n_terms (2 by default), by name. The second is False where a
    condition is only necessary: the programme then bounds the worst case from above. NoExactClassError,
    ValueError.
    """
    reason = outside(theorem)
    if reason is not None:
        raise no_class(theorem, reason)
    setting = step_setting(theorem, values, parameter)
    if changes(theorem, theorem.variants()[parameter]):
        raise no_class(theorem, STEADY)
    if sp.sympify(theorem.when) != sp.true:
        raise no_class(theorem, f"it speaks only of states with {theorem.when}")
    model = _Composite(setting) if theorem.methods[0] is ProxSkip else _Terms(setting)
    numbers = setting.numbers(0)
    bound = side(theorem, theorem.bound, numbers, up=False)
    measured = side(theorem, theorem.measured, numbers, up=True)
    if bound.const != 0:
        raise no_class(theorem, f"its bound has the constant part {bound.const}")
    try:
        signed = require_comparable([measured], bound)
        objective, limited = measured.form(model.read), bound.form(model.read) - 1
    except UnreadableError as error:
        raise no_class(theorem, str(error)) from None
    conditions = {**model.conditions(), "normalisation": limited}
    programme = Programme(model.basis, (objective,), conditions)
    return Question(programme, Fraction(1), False, setting, tuple(model.functions), signed), model.exact


class _Terms:
    """A finite sum, a free state of the method, and one step from it."""

    def __init__(self, setting: Setting) -> None:
        assumed, c = set(setting.theorem.assumes), setting.constants
        method = setting.theorem.methods[0]
        self.sum = FiniteSum(
            int(c["n_terms"]),
            _term_class(assumed, c),
            _mean_class(assumed, c, method is PAGE),
            stationary=Interpolation in assumed,
            average_L=c["L_avg"] if AverageSmooth in assumed else None,
            lower=method is PAGE,
        )
        self.basis, self.functions = self.sum.basis, self.sum.terms
        x = self.sum.start
        extra: dict[type, Callable[[], dict[str, Any]]] = {
            SAGA: lambda: {"table": self.sum.table("t")},
            PointSAGA: lambda: {"G": self.sum.table("G")},
            LooplessSVRG: lambda: {"snapshot": self.basis.vector("w")},
            PAGE: lambda: {"g": self.basis.vector("g")},
        }
        self.state: State = {"x": x, **extra.get(method, dict)()}
        self.branches = STEPS[method](self.functions, self.state, setting.rules[0])

    @property
    def exact(self) -> bool:
        """As of the sum."""
        return self.sum.exact

    def read(self, name: str, step: int) -> Form:
        """A quantity, or its square: now, or in the mean after the step."""
        if step == 0:
            return self._at(name, self.state)
        return expectation(self.branches, lambda state: self._at(name, state))

    def _at(self, name: str, state: State) -> Form:
        forms: dict[str, Callable[[], Form]] = {
            "dist": lambda: square(state["x"]),
            "gap": lambda: self.sum.mean_at(state["x"]).f,
            "gradnorm": lambda: square(self._smooth(name).mean_at(state["x"]).g),
            "table_error": lambda: self.sum.spread(state["table"] if "table" in state else state["G"]),
            "snapshot_error": lambda: self.sum.spread(self.sum.gradients(state["snapshot"])),
            "est_error": lambda: square(state["g"] - self._smooth(name).mean_at(state["x"]).g),
            "est_norm": lambda: square(state["g"]),
            SPREAD: lambda: self.sum.spread([star * 0 for star in self.sum.stars]),
        }
        return forms[name]()

    def _smooth(self, name: str) -> FiniteSum:
        """The sum, if its gradient is one. UnreadableError at kinks."""
        if not self.sum.differentiable:
            raise UnreadableError(f"at a kink {name} is of any subgradient, not that of the step")
        return self.sum

    def conditions(self) -> dict[str, Form]:
        """Of the sum."""
        return self.sum.conditions()


class _Composite:
    """f + psi, a free x and h, and one step of ProxSkip."""

    exact = True

    def __init__(self, setting: Setting) -> None:
        self.basis, f, psi = composite(setting.constants)
        self.functions: list[Unknown] = [f, psi]
        self.star = f.offset
        self.state: State = {"x": self.basis.vector("x0"), "h": self.star + self.basis.vector("h")}
        self.branches = STEPS[ProxSkip](self.functions, self.state, setting.rules[0])

    def read(self, name: str, step: int) -> Form:
        """dist^2 or control_error^2, now or in the mean after the step."""
        what = {"dist": lambda s: square(s["x"]), "control_error": lambda s: square(s["h"] - self.star)}[name]
        return what(self.state) if step == 0 else expectation(self.branches, what)

    def conditions(self) -> dict[str, Form]:
        """Of f and psi."""
        return {name: form for f in self.functions for name, form in f.conditions().items()}


def _term_class(assumed: set[type], c: Mapping[str, Fraction]) -> FunctionClass:
    smooth = c["L_max"] if ComponentSmooth in assumed else None
    if ComponentStronglyConvex in assumed:
        return ConvexFunctions(c["mu_component"], smooth)
    if ComponentConvex in assumed:
        return ConvexFunctions(0, smooth)
    return AnyFunctions() if smooth is None else SmoothFunctions(smooth)


def _mean_class(assumed: set[type], c: Mapping[str, Fraction], nonconvex: bool) -> FunctionClass | None:
    """What is assumed of f beyond its terms."""
    smooth = c["L"] if Smooth in assumed else c.get("L_max" if ComponentSmooth in assumed else "L_avg")
    convex_terms = bool(assumed & {ComponentConvex, ComponentStronglyConvex})
    if StronglyConvex in assumed:
        return ConvexFunctions(c["mu"], smooth)
    if Convex in assumed or (Smooth in assumed and convex_terms and not nonconvex):
        return ConvexFunctions(0, smooth)
    return SmoothFunctions(smooth) if smooth is not None and (nonconvex or not convex_terms) else None
