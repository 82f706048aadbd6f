"""What certificates of the parts prove of f(X) = sum_i f_i(X_i)."""

import math
from collections.abc import Callable
from typing import TypeVar

from assumptions import (
    EUCLIDEAN,
    PL,
    AffineGradient,
    Assumption,
    Certificate,
    Continuous,
    Convex,
    Lipschitz,
    Norm,
    Smooth,
    StronglyConvex,
    closure,
)
from assumptions.l0l1.literal import LiteralL0L1
from assumptions.l0l1.local import LocalL0L1
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.literal_l0l1 import LiteralLayerL0L1
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.pl import LayerPL
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.outward import length_up
from assumptions.region import EVERYWHERE
from problems.base import Problem

Kind = TypeVar("Kind", bound=Assumption)
Known = tuple[Assumption, ...]


def layer_facts(parts: tuple[Problem, ...]) -> tuple[Certificate, ...]:
    """Facts of all parts, layer by layer in their norms and together in the Euclidean one.

    Only certificates that hold everywhere are used, with what they imply.
    """
    known = [_everywhere(part) for part in parts]
    norms = [part.layers.norms[0] for part in parts]
    return (*_layerwise(known, norms), *_together(known))


def _everywhere(part: Problem) -> Known:
    return tuple(
        c.assumption for c in closure(part.certified) if c.region == EVERYWHERE and c.status == "certified"
    )


def _all(known: list[Known], kind: type[Kind]) -> list[Kind] | None:
    """The assumption of that kind in each part, in the Euclidean norm; None if a part has none."""
    found = []
    for facts in known:
        fits = [a for a in facts if isinstance(a, kind) and getattr(a, "norm", EUCLIDEAN) == EUCLIDEAN]
        if not fits:
            return None
        found.append(fits[0])
    return found


def _layerwise(known: list[Known], norms: list[Norm]) -> tuple[Certificate, ...]:
    """grad_i f(X) is grad f_i(X_i): what holds for f_i holds for layer i, whatever the others do."""
    facts: list[Assumption] = []
    smooth = _each(known, norms, _smooth)
    if smooth is not None:
        L_i, _ = smooth
        rows = tuple(tuple(L if i == j else 0.0 for j in range(len(L_i))) for i, L in enumerate(L_i))
        facts += [LayerSmooth(L_i), CoupledSmooth(rows)]
    literal = _each(known, norms, lambda a, norm: _smooth(a, norm) or _literal(a, norm))
    facts += [LiteralLayerL0L1(*literal)] if literal is not None else []
    local = _each(known, norms, lambda a, norm: _smooth(a, norm) or _literal(a, norm) or _local(a, norm))
    facts += [LocalLayerL0L1(*local)] if local is not None else []
    slopes = [_slope(own, norm) for own, norm in zip(known, norms, strict=True)]
    if all(mu > 0 for mu in slopes):
        facts.append(LayerPL(min(slopes)))
    proof = "grad_i f(X) = grad f_i(X_i), and every f_i has it in the norm of its layer"
    return tuple(Certificate(fact, proof=proof) for fact in facts)


def _slope(known: Known, norm: Norm) -> float:
    """The largest constant of ``PL`` in this norm; 0 if there is none."""
    return max([a.mu_pl for a in known if isinstance(a, PL) and a.norm == norm], default=0.0)


Pair = tuple[float, float]


def _smooth(assumption: Assumption, norm: Norm) -> Pair | None:
    """(L, 0) if it says so in this norm, else None."""
    match assumption:
        case Smooth(L=L, norm=its) if its == norm:
            return L, 0.0
        case LayerSmooth(L_i=(L,)):
            return L, 0.0
    return None


def _literal(assumption: Assumption, norm: Norm) -> Pair | None:
    """(L0, L1) for steps of any length, if it says so in this norm, else None."""
    match assumption:
        case LiteralL0L1(L0_literal=L0, L1_literal=L1, norm=its) if its == norm:
            return L0, L1
        case LiteralLayerL0L1(L0_literal_i=(L0,), L1_literal_i=(L1,)):
            return L0, L1
    return None


def _local(assumption: Assumption, norm: Norm) -> Pair | None:
    """(L0, L1) for steps of length 1 / L1 at most, if it says so in this norm, else None."""
    match assumption:
        case LocalL0L1(L0=L0, L1=L1, norm=its) if its == norm:
            return L0, L1
        case LocalLayerL0L1(L0_i=(L0,), L1_i=(L1,)):
            return L0, L1
    return None


def _each(
    known: list[Known], norms: list[Norm], read: Callable[[Assumption, Norm], Pair | None]
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """(L0_i) and (L1_i), for each part the pair with the smallest L1; None if a part has none."""
    pairs = []
    for facts, norm in zip(known, norms, strict=True):
        said = [pair for fact in facts if (pair := read(fact, norm)) is not None]
        if not said:
            return None
        pairs.append(min(said, key=lambda pair: (pair[1], pair[0])))
    L0_i, L1_i = zip(*pairs, strict=True)
    return L0_i, L1_i


def _together(known: list[Known]) -> tuple[Certificate, ...]:
    """In the Euclidean norm of the whole variable."""
    facts: list[Certificate] = []
    for plain in (Convex, AffineGradient, Continuous):
        if _all(known, plain) is not None:
            facts.append(Certificate(plain(), proof="every part has it, in variables of its own"))
    smooth = _all(known, Smooth)
    if smooth is not None:
        L = max(a.L for a in smooth)
        facts.append(Certificate(Smooth(L), proof="squares of the changes of the parts add up"))
    lipschitz = _all(known, Lipschitz)
    if lipschitz is not None and length_up(tuple(a.G for a in lipschitz)) < math.inf:
        G = length_up(tuple(a.G for a in lipschitz))
        facts.append(Certificate(Lipschitz(G), proof="sum_i G_i |X_i - Y_i| <= |G| |X - Y|"))
    strong = _all(known, StronglyConvex)
    if strong is not None:
        mu = min(a.mu for a in strong)
        facts.append(Certificate(StronglyConvex(mu), proof="sum_i mu_i |X_i|^2 >= min mu_i |X|^2"))
    pl = _all(known, PL)
    if pl is not None:
        mu_pl = min(a.mu_pl for a in pl)
        facts.append(Certificate(PL(mu_pl), proof="gaps and squares of gradients add up over the parts"))
    return tuple(facts)
