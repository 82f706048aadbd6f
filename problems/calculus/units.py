"""How assumptions pass from f to F(x) = height f((x - shift) / unit): by their units, in exact arithmetic."""

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from assumptions import EVERYWHERE, Ball, Certificate, Region
from assumptions.base import Assumption
from assumptions.guards import require_points, require_positive
from assumptions.outward import length_up, round_down, round_up
from assumptions.specification import Specified
from problems.oracle_guards import require_vector

CURVATURE, SLOPE, PURE = (1, -2), (1, -1), (0, 0)
UNITS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("L", "mu", "mu_pl", "mu_qg", "tau", "L_max", "L_avg", "mu_component"), CURVATURE),
    **dict.fromkeys(("tau_component", "delta", "delta_avg", "delta_star", "L_i", "h"), CURVATURE),
    **dict.fromkeys(("L_mean_i", "mu_layers", "left"), CURVATURE),
    "L0_max": CURVATURE,
    **dict.fromkeys(("L0", "L0_hessian", "L0_segment", "L0_literal", "L0_exp"), CURVATURE),
    **dict.fromkeys(("L0_i", "L0_literal_i", "L0_path_i", "L0_descent_i"), CURVATURE),
    **dict.fromkeys(("L1", "L1_hessian", "L1_segment", "L1_literal", "L1_exp", "L1_max"), (0, -1)),
    **dict.fromkeys(("L1_i", "L1_literal_i", "L1_path_i", "L1_descent_i"), (0, -1)),
    **dict.fromkeys(("G", "G_max", "sigma", "sigma_p", "sigma_star", "sigma_i"), SLOPE),
    "L_h": (1, -3),
    "L_h_i": (1, -3),
    "t_ball": (0, 1),
    "quasar": PURE,
}
"""Constant -> (powers of f, powers of x) in its unit. A gradient has the units of G, whatever the norm."""
UNITLESS_FIELDS = {"norm", "p"}
"""Other fields that stay: the norm of x - y, and the order of a moment."""
INVARIANT = {
    *("Convex", "Affine", "AffineGradient", "Continuous", "QuasiConvex", "StarConvex"),
    *("ComponentConvex", "Interpolation"),
}
"""Statements without constants that a change of units and of origin keeps."""


