"""Rows about smoothness in its forms, of the whole variable and layer by layer."""

import math
from fractions import Fraction

from assumptions.affine import Affine
from assumptions.affine_gradient import AffineGradient
from assumptions.base import Assumption
from assumptions.continuous import Continuous
from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.implications.implies import Implies, rounded
from assumptions.l0l1.exponential import ExponentialL0L1
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.l0l1.literal import LiteralL0L1
from assumptions.l0l1.local import LocalL0L1
from assumptions.l0l1.segment import SegmentL0L1
from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.hessian_lipschitz import LayerHessianLipschitz
from assumptions.layerwise.literal_l0l1 import LiteralLayerL0L1
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.path_l0l1 import PathLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.phi import ConstantPhi, ExponentialPhi
from assumptions.phi_smooth import PhiSmooth
from assumptions.smooth import Smooth

ONE_OVER_LN_2 = Fraction(math.nextafter(1 / math.log(2), math.inf))
"""A float above 1 / ln 2 = 1.4427: its logarithm and quotient err by less than one place."""


def _local_of_exponential(form: ExponentialL0L1) -> Assumption | None:
    factor = ONE_OVER_LN_2 if form.L1_exp > 0 else Fraction(1)
    L0, L1 = (Fraction(c) * factor for c in (form.L0_exp, form.L1_exp))
    return rounded(LocalL0L1, form.norm, L0=L0, L1=L1)


def _smooth(L: float, **fields: object) -> Smooth | None:
    return Smooth(L, **fields) if L > 0 else None  # pyright: ignore[reportArgumentType]


def _row_sums(coupled: CoupledSmooth) -> Assumption | None:
    sums = tuple(sum((Fraction(entry) for entry in row), Fraction(0)) for row in coupled.h)
    return rounded(BlockDescent, L0_descent_i=sums, L1_descent_i=(Fraction(0),) * len(sums))


