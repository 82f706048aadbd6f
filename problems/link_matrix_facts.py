"""What the constants of a link prove of f(X) = sum_j (c_j / b_j^2) h(b_j (s_j - a_j)), s_j = <E_j, X>.

The E_j are rank-one matrices u_j v_j' with orthonormal u_j and orthonormal v_j, or computed ones.
"""

import math
from fractions import Fraction
from typing import NamedTuple

from assumptions import EUCLIDEAN, PL, Certificate, Convex, Lipschitz, Lp, Norm, Smooth
from assumptions.implications.smoothness import ONE_OVER_LN_2
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.layerwise.hessian_lipschitz import LayerHessianLipschitz
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.matrix_norms import MatrixNorm
from assumptions.outward import certify, length_up, round_down, round_up
from assumptions.weakly_convex import WeaklyConvex
from problems.links import Link

ORTHONORMAL = Fraction(1) + Fraction(1, 10**12)
"""Columns of a computed orthogonal factor are orthonormal to far less (Higham, 2002, theorem 19.4)."""


class Terms(NamedTuple):
    """h, c_j, b_j, and whether the E_j are exact (unit coordinate matrices) or computed."""

    link: Link
    weights: tuple[float, ...]
    rates: tuple[float, ...]
    exact: bool

    @property
    def room(self) -> Fraction:
        """A factor for rounding of the E_j."""
        return Fraction(1) if self.exact else ORTHONORMAL


def matrix_facts(terms: Terms, norm: Norm, adds: bool) -> tuple[Certificate, ...]:
    """From |phi_j''| <= c_j l0 + b_j l1 |phi_j'|, |phi_j''| <= c_j L and |phi_j'| <= (c_j / b_j) G.

    norm: that of the layer; adds: whether its dual adds up the terms, sum |t_j| / scale for sum_j t_j E_j.
    """
    link, room, why = terms.link, terms.room, terms.link.why
    facts = [Certificate(Convex(), proof=f"every phi_j is; {why}")] if link.convex else []
    facts += _curvature(terms, EUCLIDEAN, adds=False)
    own = _curvature(terms, norm, adds)
    facts += own if norm != EUCLIDEAN else ()
    facts += [c for certificate in own for c in _of_layer(certificate)]
    facts += _curved(terms, norm, adds)
    if link.tau > 0:
        tau = round_up(Fraction(max(terms.weights)) * Fraction(link.tau) * room)
        facts += certify(WeaklyConvex, tau, f"phi_j'' >= -c_j tau, and the E_j are orthogonal; {why}")
    if math.inf > link.G:
        pairs = zip(terms.weights, terms.rates, strict=True)
        slopes = tuple(round_up(Fraction(c) / Fraction(b) * Fraction(link.G) * room) for c, b in pairs)
        facts += certify(Lipschitz, length_up(slopes), f"|grad f|^2 = sum_j phi_j'^2; {why}")
    if link.mu > 0 and link.minimiser is not None:
        mu = Fraction(min(terms.weights)) * Fraction(link.mu) / room
        proof = f"phi_j'' >= c_j mu gives sum_j phi_j'^2 >= 2 min c_j mu sum_j phi_j; {why}"
        facts += certify(PL, round_down(mu), proof)
        if adds:
            proof = f"|grad f|_* >= |grad f|_F / scale; {proof}"
            facts += certify(lambda mu: PL(mu, norm), round_down(mu / _scale(norm) ** 2), proof)
    return tuple(facts)


def _curved(terms: Terms, norm: Norm, adds: bool) -> tuple[Certificate, ...]:
    """|phi_j''(s) - phi_j''(t)| <= c_j b_j J |s - t| in each term of (H(X) - H(Y)) V."""
    if not math.inf > terms.link.J:
        return ()
    pairs = zip(terms.weights, terms.rates, strict=True)
    rates = [Fraction(c) * Fraction(b) * Fraction(terms.link.J) for c, b in pairs]
    total = (sum(rates, Fraction(0)) if adds else max(rates)) * terms.room**2 / _scale(norm) ** 3
    proof = "|phi_j'''| <= c_j b_j J, |<E_j, Z>| <= |Z| / scale, and the dual norm adds up the terms or not"
    L_h = round_up(total)
    return (Certificate(LayerHessianLipschitz((L_h,)), proof=proof),) if math.inf > L_h else ()


def _of_layer(certificate: Certificate) -> tuple[Certificate, ...]:
    """The same for the one layer, for steps of length ln 2 / l1 at most where l1 > 0.

    On a segment of length r the change of the gradient is at most (l0 + l1 g) (e^(l1 r) - 1) / l1 (Gronwall),
    and (e^u - 1) / u <= 1 / ln 2 for u <= ln 2.
    """
    match certificate.assumption:
        case Smooth(L=L):
            return (Certificate(LayerSmooth((L,)), proof=certificate.proof),)
        case HessianL0L1(L0_hessian=l0, L1_hessian=l1):
            L0, L1 = (round_up(Fraction(constant) * ONE_OVER_LN_2) for constant in (l0, l1))
            proof = f"{certificate.proof}; Gronwall: (e^u - 1) / u <= 1 / ln 2 for u <= ln 2"
            return (Certificate(LocalLayerL0L1((L0,), (L1,)), proof=proof),) if max(L0, L1) < math.inf else ()
    return ()


def _scale(norm: Norm) -> Fraction:
    return Fraction(norm.scale) if isinstance(norm, MatrixNorm | Lp) else Fraction(1)


def _curvature(terms: Terms, norm: Norm, adds: bool) -> tuple[Certificate, ...]:
    """Smoothness and (L0, L1) in a norm.

    |s_j(Z)| <= |Z| / scale. With g_* scale = sum |phi_j'| (adds) or >= max |phi_j'|, the dual norm of
    sum_j phi_j'' s_j(Z) E_j is at most (C l0 + l1 max b_j g_* scale) |Z| / scale^2, C = sum c_j or max c_j.
    """
    link, scale = terms.link, _scale(norm)
    weights = [Fraction(c) for c in terms.weights]
    total = (sum(weights, Fraction(0)) if adds else max(weights)) * terms.room / scale**2
    how = "adds up the terms" if adds else "takes the largest or the Euclidean length of the terms"
    proof = f"|<E_j, Z>| <= |Z| / scale, and the dual norm {how}; {link.why}"
    found = ()
    if math.inf > link.L:
        found += certify(lambda L: Smooth(L, norm), round_up(total * Fraction(link.L)), proof)
    if link.l1 > 0:
        rate = Fraction(max(terms.rates)) * terms.room / scale
        pair = round_up(total * Fraction(link.l0)), round_up(rate * Fraction(link.l1))
        if max(pair) < math.inf:
            found += (Certificate(HessianL0L1(*pair, norm), proof=proof),)
    return found