@dataclass(frozen=True)
class Preimage(Specified):
    """{x : (x - shift) / unit is in ``region``}: where F(x) = f((x - shift) / unit) has what f has there.

    unit: finite, > 0. shift: empty for 0. ValueError otherwise.
    """

    region: Region
    unit: float = 1.0
    shift: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Numbers, checked."""
        require_positive(unit=self.unit)
        if self.shift != ():
            object.__setattr__(self, "shift", require_vector("shift", self.shift))

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        if self.shift:
            require_points(x, len(self.shift))
            x = x - x.new_tensor(self.shift)
        return self.region.contains(x / self.unit)


@dataclass(frozen=True)
class Units:
    """F(x) = height f((x - shift) / unit). height, unit: finite, > 0; shift: empty for 0."""

    height: float = 1.0
    unit: float = 1.0
    shift: tuple[float, ...] = ()

    @property
    def moves(self) -> bool:
        """True if the argument changes."""
        return self.unit != 1 or any(self.shift)

    def scale(self, powers: tuple[int, int]) -> Fraction:
        """height^i unit^j without rounding."""
        return Fraction(self.height) ** powers[0] * Fraction(self.unit) ** powers[1]

    def certificate(self, certificate: Certificate) -> Certificate | None:
        """What the certificate says of F; None where no rule says so, or a constant is out of range.

        The substitution z = (x - shift) / unit multiplies |x - y| by unit and subgradients by
        height / unit: a constant of units f^i x^j is multiplied by height^i unit^j, rounded outward.
        """
        if self == Units():
            return certificate
        assumption = self.assumption(certificate.assumption)
        if assumption is None:
            return None
        proof = f"{certificate.assumption!r} of the inner problem, in the units of this one"
        if assumption == certificate.assumption:
            proof = "as the inner problem: the statement has no units"
        return dataclasses.replace(
            certificate, assumption=assumption, proof=proof, region=self.region(certificate.region), steps=()
        )

    def assumption(self, assumption: Assumption) -> Assumption | None:
        """The assumption with its constants in the units of F."""
        kind = type(assumption)
        if kind.__name__ == "ErrorBound":
            return _error_bound(assumption, self)
        fields = {f.name for f in dataclasses.fields(assumption)}  # pyright: ignore[reportArgumentType]
        if not kind.sense:
            return assumption if kind.__name__ in INVARIANT and fields <= UNITLESS_FIELDS else None
        if not set(kind.sense) <= UNITS.keys() or not fields <= UNITLESS_FIELDS | set(kind.sense):
            return None
        changed = {
            name: _scaled(getattr(assumption, name), self.scale(UNITS[name]), kind.sense[name] > 0)
            for name in kind.sense
        }
        return None if None in changed.values() else dataclasses.replace(assumption, **changed)  # pyright: ignore[reportArgumentType]

    def region(self, region: Region) -> Region:
        """The points that the substitution maps into the region; a Ball stays one, rounded inward."""
        if region == EVERYWHERE or not self.moves:
            return region
        if isinstance(region, Ball):
            ball = self._ball(region)
            return Preimage(region, self.unit, self.shift) if ball is None else ball
        return Preimage(region, self.unit, self.shift)

    def _ball(self, ball: Ball) -> Ball | None:
        shift = self.shift or (0.0,) * len(ball.center)
        exact = [
            Fraction(b) + Fraction(self.unit) * Fraction(c) for b, c in zip(shift, ball.center, strict=True)
        ]
        try:
            center = tuple(float(entry) for entry in exact)
            moved = tuple(round_up(abs(Fraction(c) - e)) for c, e in zip(center, exact, strict=True))
        except OverflowError:
            return None
        left = Fraction(self.unit) * Fraction(ball.radius) - Fraction(length_up(moved))
        radius = round_down(left) if left > 0 else 0.0
        return Ball(center, radius) if 0 < radius < math.inf else None

    def inner(self, x: Tensor) -> Tensor:
        """(x - shift) / unit. Shapes (*batch, d)."""
        if not self.moves:
            return x
        return (x - x.new_tensor(self.shift) if self.shift else x) / self.unit

    def outer(self, z: Tensor) -> Tensor:
        """Shift + unit z: ``inner`` undone, up to rounding. Shapes (*batch, d)."""
        if not self.moves:
            return z
        return z * self.unit + z.new_tensor(self.shift) if self.shift else z * self.unit

    def moved_by_rounding(self, z: Tensor) -> float:
        """Bound on what rounding does to ``outer(z)``, in the Euclidean norm."""
        if not self.moves:
            return 0.0
        size = self.unit * float(z.norm()) + float(torch.tensor(self.shift, dtype=torch.float64).norm())
        return 4 * torch.finfo(torch.float64).eps * size


def _scaled(constant: Any, scale: Fraction, down: bool) -> Any:
    """A constant, or a nested tuple of them, times the scale, rounded; None out of the range of floats."""
    if isinstance(constant, tuple):
        entries = tuple(_scaled(entry, scale, down) for entry in constant)
        return None if None in entries else entries
    if constant == 0 or scale == 1:
        return constant
    result = (round_down if down else round_up)(Fraction(constant) * scale)
    return result if 0 < result < math.inf else None


def _error_bound(assumption: Any, units: Units) -> Assumption | None:
    """dist <= eb |g|^order: eb has the units x^(1 + order) / f^order."""
    order = Fraction(assumption.order)
    if order.denominator == 1:
        scale = units.scale((-int(order), 1 + int(order)))
    else:
        power = units.unit * (units.unit / units.height) ** assumption.order
        scale = Fraction(power * (1 + 1e-14)) if 0 < power < math.inf else Fraction(0)
    eb = _scaled(assumption.eb, scale, down=False) if scale else None
    return None if eb is None else dataclasses.replace(assumption, eb=eb)
