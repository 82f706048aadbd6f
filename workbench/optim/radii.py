"""What Gluon and Drop-Muon share: how momentum starts and how long a step is."""

from abc import ABC
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from assumptions.guards import as_float, require_nonnegative
from workbench.optim.base import LMOOptimizer


class RadiusOptimizer(LMOOptimizer, ABC):
    """Steps of length lr radius, or lr radius g / (L0 + L1 g) with the constants of the group.

    A scheduler of lr schedules the radii. L0, L1: None, or >= 0 and not both 0 (one left out is 0). Then
    g = |M|_*, the dual norm, and the length is computed as lr radius / (L0 / g + L1), which does not overflow
    with g; it is 0 where g = 0. At beta = 0 and lr = radius = 1, with an exact orthogonaliser, these are the
    adaptive radii of the theory; for factors (a, b) it takes lr = a / b^2.
    """

    def first_weight(self, group: dict[str, Any]) -> float:
        """M is the gradient itself."""
        del group
        return 1.0

    def length(self, group: dict[str, Any], norm_dual: Callable[[], Tensor]) -> float | Tensor:
        """The radius, adaptive if there are constants."""
        longest = super().length(group, norm_dual)
        if group["L0"] is None and group["L1"] is None:
            return longest
        g = norm_dual()
        # a number over a tensor would be the number times 1 / g, which overflows
        bent = g.new_tensor(group["L0"] or 0.0) / g + (group["L1"] or 0.0)
        return longest * torch.where(g == 0, 0.0, 1 / bent)

    def check(self, group: dict[str, Any]) -> None:
        """Besides: L0 and L1; ValueError where both are 0."""
        super().check(group)
        given = {key: as_float(key, group[key]) for key in ("L0", "L1") if group[key] is not None}
        require_nonnegative(**given)
        if given and not any(given.values()):
            raise ValueError(f"L0 and L1 must not both be 0, got L0={group['L0']!r}, L1={group['L1']!r}")
