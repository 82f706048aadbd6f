"""Norms of the form |s| = |v s|_p: a power and a weight for each coordinate."""

from typing import NamedTuple

from torch import Tensor

from assumptions import Norm
from assumptions.norms import Lp
from assumptions.weighted import Weighted


class LpForm(NamedTuple):
    """|s| = |v s|_p. p: 1 <= p <= inf. v: > 0, (d,) or ()."""

    p: float
    v: Tensor


def has_lp_form(norm: Norm, d: int) -> bool:
    """True if ``lp_form`` knows the norm and it is one on R^d; such a norm is monotone in every |s_i|."""
    return isinstance(norm, Lp | Weighted) and norm.fits(d)


def lp_form(norm: Norm, x: Tensor) -> LpForm:
    """The power and the weights of a norm, as tensors like x. TypeError for a norm of another form."""
    if isinstance(norm, Lp):
        return LpForm(norm.p, x.new_tensor(norm.scale))
    if isinstance(norm, Weighted):
        return LpForm(norm.p, norm.of(x))
    raise TypeError(f"norm must be Lp or Weighted, got {norm!r}")