SMOOTHNESS = (
    Implies(
        premises=(Smooth,),
        gives=Continuous,
        rule=lambda smooth: Continuous(),  # noqa: ARG005
        proof="f is differentiable",
    ),
    Implies(
        premises=(Affine,),
        gives=AffineGradient,
        rule=lambda affine: AffineGradient(),  # noqa: ARG005
        proof="the gradient is constant",
        local=True,
    ),
    Implies(
        premises=(Smooth,),
        gives=LiteralL0L1,
        rule=lambda smooth: LiteralL0L1(smooth.L, 0.0, smooth.norm),
        proof="L1 = 0",
        local=True,
    ),
    Implies(
        premises=(LiteralL0L1,),
        gives=LocalL0L1,
        rule=lambda form: LocalL0L1(form.L0_literal, form.L1_literal, form.norm),
        proof="it speaks of pairs at any distance",
        local=True,
    ),
    Implies(
        premises=(LocalL0L1,),
        gives=SegmentL0L1,
        rule=lambda form: SegmentL0L1(form.L0, form.L1, form.norm),
        proof="cut the segment into pieces shorter than 1 / L1 and add",
        local=True,
    ),
    Implies(
        premises=(HessianL0L1,),
        gives=SegmentL0L1,
        rule=lambda form: SegmentL0L1(form.L0_hessian, form.L1_hessian, form.norm),
        proof="integrate the Hessian along the segment",
        local=True,
    ),
    Implies(
        premises=(SegmentL0L1,),
        gives=ExponentialL0L1,
        rule=lambda form: ExponentialL0L1(form.L0_segment, form.L1_segment, form.norm),
        proof=(
            "u(s) = |grad f(y + s (x - y)) - grad f(y)|_* grows at most at (L0 + L1 (|grad f(y)|_* + u)) r "
            "by the inequality on short pieces; Gronwall"
        ),
        local=True,
    ),
    Implies(
        premises=(ExponentialL0L1,),
        gives=LocalL0L1,
        rule=_local_of_exponential,
        proof="(e^u - 1) / u <= 1 / ln 2 for u = L1 r <= ln 2; nothing smaller: exponentials attain it",
        local=True,
    ),
    Implies(
        premises=(LiteralL0L1,),
        gives=Smooth,
        rule=lambda form: _smooth(form.L0_literal, norm=form.norm) if form.L1_literal == 0 else None,
        proof="L1 = 0",
        local=True,
    ),
    Implies(
        premises=(LocalL0L1,),
        gives=Smooth,
        rule=lambda form: _smooth(form.L0, norm=form.norm) if form.L1 == 0 else None,
        proof="L1 = 0: it speaks of all pairs",
        local=True,
    ),
    Implies(
        premises=(SegmentL0L1,),
        gives=Smooth,
        rule=lambda form: _smooth(form.L0_segment, norm=form.norm) if form.L1_segment == 0 else None,
        proof="L1 = 0: no gradient counts",
        local=True,
    ),
    Implies(
        premises=(ExponentialL0L1,),
        gives=Smooth,
        rule=lambda form: _smooth(form.L0_exp, norm=form.norm) if form.L1_exp == 0 else None,
        proof="L1 = 0: (e^0 - 1) / 0 = 1",
        local=True,
    ),
    Implies(
        premises=(PhiSmooth,),
        gives=Smooth,
        rule=lambda form: Smooth(form.phi_scale, form.norm) if form.phi == ConstantPhi() else None,
        proof="phi = 1",
        local=True,
    ),
    Implies(
        premises=(HessianL0L1,),
        gives=Smooth,
        rule=lambda form: _smooth(form.L0_hessian, norm=form.norm) if form.L1_hessian == 0 else None,
        proof="integrate the Hessian along the segment",
        local=True,
    ),
    Implies(
        premises=(AffineGradient, Smooth),
        gives=HessianL0L1,
        rule=lambda affine, smooth: HessianL0L1(smooth.L, 0.0, smooth.norm),  # noqa: ARG005
        proof="the Hessian is constant, and |H v|_* = |grad f(x + v) - grad f(x)|_* <= L |v|",
        local=True,
    ),
    Implies(
        premises=(AffineGradient,),
        gives=HessianLipschitz,
        rule=lambda affine: HessianLipschitz(0.0),  # noqa: ARG005
        proof="the Hessian is constant",
        local=True,
    ),
    Implies(
        premises=(ExponentialL0L1,),
        gives=PhiSmooth,
        rule=lambda form: PhiSmooth(ExponentialPhi(form.L0_exp, form.L1_exp), norm=form.norm),
        proof="the same inequality",
        local=True,
    ),
    Implies(
        premises=(Smooth,),
        gives=PhiSmooth,
        rule=lambda smooth: PhiSmooth(ConstantPhi(), smooth.L, smooth.norm),
        proof="phi = L",
        local=True,
    ),
)
"""The whole variable."""

LAYERWISE = (
    Implies(
        premises=(AffineGradient, LayerSmooth),
        gives=LayerHessianLipschitz,
        rule=lambda affine, form: LayerHessianLipschitz((0.0,) * len(form.L_i)),  # noqa: ARG005
        proof="the Hessian is constant",
    ),
    Implies(
        premises=(LayerSmooth,),
        gives=LiteralLayerL0L1,
        rule=lambda form: LiteralLayerL0L1(form.L_i, (0.0,) * len(form.L_i)),
        proof="L1_i = 0",
        local=True,
    ),
    Implies(
        premises=(LiteralLayerL0L1,),
        gives=LocalLayerL0L1,
        rule=lambda form: LocalLayerL0L1(form.L0_literal_i, form.L1_literal_i),
        proof="it speaks of steps of any length",
        local=True,
    ),
    Implies(
        premises=(LiteralLayerL0L1,),
        gives=PathLayerL0L1,
        rule=lambda form: PathLayerL0L1(form.L0_literal_i, form.L1_literal_i),
        proof="it speaks of all pairs",
        local=True,
    ),
    Implies(
        premises=(LocalLayerL0L1,),
        gives=BlockDescent,
        rule=lambda form: BlockDescent(form.L0_i, form.L1_i),
        proof="f(X + D) - f(X) - <grad f(X), D> = int_0^1 <grad f(X + s D) - grad f(X), D> ds, by layers",
        local=True,
    ),
    Implies(
        premises=(CoupledSmooth,),
        gives=BlockDescent,
        rule=_row_sums,
        proof="the same integral, h_ij |D_i| |D_j| <= h_ij (|D_i|^2 + |D_j|^2) / 2, h symmetric",
        local=True,
    ),
)
"""Layer by layer, in the norms of the problem's layers."""
