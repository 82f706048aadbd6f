"""The same claims on PEPit: another assembly of the same programme. Needs the extra ``pep``."""

import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from workbench.theorem import Theorem
from workbench.worst_case.chain import CHAINS
from workbench.worst_case.classes import (
    BoundedIndicators,
    ConvexFunctions,
    FunctionClass,
    LipschitzConvexFunctions,
)
from workbench.worst_case.gram import to_float
from workbench.worst_case.reading import Side, choices, expanded, pair
from workbench.worst_case.translate import Question, question


class PEPitMissingError(ImportError):
    """PEPit is not installed; says how to get it."""


def require_pepit() -> ModuleType:
    """The module PEPit. PEPitMissingError without it."""
    try:
        import PEPit
    except ImportError as error:
        raise PEPitMissingError("this needs PEPit: pip install 'workbench[pep]'") from error
    return PEPit


class PEPitFunction:
    """A function of PEPit that plays ``Oracles`` of a chain."""

    def __init__(self, function: Any) -> None:
        """function: of one of PEPit's classes, declared in its PEP."""
        self.function = function

    def gradient(self, x: Any) -> tuple[Any, Any]:
        """A (sub)gradient and the value at x."""
        return self.function.oracle(x)

    def prox(self, x: Any, stepsize: Any) -> tuple[Any, Any, Any]:
        """The proximal step, its subgradient and its value."""
        from PEPit.primitive_steps import proximal_step

        return proximal_step(x, self.function, float(stepsize))

    def lmo(self, direction: Any) -> Any:
        """A minimiser of <direction, x> over the domain."""
        from PEPit.primitive_steps import linear_optimization_step

        return linear_optimization_step(direction, self.function)[0]


def declared(problem: Any, kind: FunctionClass) -> Any:
    """A function of this class in a PEP. ValueError for a class that PEPit is not asked for."""
    from PEPit import functions

    if isinstance(kind, LipschitzConvexFunctions):
        return problem.declare_function(functions.ConvexLipschitzFunction, M=to_float(kind.G))
    if isinstance(kind, BoundedIndicators):
        return problem.declare_function(functions.ConvexIndicatorFunction, D=to_float(kind.D))
    if not isinstance(kind, ConvexFunctions):
        raise ValueError(f"{type(kind).__name__} are not compared with PEPit; convex classes are")
    mu = {"mu": to_float(kind.mu)} if kind.mu else {}
    smooth = {"L": to_float(kind.L)} if kind.L is not None else {}
    names = {
        (False, False): functions.ConvexFunction,
        (True, False): functions.StronglyConvexFunction,
        (False, True): functions.SmoothConvexFunction,
        (True, True): functions.SmoothStronglyConvexFunction,
    }
    return problem.declare_function(names[bool(mu), bool(smooth)], **mu, **smooth)


def pepit_worst_case(
    theorem: Theorem,
    *,
    steps: int = 5,
    values: Mapping[str, Any] | None = None,
    parameter: int = 0,
    solver: str = "CLARABEL",
) -> float:
    """What ``worst_case`` bounds, by PEPit: the same chain, numbers and normalisation; not proved.

    Arguments as there; solver: of cvxpy. PEPitMissingError without PEPit; otherwise errors as there, and
    ValueError for functions that are not convex.
    """
    pep = require_pepit()
    asked = question(theorem, steps, values, parameter)
    problem = pep.PEP()
    functions = [declared(problem, u.kind) for u in asked.functions]
    whole = functions[0] if len(functions) == 1 else functions[0] + functions[1]
    x_star = whole.stationary_point()
    x0 = problem.set_initial_point()
    f, *rest = [PEPitFunction(function) for function in functions]
    rules = [{name: float(v) for name, v in rule.items()} for rule in asked.setting.rules]
    states = CHAINS[theorem.methods[0]](f, rest[0] if rest else None, x0, rules)
    read = _reader(whole, x_star, states, theorem)
    setting = asked.setting
    measured = choices(expanded(theorem.measured, setting, setting.at))
    sides, bound, _ = pair(measured, expanded(theorem.bound, setting, setting.at))
    _normalise(problem, asked, bound, read)
    for one in sides:
        problem.set_performance_metric(_expression(one, read))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(problem.solve(wrapper="cvxpy", solver=solver, verbose=0))


def _reader(
    whole: Any, x_star: Any, states: list[dict[str, Any]], theorem: Theorem
) -> Callable[[str, int], Any]:
    def read(name: str, step: int) -> Any:
        x = states[step]["x"]
        if name == "gap":
            return whole(x) - whole(x_star)
        if name == "dist":
            return (x - x_star) ** 2
        if name == "gradnorm":
            return whole.gradient(x) ** 2
        if name == "moved":
            return (x - states[step - 1]["x"]) ** 2
        raise ValueError(f"{theorem.id}: {name} is not compared with PEPit")

    return read


def _normalise(problem: Any, asked: Question, bound: Side, read: Callable[[str, int], Any]) -> None:
    """The conditions on the start that ``question`` chose."""
    for name in asked.programme.equalities:
        start, value = name[:-1], float(asked.setting.starts.get(name, 1))
        problem.add_constraint(read(start, int(name[-1])) == (value if start == "gap" else value**2))
    if "normalisation" in asked.programme.constraints:
        problem.add_constraint(_expression(bound, read) <= float(asked.bound))


def _expression(one: Side, read: Callable[[str, int], Any]) -> Any:
    total = float(one.const)
    for (name, step), c in one.terms.items():
        total = float(c) * read(name, step) + total
    return total
