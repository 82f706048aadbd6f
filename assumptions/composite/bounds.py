"""What holds of parts that are 0."""

from assumptions.base import Certificate
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart


def no_smooth_part() -> tuple[Certificate, ...]:
    """Of f = 0 and g = 0."""
    nothing = "f = 0"
    return (
        Certificate(SmoothPart(0.0), proof=nothing),
        Certificate(StronglyConvexSmoothPart(0.0), proof=nothing),
        Certificate(StronglyConvexProxPart(0.0), proof="g = 0"),
    )
