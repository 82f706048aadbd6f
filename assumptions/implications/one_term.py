"""Rows about a sum of one term: what is said of f is said of its term."""

from assumptions.convex import Convex
from assumptions.implications.implies import Implies
from assumptions.l0l1.segment import SegmentL0L1
from assumptions.layerwise.mean_smooth import MeanLayerSmooth
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.lipschitz import Lipschitz
from assumptions.smooth import Smooth
from assumptions.strongly_convex import StronglyConvex
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.interpolation import Interpolation

SAME = "f is its only term"
STATIONARY = "f is its only term, and differentiable: its gradient is 0 at a minimiser"

ONE_TERM = (
    Implies((Convex,), lambda f: ComponentConvex(), SAME, local=True, gives=ComponentConvex),  # noqa: ARG005
    Implies(
        (StronglyConvex,),
        lambda f: ComponentStronglyConvex(f.mu, f.norm),
        SAME,
        local=True,
        gives=ComponentStronglyConvex,
    ),
    Implies((Smooth,), lambda f: ComponentSmooth(f.L, f.norm), SAME, local=True, gives=ComponentSmooth),
    Implies(
        (SegmentL0L1,),
        lambda f: ComponentL0L1(f.L0_segment, f.L1_segment, f.norm),
        SAME,
        local=True,
        gives=ComponentL0L1,
    ),
    Implies(
        (Lipschitz,), lambda f: ComponentLipschitz(f.G, f.norm), SAME, local=True, gives=ComponentLipschitz
    ),
    Implies((LayerSmooth,), lambda f: MeanLayerSmooth(f.L_i), SAME, local=True, gives=MeanLayerSmooth),
    Implies((Smooth,), lambda f: Interpolation(), STATIONARY, gives=Interpolation),  # noqa: ARG005
    Implies((SegmentL0L1,), lambda f: Interpolation(), STATIONARY, gives=Interpolation),  # noqa: ARG005
)
"""They hold where a problem has one term, and nowhere else."""
