"""What the forms of layer-wise (L0, L1)-smoothness share."""

import math
from typing import Any, get_args

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.l0l1.form import product
from assumptions.l0l1.front import Front, Rule, local_front, polyhedral_front, violations
from assumptions.layerwise.inequality import LayerInequality, layer_change, layers_of
from assumptions.rounding import ROUNDINGS


def l0l1_sides(
    assumption: LayerInequality, problem: Function, points: tuple[Tensor, ...]
) -> tuple[Sides, Tensor]:
    """|grad_i f(X) - grad_i f(Y)|_{i*} and (L0_i + L1_i |grad_i f(X)|_{i*}) r_i, and r_i = |X_i - Y_i|_i.

    The constants of the assumption are L0_i and L1_i, in this order. points: X and Y, each (*batch, d).
    Returns (*batch, n_layers) each. Rounding: each gradient moves by 64 roundings of itself, by its
    ``layer_noise``, and by the slope that the inequality itself allows, times 64 roundings of its argument.
    """
    x, y = points
    constants = {name: getattr(assumption, name) for name in assumption.constants()}
    layers = layers_of(problem, **constants)
    l0, l1 = (x.new_tensor(values) for values in constants.values())
    moved = layer_change(problem, layers, x, y)
    rhs = product(l0 + product(l1, moved.at_x), moved.distance)
    with torch.no_grad():
        slope = l0 + product(l1, torch.maximum(moved.at_x, moved.at_y))
        of_q = product(l1, moved.noise + ROUNDINGS * (moved.at_x + product(slope, moved.size)))
        resolution = moved.rounding + ROUNDINGS * (slope * moved.size + rhs) + of_q * moved.distance
    return Sides(moved.change, rhs, resolution), moved.distance


def l0l1_estimate(
    problem: Function,
    points: tuple[Tensor, ...],
    names: tuple[str, str],
    options: dict[str, Any],
    local: bool,
) -> dict[str, Any]:
    """The pair of each layer that ``points`` need, by one rule, with the whole front of each layer.

    points: X and Y, each (*batch, d). options: ``rule`` of ``Front.pick``, "mean" by default; TypeError for
    others. local: a pair of points at distance r speaks of L1_i <= 1 / r alone. Returns the names with
    ``_seen``, a tuple with an entry for each layer; "rule"; "front": the vertices (L0, L1) of each layer;
    "outside": for each layer, the share of odd samples that violate the pair fitted on the even ones.
    """
    rule = rule_option(options)
    layers = layers_of(problem)
    x, y = torch.broadcast_tensors(*points)
    moved = layer_change(problem, layers, x.reshape(-1, layers.d), y.reshape(-1, layers.d))
    fits, fronts, outside = [], [], []
    for i in range(layers.n_layers):
        kept = moved.visible[:, i]
        q, r = moved.at_x[kept, i], moved.distance[kept, i]
        s = moved.change[kept, i] / r
        front = fit_front(q, s, r, local)
        fits.append(pick(front, s, rule))
        fronts.append(front.vertices)
        outside.append(_outside(q, s, r, rule, local))
    seen = {f"{name}_seen": tuple(pair[k] for pair in fits) for k, name in enumerate(names)}
    return {**seen, "rule": rule, "front": tuple(fronts), "outside": tuple(outside)}


def rule_option(options: dict[str, Any]) -> Rule:
    """The option ``rule``, "mean" by default. TypeError for any other option, ValueError for another rule."""
    unknown = sorted(set(options) - {"rule"})
    if unknown:
        raise TypeError(f"the only option is rule, got {', '.join(unknown)}")
    rule = options.get("rule", "mean")
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}, got {rule!r}")
    return rule


def fit_front(q: Tensor, s: Tensor, r: Tensor, local: bool) -> Front:
    """The pairs that samples (q, s) at distances r allow; all (n,)."""
    return local_front(q, s, r) if local else polyhedral_front(q, s)


def pick(front: Front, s: Tensor, rule: Rule) -> tuple[float, float]:
    """The pair of the front by the rule; inf where a gradient changes though its layer does not move."""
    if bool((s == math.inf).any()) and not bool(s.isnan().any()):
        return math.inf, math.inf
    return front.pick(rule)


def _outside(q: Tensor, s: Tensor, r: Tensor, rule: Rule, local: bool) -> float:
    L0, L1 = pick(fit_front(q[::2], s[::2], r[::2], local), s[::2], rule)
    if not (math.inf > L0 and math.inf > L1) or q.numel() < 2:
        return math.nan
    speaks = r[1::2] * L1 <= 1 if local else torch.ones_like(r[1::2], dtype=torch.bool)
    return violations(q[1::2][speaks], s[1::2][speaks], L0, L1)
