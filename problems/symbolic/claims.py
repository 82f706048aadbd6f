"""What branch and bound can prove, as bounds on quantities made of derivatives."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from assumptions import EUCLIDEAN, PL, Assumption, Convex, Lipschitz, Lp, Norm, Smooth, StronglyConvex
from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.weakly_convex import WeaklyConvex
from problems.symbolic.bounds import Curvature, Excess, Quantity, TensorNorm
from problems.symbolic.tensor_norms import require_lp


class Claim(NamedTuple):
    """``allowed`` holds where ``quantity`` <= ``limit``; the one asked for fails where it is > ``asked``."""

    allowed: Assumption
    quantity: Quantity
    limit: float
    asked: float


def _norm_of(order: int, name: str) -> Callable[[Any, float, int], Claim]:
    """A constant that bounds the norm of the derivative of an order.

    On a convex set of nonempty interior a map has a Lipschitz constant if and only if that bounds the norm of
    its derivative: the mean value inequality, and limits of difference quotients.
    """

    def claim(a: Any, slack: float, d: int) -> Claim:
        require_lp(a.norm, d)
        constant = getattr(a, name)
        allowed = constant * (1 + slack)
        return Claim(replace(a, **{name: allowed}), TensorNorm(order, a.norm), allowed, constant)

    return claim


def _strongly_convex(a: StronglyConvex, slack: float, d: int) -> Claim:
    """mu |v|^2 <= <H v, v> for all v."""
    scale = euclidean_scale(a.norm, d)
    allowed = a.mu / (1 + slack)
    return Claim(StronglyConvex(allowed, a.norm), Curvature(-1, scale), -allowed, -a.mu)


def _weakly_convex(a: WeaklyConvex, slack: float, d: int) -> Claim:
    """-tau |v|^2 <= <H v, v> for all v."""
    del d
    allowed = a.tau * (1 + slack)
    return Claim(WeaklyConvex(allowed), Curvature(-1), allowed, a.tau)


def _convex(a: Convex, slack: float, d: int) -> Claim:
    """0 <= <H v, v> for all v; there is no constant to enlarge."""
    del slack, d
    return Claim(a, Curvature(-1), 0.0, 0.0)


def _hessian_l0l1(a: HessianL0L1, slack: float, d: int) -> Claim:
    """|H| - L1 |grad f|_* <= L0, both constants enlarged; a violation of more than L0 refutes both."""
    require_lp(a.norm, d)
    L0, L1 = a.L0_hessian * (1 + slack), a.L1_hessian * (1 + slack)
    return Claim(HessianL0L1(L0, L1, a.norm), Excess(a.norm, L1), L0, L0)


CLAIMS: Mapping[type[Assumption], Callable[[Any, float, int], Claim]] = {
    Smooth: _norm_of(2, "L"),
    Lipschitz: _norm_of(1, "G"),
    HessianLipschitz: _norm_of(3, "L_h"),
    StronglyConvex: _strongly_convex,
    WeaklyConvex: _weakly_convex,
    Convex: _convex,
    HessianL0L1: _hessian_l0l1,
}
PROVABLE = (*CLAIMS, PL)


def claim_of(assumption: Assumption, slack: float, d: int) -> Claim:
    """The claim behind an assumption; TypeError listing what can be proved."""
    if type(assumption) not in CLAIMS:
        known = ", ".join(kind.__name__ for kind in PROVABLE)
        raise TypeError(f"branch and bound proves {known}, got {assumption!r}")
    return CLAIMS[type(assumption)](assumption, slack, d)


def euclidean_scale(norm: Norm, d: int) -> float:
    """s where the norm is s times the Euclidean one; TypeError otherwise."""
    if not isinstance(norm, Lp) or not (norm.p == 2 or d == 1):
        raise TypeError(f"smallest curvatures are proved in the Euclidean norm, got norm={norm!r}")
    return norm.scale


@dataclass(frozen=True)
class Best:
    """The best constant of a class is +-sup of a quantity."""

    quantity: Quantity
    negated: bool = False
    least: float = -math.inf


def best_of(kind: type[Assumption], d: int, **options: Any) -> Best:
    """The quantity whose largest value is the best constant of a class with one constant.

    options: norm, and L1_hessian for HessianL0L1, whose L0_hessian is then the constant. TypeError otherwise.
    """
    norm = options.pop("norm", EUCLIDEAN)
    L1 = options.pop("L1_hessian", None) if kind is HessianL0L1 else None
    if options:
        raise TypeError(
            f"options of {kind.__name__} are norm and, for HessianL0L1, L1_hessian; got {sorted(options)}"
        )
    if kind is WeaklyConvex and norm == EUCLIDEAN:
        return Best(Curvature(-1), least=0.0)
    if kind is StronglyConvex:
        return Best(Curvature(-1, euclidean_scale(norm, d)), negated=True)
    orders = {Lipschitz: 1, Smooth: 2, HessianLipschitz: 3}
    if kind in orders:
        require_lp(norm, d)
        return Best(TensorNorm(orders[kind], norm), least=0.0)
    if L1 is not None:
        require_lp(norm, d)
        return Best(Excess(norm, HessianL0L1(0.0, L1).L1_hessian), least=0.0)
    known = "Smooth, Lipschitz, HessianLipschitz, StronglyConvex, WeaklyConvex, HessianL0L1 with L1_hessian"
    raise TypeError(f"best constants are enclosed for {known}, got {kind.__name__}")
