"""Small members of the families of matrices and layers, without noise and with it."""

from math import inf

from assumptions import Lp, MaxColumn, MaxRow
from problems.base import Problem
from problems.calculus.noisy import Noisy
from problems.coupled_quadratic import CoupledQuadratic
from problems.layer_sum import LayerSum
from problems.linear_network import LinearNetwork
from problems.link_matrix import LinkMatrix
from problems.matrix_sum import MatrixSum
from problems.noise.gaussian import GaussianNoise
from problems.noise.sign import SignNoise
from problems.noise.skewed import SkewedNoise
from problems.power import Power
from problems.quadratic import Quadratic
from problems.spectral_quadratic import SpectralQuadratic

_AXES = ((1.0, 0.0), (0.0, 2.0))
MIXED_NORMS = LayerSum(
    (
        SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
        SpectralQuadratic(_AXES, 2, norm=Lp(inf)),
        SpectralQuadratic(_AXES, 3, norm=MaxColumn(2, 3, scale=0.5)),
        Quadratic((1.0, 2.0), seed=0),
    )
)
CURVED_LAYERS = LayerSum(
    (
        LinkMatrix("cosh", 2, 2, (1.0, 2.0)),
        LinkMatrix("cosh", 2, 3, (1.0,), norm=Lp(inf), seed=None),
        LinkMatrix("exp", 2, 2, (1.0, 0.5), norm=MaxRow(2, 2), seed=None),
    )
)
SIGN_LAYERS = LayerSum(
    (SpectralQuadratic(_AXES, 2, norm=Lp(inf)), SpectralQuadratic(((3.0,),), 2, norm=Lp(inf)))
)
"""Layers in norms that differ; with L1 > 0 in each; in the largest entry alone."""

LAYERED_INSTANCES: tuple[Problem, ...] = (
    SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
    LinkMatrix("cosh", 3, 3, (1.0, 2.0)),
    LinearNetwork(((1.0, 0.0), (0.0, -1.0)), 2),
    CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0)),
    MIXED_NORMS,
    LayerSum((Power(p=4.0), LinkMatrix("logistic", 2, 2, (1.0,)))),
    CURVED_LAYERS,
    SIGN_LAYERS,
    MatrixSum.one_layer((((1.0, 0.0), (0.0, 2.0)), ((3.0, 0.5), (0.5, 1.0))), 2),
    Noisy(Quadratic((1.0, 2.0), seed=0), GaussianNoise(0.5)),
    Noisy(MIXED_NORMS, GaussianNoise(0.5)),
    Noisy(CURVED_LAYERS, GaussianNoise(0.3)),
    Noisy(SIGN_LAYERS, SignNoise(0.5)),
    Noisy(LayerSum((Quadratic((1.0, 2.0), seed=0), Quadratic((3.0, 1.0, 0.5), seed=1))), GaussianNoise(0.5)),
    Noisy(SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3), GaussianNoise(1.0)),
    Noisy(CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0)), SkewedNoise(0.5)),
)
"""Small members, in the order of the room's list."""
