"""The draws of a noise of gradients, as a space."""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from problems.noise.base import MOST_OUTCOMES, Noise
from problems.noise.sine import SineNoise

CORNERS = (0.125, 0.875)
"""Uniforms on either side of every threshold of the noises with two values per uniform."""


@dataclass(frozen=True)
class NoiseDraw:
    """The uniforms of b draws of a ``Noise`` in R^d; draws (*batch, b, noise.width(d)). d, b >= 1.

    TypeError for what is no noise, ValueError where it does not fit R^d. The noise at x is ``noise.draw(draw,
    x)``. Where its law is finite the outcomes are uniforms, one choice for each value of the noise.
    """

    noise: Noise
    d: int
    b: int = 1

    def __post_init__(self) -> None:
        """Guard the noise and the counts."""
        require_dimension(d=self.d, b=self.b)
        if not isinstance(self.noise, Noise):
            raise TypeError(f"noise must be a Noise such as GaussianNoise(1.0), got {self.noise!r}")
        if not self.noise.fits(self.d):
            raise ValueError(f"noise must fit dimension {self.d}, got {self.noise!r}")

    @property
    def width(self) -> int:
        """b times the uniforms of one draw."""
        return self.b * self.noise.width(self.d)

    @property
    def size(self) -> float:
        """m^b for a law of m values; inf where they are not listed."""
        one = self._one
        return math.inf if one is None else len(one[1]) ** self.b

    def value(self, u: Tensor) -> Tensor:
        """u itself, a row for each of the b draws."""
        return u.reshape(*u.shape[:-1], self.b, self.noise.width(self.d))

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Uniforms of every b values of the noise. TypeError where those are not listed."""
        one = self._one
        if one is None:
            raise TypeError(f"{self.noise!r} has no finite list of values: a draw cannot be enumerated")
        places = torch.cartesian_prod(*[torch.arange(len(one[1]))] * self.b).reshape(-1, self.b)
        return one[0][places], one[1][places].prod(dim=-1)

    @cached_property
    def _one(self) -> tuple[Tensor, Tensor] | None:
        """Uniforms and probabilities of the values of one draw.

        For each value one of the corners {1/8, 7/8}^width that the law takes there; None if some has none.
        """
        law = self.noise.coefficients if isinstance(self.noise, SineNoise) else self.noise
        listed = law.outcomes(self.d)
        if listed is None or 2 ** law.width(self.d) > MOST_OUTCOMES:
            return None
        corners = torch.tensor(
            list(itertools.product(CORNERS, repeat=law.width(self.d))), dtype=torch.float64
        )
        values = law.draw(corners, corners.new_zeros(len(corners), self.d))
        same = (values == listed[0].unsqueeze(1)).all(dim=-1)
        return (corners[same.int().argmax(dim=1)], listed[1]) if bool(same.any(dim=1).all()) else None
