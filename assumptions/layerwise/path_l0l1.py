"""Layer-wise (L0, L1)-smoothness along a trajectory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.layerwise.inequality import LayerInequality
from assumptions.layerwise.l0l1 import l0l1_estimate, l0l1_sides
from assumptions.region import EVERYWHERE, Region


@dataclass(frozen=True)
class PathLayerL0L1(LayerInequality):
    """|grad_i f(X) - grad_i f(Y)|_{i*} <= (L0_path_i + L1_path_i |grad_i f(X)|_{i*}) |X_i - Y_i|_i on a path.

    For all layers i and all consecutive iterates X, Y of one trajectory, and for no other points: a function
    whose layers are coupled can have it, unlike ``LiteralLayerL0L1``. Constants: finite, >= 0, one per layer;
    ValueError otherwise, and for a problem with another number of layers. ``check`` takes the earlier and the
    later points, ``along`` a trajectory; there is nothing to sample or to search.
    """

    L0_path_i: tuple[float, ...]
    L1_path_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L0_path_i": -1, "L1_path_i": -1}

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer. X, Y: (*batch, d). Returns (*batch, n_layers)."""
        return l0l1_sides(self, problem, points)[0]

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L0_path_i_seen and L1_path_i_seen: see ``l0l1_estimate``. rule: Rule = "mean"."""
        cls.require(problem)
        return l0l1_estimate(problem, points, ("L0_path_i", "L1_path_i"), options, local=False)

    @classmethod
    def sample(cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE) -> NoReturn:
        """TypeError: random points are no trajectory."""
        del problem, n, seed, region
        raise TypeError(f"{cls.__name__} speaks of the iterates of a trajectory: give them to check or along")

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> NoReturn:
        """TypeError: nothing can be searched."""
        del problem, budget, seed, region
        raise TypeError(f"{self!r} speaks of the iterates of a trajectory: give them to check or along")
