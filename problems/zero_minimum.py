"""Problems whose smallest value is 0, so that the gap is the value."""

from typing import ClassVar

from torch import Tensor

from problems.base import Problem


class ZeroMinimum(Problem):
    """min f = 0, and f is computed without cancellation: nothing is subtracted in its gap either."""

    f_star: ClassVar[float] = 0.0

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Nothing cancels: the gap itself, (*batch,)."""
        del x
        return gap
