"""The step without which a fit would be another one."""

import math
from dataclasses import dataclass

import numpy as np

from workbench.probes.fits.asymmetric import Array, fit_asymmetric


@dataclass(frozen=True)
class Influence:
    """The fit without the step that changes it most.

    step: the place of that step among those fitted. L0, L1: without it. factor >= 1: between L0 + L1 g with
    it and without it, at the g asked for; share in [0, 1]: by how much L1 g / (L0 + L1 g) changes.
    """

    step: int
    L0: float
    L1: float
    factor: float
    share: float


def influence(
    g: Array, L: Array, at: float, penalty: float, lower: float, limits: tuple[float, float]
) -> Influence:
    """Leave one out: n fits of n - 1 points, n >= 2. at: the g at which lines are compared.

    limits: a factor and a share that count alike, to tell which step changes the fit most.
    """
    n = len(g)
    others = np.array([np.delete(np.arange(n), k) for k in range(n)])
    whole = _read(*fit_asymmetric(g, L, penalty, lower), at)
    L0, L1 = fit_asymmetric(g[others], L[others], penalty, lower)
    smoothness, share = _read(L0, L1, at)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.where(smoothness == whole[0], 1.0, smoothness / whole[0])
        factor = np.maximum(quotient, 1 / quotient)
    moved = np.abs(share - whole[1])
    step = int(np.maximum(np.log(factor) / math.log(limits[0]), moved / limits[1]).argmax())
    return Influence(step, float(L0[step]), float(L1[step]), float(factor[step]), float(moved[step]))


def _read(L0: Array, L1: Array, at: float) -> tuple[Array, Array]:
    """L0 + L1 g, and L1 g of it, 0 where that is 0."""
    part, whole = np.asarray(L1 * at), np.asarray(L0 + L1 * at)
    return whole, np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
