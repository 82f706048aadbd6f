"""Means of quadratics x'A_j x / 2 - <b_j, x>: values, gradients and proximal steps of the terms."""

import math
from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import embedding

from assumptions.guards import require_points
from problems.base import Problem
from problems.oracle_guards import positive_step, require_solved
from problems.quadratic_prox import quadratic_error, quadratic_point, times
from problems.term_index import require_index, require_indices


class QuadraticTerms(Problem):
    """f(x) = (1/n) sum_j x'A_j x / 2 - <b_j, x>. A subclass gives ``_terms`` and ``_psd``."""

    @property
    @abstractmethod
    def _terms(self) -> tuple[Tensor, Tensor]:
        """A_j, (n, d, d), symmetric, and b_j, (n, d)."""

    @property
    @abstractmethod
    def _psd(self) -> bool:
        """True if every A_j is known to be positive semidefinite."""

    def _terms_at(self, x: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """A_j, (*j.shape, d, d), and b_j, (*j.shape, d). IndexError for a term that there is not."""
        a, b = (part.to(x) for part in self._terms)
        return embedding(j, a.flatten(1)).unflatten(-1, a.shape[1:]), embedding(j, b)

    def _batch(self, x: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """The means of A_j and b_j over j, (*batch, d, d) and (*batch, d). j: int64 (*batch, b)."""
        require_points(x, self.d)
        require_indices(x, j)
        a, b = self._terms_at(x.detach(), j)
        return a.mean(dim=-3), b.mean(dim=-2)

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """A_j x - b_j, j: int64 (*batch,); the full gradient if j is None. Shapes (*batch, d)."""
        if j is None:
            return self.grad(x)
        require_points(x, self.d)
        require_index(x, j)
        a, b = self._terms_at(x, j)
        return times(a, x) - b

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """x'A_j x / 2 - <b_j, x>, j: int64 (*batch,); f(x) if j is None. Returns (*batch,)."""
        if j is None:
            return self.value(x)
        require_points(x, self.d)
        require_index(x, j)
        a, b = self._terms_at(x, j)
        return (x * (times(a, x) / 2 - b)).sum(dim=-1)

    def part_grads(self, x: Tensor) -> Tensor:
        """A_j x - b_j for all j, (*batch, n, d). x: (*batch, d)."""
        require_points(x, self.d)
        a, b = (part.to(x) for part in self._terms)
        return (a @ x[..., None, :, None]).squeeze(-1) - b

    def part_values(self, x: Tensor) -> Tensor:
        """x'A_j x / 2 - <b_j, x> for all j, (*batch, n). x: (*batch, d)."""
        require_points(x, self.d)
        a, b = (part.to(x) for part in self._terms)
        return (x.unsqueeze(-2) * ((a @ x[..., None, :, None]).squeeze(-1) / 2 - b)).sum(dim=-1)

    def batch_grad(self, x: Tensor, j: Tensor) -> Tensor:
        """Gradient of the mean of the terms j, int64 (*batch, b), which may repeat. Shapes (*batch, d)."""
        a, b = self._batch(x, j)
        return times(a, x) - b

    def batch_prox(self, x: Tensor, j: Tensor, stepsize: float | Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(I + stepsize A)^(-1) (x + stepsize b), A and b the means of the terms j. Shapes (*batch, d).

        x: (*batch, d). j: int64 (*batch, b), may repeat. stepsize > 0: float or (*batch, 1); ValueError where
        it is too large for a mean that is not convex. SolverError on overflow.
        """
        step = positive_step(x, self.d, stepsize=stepsize)
        z = quadratic_point(*self._batch(x, j), x, step.expand(*step.shape[:-1], 1), self._psd)
        return require_solved("batch_prox", x, z)

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """inf for ``batch_prox``: ``oracle_error`` bounds each call."""
        return {**super().oracle_errors, "batch_prox": math.inf}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Of ``batch_prox``: from its residual, see ``quadratic_error``; (*batch,).

        ValueError without j, the terms of the batch.
        """
        if name != "batch_prox":
            return super().oracle_error(name, x, step, result)
        if j is None:
            raise ValueError("j must be the terms of the batch, got None")
        w = positive_step(x, self.d, stepsize=step)
        w = w.expand(*w.shape[:-1], 1)
        return quadratic_error(*self._batch(x, j), x, w, self._psd, result, j.shape[-1])
