"""One step of random methods as chains: every outcome of the draw, with its probability.

A step is a function ``step(terms, state, rule) -> branches``. ``terms`` are the f_j of f = mean f_j, for
ProxSkip f and psi; ``state`` maps the fields of the method's state to points, a table to a list of them;
``rule`` maps hyperparameters to numbers. The functions are asked as in ``chain``, points may be PEPit's.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, product
from typing import Any, NamedTuple, Protocol

from workbench.methods import PAGE, SAGA, SGD, SPPM, LooplessSVRG, PointSAGA, ProxSkip
from workbench.methods.base import Method

State = Mapping[str, Any]
Rule = Mapping[str, Any]


class Oracles(Protocol):
    """What a step may ask of a term."""

    def gradient(self, x: Any) -> tuple[Any, Any]:
        """A (sub)gradient and the value at x; the same at equal points."""
        ...

    def prox(self, x: Any, stepsize: Any) -> tuple[Any, Any, Any]:
        """x_next = x - stepsize g with g a subgradient at x_next; x_next, g and the value there."""
        ...


class Branch(NamedTuple):
    """An outcome: its probability, and the state it leads to."""

    probability: Fraction
    state: State


Step = Callable[[Sequence[Oracles], State, Rule], list[Branch]]


def average(points: Sequence[Any]) -> Any:
    """The mean of points."""
    total = points[0]
    for point in points[1:]:
        total = total + point
    return total / len(points)


def _subsets(n: int, rule: Rule) -> list[tuple[Fraction, tuple[int, ...]]]:
    """Sets of ``minibatch`` terms, all equally likely; with ``replacement`` the rows of terms drawn.

    ValueError for more than n without replacement.
    """
    size = int(rule.get("minibatch", 1))
    if rule.get("replacement"):
        return [(Fraction(1, n**size), row) for row in product(range(n), repeat=size)]
    if not 1 <= size <= n:
        raise ValueError(f"minibatch must be in 1..{n}, the number of terms, got {size}")
    found = list(combinations(range(n), size))
    return [(Fraction(1, len(found)), s) for s in found]


def _mean_gradient(terms: Sequence[Oracles], x: Any, chosen: Sequence[int]) -> Any:
    return average([terms[j].gradient(x)[0] for j in chosen])


def sgd(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """x_next = x - stepsize mean_{j in S} g_j(x)."""
    x = state["x"]
    return [
        Branch(p, {"x": x - rule["stepsize"] * _mean_gradient(terms, x, s)})
        for p, s in _subsets(len(terms), rule)
    ]


def sppm(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """x_next = prox of stepsize f_j at x. ValueError for a minibatch above 1."""
    if rule.get("minibatch", 1) != 1:
        raise ValueError(f"proximal steps of one term are enumerated, got minibatch = {rule['minibatch']}")
    likely = Fraction(1, len(terms))
    return [Branch(likely, {"x": f.prox(state["x"], rule["stepsize"])[0]}) for f in terms]


def saga(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """x_next = x - stepsize (g_j(x) - t_j + mean t), then t_j = g_j(x)."""
    x, table = state["x"], list(state["table"])
    mean, likely, branches = average(table), Fraction(1, len(terms)), []
    for j, f in enumerate(terms):
        fresh = f.gradient(x)[0]
        x_next = x - rule["stepsize"] * (fresh - table[j] + mean)
        branches.append(Branch(likely, {"x": x_next, "table": [*table[:j], fresh, *table[j + 1 :]]}))
    return branches


def point_saga(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """y_j = prox of stepsize f_j at x + stepsize (G_j - mean G), G_j its subgradient, x_next = mean_S y_j."""
    x, table, found = state["x"], list(state["G"]), []
    mean = average(table)
    for j, f in enumerate(terms):
        found.append(f.prox(x + rule["stepsize"] * (table[j] - mean), rule["stepsize"]))
    branches = []
    for p, s in _subsets(len(terms), rule):
        rows = [found[j][1] if j in s else table[j] for j in range(len(terms))]
        branches.append(Branch(p, {"x": average([found[j][0] for j in s]), "G": rows}))
    return branches


def loopless_svrg(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """x_next = x - stepsize (g_S(x) - g_S(w) + g(w)); w_next = x with probability p, else w."""
    x, w, p = state["x"], state["snapshot"], Fraction(rule["p"])
    full, branches = _mean_gradient(terms, w, range(len(terms))), []
    for likely, s in _subsets(len(terms), rule):
        change = _mean_gradient(terms, x, s) - _mean_gradient(terms, w, s)
        x_next = x - rule["stepsize"] * (change + full)
        branches += _coin(p, likely, {"x": x_next, "snapshot": x}, {"x": x_next, "snapshot": w})
    return branches


def proxskip(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """x_hat = x - stepsize (g(x) - h); with probability p the proximal step of psi that corrects h too."""
    (f, psi), x, h = terms, state["x"], state["h"]
    stepsize, p = rule["stepsize"], Fraction(rule["p"])
    x_hat, longer = x - stepsize * (f.gradient(x)[0] - h), stepsize / p
    x_next = psi.prox(x_hat - longer * h, longer)[0]
    h_next = h + (x_next - x_hat) / longer
    return _coin(p, Fraction(1), {"x": x_next, "h": h_next}, {"x": x_hat, "h": h})


def page(terms: Sequence[Oracles], state: State, rule: Rule) -> list[Branch]:
    """x_next = x - stepsize g; g_next the gradient with probability p, else g + g_S(x_next) - g_S(x)."""
    x, g, p = state["x"], state["g"], Fraction(rule["p"])
    x_next, branches = x - rule["stepsize"] * g, []
    full = _mean_gradient(terms, x_next, range(len(terms)))
    for likely, s in _subsets(len(terms), rule):
        change = _mean_gradient(terms, x_next, s) - _mean_gradient(terms, x, s)
        branches += _coin(p, likely, {"x": x_next, "g": full}, {"x": x_next, "g": g + change})
    return branches


def _coin(p: Fraction, likely: Fraction, heads: State, tails: State) -> list[Branch]:
    both = [Branch(likely * p, heads), Branch(likely * (1 - p), tails)]
    return [branch for branch in both if branch.probability > 0]


STEPS: Mapping[type[Method], Step] = {
    SGD: sgd,
    SPPM: sppm,
    SAGA: saga,
    PointSAGA: point_saga,
    LooplessSVRG: loopless_svrg,
    ProxSkip: proxskip,
    PAGE: page,
}
"""Method -> its step."""
