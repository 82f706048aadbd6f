"""Layers: what coupled layers do not allow."""

import math

from assumptions import BlockDescent, CoupledSmooth, LiteralLayerL0L1
from problems.counterexamples.base import Counterexample
from problems.coupled_quadratic import CoupledQuadratic

LAYERS: tuple[Counterexample, ...] = (
    Counterexample(
        name="literal-layers-on-a-product",
        claim="layer-wise (L0, L1)-smoothness in its literal form can hold for coupled layers",
        on=CoupledQuadratic(((0.0, 1.0), (1.0, 0.0)), (1, 1)),
        holds=(CoupledSmooth(((0.0, 1.0), (1.0, 0.0))),),
        fails=LiteralLayerL0L1((1e6, 1e6), (1e6, 1e6)),
        points=((0.0, 0.0), (0.0, 1.0)),
        ratio=math.inf,
        lesson="it forces f = sum_i f_i(X_i); along a trajectory, or with coupling constants h_ij",
    ),
    Counterexample(
        name="diagonal-blocks",
        claim="all layers may step at once with the smoothness constants of their own blocks",
        on=CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1)),
        holds=(CoupledSmooth(((1.0, 1.0), (1.0, 1.0))), BlockDescent((2.0, 2.0), (0.0, 0.0))),
        fails=BlockDescent((1.0, 1.0), (0.0, 0.0)),
        points=((1.0, 1.0), (-1.0, -1.0)),
        ratio=2.0 - 1e-9,
        lesson="L_i = sum_j h_ij",
    ),
)
