"""What certificates of f_1, ..., f_n say of weight times their sum, and of its terms n weight f_j."""

import math
from collections.abc import Callable
from fractions import Fraction

from assumptions import (
    EUCLIDEAN,
    EVERYWHERE,
    Affine,
    AffineGradient,
    Certificate,
    Continuous,
    Convex,
    Lipschitz,
    Region,
    Smooth,
    StronglyConvex,
)
from assumptions.base import Assumption
from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.outward import root_up, round_down, round_up
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.interpolation import Interpolation
from assumptions.weakly_convex import WeaklyConvex
from problems.base import Problem

Rule = Callable[["Held"], Assumption | None]


class Held:
    """The certificates of each problem that hold on one region."""

    def __init__(self, problems: tuple[Problem, ...], weight: Fraction, region: Region) -> None:
        self.weight = weight
        self.region = region
        self.held = [[c for c in p.certified if c.region in (EVERYWHERE, region)] for p in problems]
        self.per_term = weight * len(problems)
        self.declared = False

    def constants(self, kind: type[Assumption], other: bool = False) -> list[float] | None:
        """The best constant of each problem; 0 for convex ones if ``other``; None if one has none."""
        best = [self._best(held, kind, other) for held in self.held]
        return None if None in best else [b for b in best if b is not None]

    def _best(self, held: list[Certificate], kind: type[Assumption], other: bool) -> float | None:
        (name,) = kind.constants()
        fitting = [
            (getattr(c.assumption, name), c)
            for c in held
            if type(c.assumption) is kind and getattr(c.assumption, "norm", EUCLIDEAN) == EUCLIDEAN
        ]
        if not fitting:
            convex = [c for c in held if isinstance(c.assumption, Convex | StronglyConvex)]
            self._use(convex[:1])
            return 0.0 if other and convex else None
        pick = max if kind.sense[name] > 0 else min
        value, certificate = pick(fitting, key=lambda pair: pair[0])
        self._use([certificate])
        return value

    def have(self, *kinds: type[Assumption]) -> bool:
        """True if each problem has one of these."""
        for held in self.held:
            fitting = [c for c in held if isinstance(c.assumption, kinds)]
            if not fitting:
                return False
            self._use(fitting[:1])
        return True

    def _use(self, certificates: list[Certificate]) -> None:
        self.declared = self.declared or any(c.status == "declared" for c in certificates)

    def total(self, constants: list[float], up: bool) -> float:
        """weight times their sum, rounded."""
        exact = self.weight * sum((Fraction(c) for c in constants), Fraction(0))
        return (round_up if up else round_down)(exact)

    def each(self, constants: list[float], up: bool) -> list[float]:
        """n weight times each, rounded."""
        return [(round_up if up else round_down)(self.per_term * Fraction(c)) for c in constants]


def sum_facts(problems: tuple[Problem, ...], weight: Fraction, common: bool) -> tuple[Certificate, ...]:
    """All that the rules below give, on the whole space and on each region that a certificate names.

    common: all problems have the same minimiser. A fact is declared if a certificate behind it is.
    """
    regions = dict.fromkeys([EVERYWHERE, *(c.region for p in problems for c in p.certified)])
    facts: list[Certificate] = []
    for region in regions:
        for proof, rule in RULES.items():
            held = Held(problems, weight, region)
            assumption = rule(held)
            if assumption is None or any(c.assumption == assumption for c in facts if c.region == EVERYWHERE):
                continue
            status = "declared" if held.declared else "certified"
            facts.append(Certificate(assumption, proof=proof, region=region, status=status))
    smooth = Held(problems, weight, EVERYWHERE)
    if common and smooth.have(Smooth):
        status = "declared" if smooth.declared else "certified"
        proof = "all terms are smooth and have the same minimiser"
        facts.append(Certificate(Interpolation(), proof=proof, status=status))
    return tuple(facts)


def _made(kind: type[Assumption], constant: float) -> Assumption | None:
    """The assumption, unless the constant vanishes or overflows."""
    (name,) = kind.constants()
    if not 0 < constant < math.inf:
        return None
    return kind(**{name: constant})


def _added(kind: type[Assumption], other: bool = False) -> Rule:
    """weight times the sum of the constants; 0 for convex terms where ``other`` allows it."""

    def rule(held: Held) -> Assumption | None:
        constants = held.constants(kind, other=other)
        if constants is None or not any(constants):
            return None
        (name,) = kind.constants()
        return _made(kind, held.total(constants, up=kind.sense[name] < 0))

    return rule


def _worst(of: type[Assumption], kind: type[Assumption], other: bool = False) -> Rule:
    """The worst of n weight times the constants."""

    def rule(held: Held) -> Assumption | None:
        constants = held.constants(of, other=other)
        if constants is None or not any(constants):
            return None
        (name,) = kind.constants()
        upper = kind.sense[name] < 0
        return _made(kind, (max if upper else min)(held.each(constants, up=upper)))

    return rule


def _root_mean_square(held: Held) -> Assumption | None:
    constants = held.constants(Smooth)
    if constants is None:
        return None
    squares = sum((Fraction(c) ** 2 for c in constants), Fraction(0))
    return _made(AverageSmooth, round_up(held.per_term * root_up(squares / len(constants))))


def _continuous(held: Held) -> Assumption | None:
    """Of the whole space: continuity is not stated on a part of it."""
    return Continuous() if held.region == EVERYWHERE and held.have(Continuous, Smooth) else None


def _if_all(assumption: Assumption, *kinds: type[Assumption]) -> Rule:
    return lambda held: assumption if held.have(*kinds) else None


RULES: dict[str, Rule] = {
    "a sum of convex functions": _if_all(Convex(), Convex, StronglyConvex, Affine),
    "each term is convex": _if_all(ComponentConvex(), Convex, StronglyConvex, Affine),
    "a sum of affine functions": _if_all(Affine(), Affine),
    "a sum of functions with affine gradients": _if_all(AffineGradient(), AffineGradient, Affine),
    "a sum of continuous functions": _continuous,
    "moduli of strong convexity add up, 0 for convex terms": _added(StronglyConvex, other=True),
    "moduli of weak convexity add up, 0 for convex terms": _added(WeaklyConvex, other=True),
    "Lipschitz constants of gradients add up": _added(Smooth),
    "bounds on subgradients add up": _added(Lipschitz),
    "Lipschitz constants of Hessians add up": _added(HessianLipschitz),
    "the largest of the terms": _worst(Smooth, ComponentSmooth),
    "the root mean square of the terms": _root_mean_square,
    "the smallest of the terms": _worst(StronglyConvex, ComponentStronglyConvex),
    "the largest of the terms, 0 for convex ones": _worst(WeaklyConvex, ComponentWeaklyConvex, other=True),
}
"""Proof -> rule; norms are Euclidean."""
