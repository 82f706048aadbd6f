"""Methods as chains: a run written once, for exact vectors here and for PEPit's points alike.

A chain is a function ``chain(f, h, x0, rules) -> states``. It calls ``f.gradient(x) -> (g, value)`` on the
part that is used through gradients and ``h.prox(x, stepsize) -> (x_next, g, value)`` or ``h.lmo(direction) ->
point`` on the other (a method of one function calls f alone, h is None), and does arithmetic on what it gets;
points are multiplied by the numbers of ``rules`` from the left. ``rules[k]`` maps hyperparameters to their
numbers at step k. Methods with a second point take its start as ``y0`` (default x0). ``states[k]`` maps the
fields of the method's state to points; there are len(rules) + 1 of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workbench.methods import (
    AcceleratedProximalGradient,
    ConditionalGradient,
    GradientDescent,
    Nesterov,
    ProximalGradient,
    ProximalPoint,
    Subgradient,
)
from workbench.methods.base import Method


class Oracles(Protocol):
    """What a chain may ask of a function; points are of any kind that can be added and scaled."""

    def gradient(self, x: Any) -> tuple[Any, Any]:
        """A (sub)gradient and the value at x; the same at equal points."""
        ...

    def prox(self, x: Any, stepsize: Any) -> tuple[Any, Any, Any]:
        """x_next = x - stepsize g with g a subgradient at x_next; x_next, g and the value there."""
        ...

    def lmo(self, direction: Any) -> Any:
        """A point of the domain that minimises <direction, x>."""
        ...


Rules = Sequence[Mapping[str, Any]]
States = list[dict[str, Any]]
Chain = Callable[..., States]


def _forward(f: Oracles, x: Any, rule: Mapping[str, Any]) -> Any:
    """x - stepsize g(x)."""
    return x - rule["stepsize"] * f.gradient(x)[0]


def gradient_descent(f: Oracles, h: None, x0: Any, rules: Rules) -> States:
    """x_next = x - stepsize g; also the subgradient method."""
    del h
    states = [{"x": x0}]
    for rule in rules:
        states.append({"x": _forward(f, states[-1]["x"], rule)})
    return states


def proximal_point(f: Oracles, h: None, x0: Any, rules: Rules) -> States:
    """x_next = prox of stepsize f at x."""
    del h
    states = [{"x": x0}]
    for rule in rules:
        states.append({"x": f.prox(states[-1]["x"], rule["stepsize"])[0]})
    return states


def nesterov(f: Oracles, h: None, x0: Any, rules: Rules, y0: Any = None) -> States:
    """x_next = y - stepsize g(y), y_next = x_next + beta (x_next - x)."""
    del h
    return _extrapolated(lambda y, rule: _forward(f, y, rule), x0, y0, rules)


def proximal_gradient(f: Oracles, h: Oracles, x0: Any, rules: Rules) -> States:
    """x_next = prox of stepsize h at x - stepsize g(x)."""
    states = [{"x": x0}]
    for rule in rules:
        states.append({"x": h.prox(_forward(f, states[-1]["x"], rule), rule["stepsize"])[0]})
    return states


def accelerated_proximal_gradient(f: Oracles, h: Oracles, x0: Any, rules: Rules, y0: Any = None) -> States:
    """x_next = prox of stepsize h at y - stepsize g(y), y_next = x_next + beta (x_next - x)."""
    return _extrapolated(lambda y, rule: h.prox(_forward(f, y, rule), rule["stepsize"])[0], x0, y0, rules)


def _extrapolated(step: Callable[[Any, Mapping[str, Any]], Any], x0: Any, y0: Any, rules: Rules) -> States:
    """x_next = step(y), y_next = x_next + beta (x_next - x)."""
    states = [{"x": x0, "y": x0 if y0 is None else y0}]
    for rule in rules:
        x_next = step(states[-1]["y"], rule)
        states.append({"x": x_next, "y": x_next + rule["beta"] * (x_next - states[-1]["x"])})
    return states


def conditional_gradient(f: Oracles, h: Oracles, x0: Any, rules: Rules) -> States:
    """x_next = (1 - weight) x + weight s, s = argmin <g(x), .> over the domain of h."""
    states = [{"x": x0}]
    for rule in rules:
        x = states[-1]["x"]
        vertex = h.lmo(f.gradient(x)[0])
        states.append({"x": (1 - rule["weight"]) * x + rule["weight"] * vertex})
    return states


CHAINS: Mapping[type[Method], Chain] = {
    GradientDescent: gradient_descent,
    Subgradient: gradient_descent,
    ProximalPoint: proximal_point,
    Nesterov: nesterov,
    ProximalGradient: proximal_gradient,
    AcceleratedProximalGradient: accelerated_proximal_gradient,
    ConditionalGradient: conditional_gradient,
}
"""Method -> its chain."""
