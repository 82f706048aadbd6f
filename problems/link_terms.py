"""Means of terms h(<a_j, x - c> - b_j) + reg/2 |x|^2: their values, gradients and proximal steps."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding

from assumptions.base import EPS
from assumptions.guards import require_points
from problems.base import Problem
from problems.link_error import link_error
from problems.link_prox import link_move
from problems.links import LINKS
from problems.oracle_guards import positive_step, require_solved
from problems.term_index import require_index, require_indices


class LinkData(NamedTuple):
    """link: the name of h. rows: a_j, (n, d), not 0. targets: b_j, (n,), None for 0. center: c, None for 0.

    reg: >= 0.
    """

    link: str
    rows: Tensor
    targets: Tensor | None = None
    center: Tensor | None = None
    reg: float = 0.0


class LinkTerms(Problem):
    """f(x) = mean_j h(<a_j, x - c> - b_j) + reg/2 |x|^2, each term with its reg/2 |x|^2.

    A subclass gives ``_links``. ``batch_prox`` is offered where h is convex.
    """

    @property
    @abstractmethod
    def _links(self) -> LinkData:
        """The data of the terms."""

    def _rows_at(self, x: Tensor, j: Tensor) -> tuple[Tensor, Tensor | None]:
        """a_j, (*j.shape, d), and b_j, shaped as j, for j of any shape. IndexError for other numbers."""
        data = self._links
        rows = embedding(j, data.rows.to(x))
        return rows, None if data.targets is None else data.targets.to(x).take(j)

    def _around(self, x: Tensor) -> Tensor:
        """x - c. Shapes (*batch, d)."""
        center = self._links.center
        return x if center is None else x - center.to(x)

    def _inner(self, x: Tensor) -> Tensor:
        """<a_j, x - c> - b_j for all j, (*batch, n). x: (*batch, d)."""
        require_points(x, self.d)
        data = self._links
        # products of other layouts round otherwise
        s = self._around(x).contiguous() @ data.rows.to(x).mT
        return s if data.targets is None else s - data.targets.to(x)

    def _inner_at(self, x: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """a_j, (*j.shape, d), and <a_j, x - c> - b_j, (*batch,); j: int64, x: (*batch, d)."""
        rows, b = self._rows_at(x, j)
        s = torch.linalg.vecdot(rows, self._around(x))
        return rows, s if b is None else s - b

    def _inner_of(self, x: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """a_j and <a_j, x - c> - b_j, (*batch, b); j: int64 (*batch, b), x: (*batch, d).

        a_j: (*batch, b, d), or (b, d) alone where j is one row of indices, expanded.
        """
        shared = j.dim() > 1 and j.numel() > 0 and not any(j.stride()[:-1])
        rows, b = self._rows_at(x, j[(0,) * (j.dim() - 1)] if shared else j)
        y = self._around(x)
        s = y @ rows.mT if shared else (rows @ y.unsqueeze(-1)).squeeze(-1)
        return rows, s if b is None else s - b

    def _values_at(self, s: Tensor, x: Tensor) -> Tensor:
        """h(s) + reg/2 |x|^2. s: (*batch, b), x: (*batch, d). Shapes as s."""
        h, reg = LINKS[self._links.link].h(s), self._links.reg
        return h + reg / 2 * x.square().sum(dim=-1, keepdim=True) if reg else h

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """h(s_j) + reg/2 |x|^2, j: int64 (*batch,); f(x) if j is None. Returns (*batch,)."""
        if j is None:
            return self.value(x)
        require_points(x, self.d)
        require_index(x, j)
        return self._values_at(self._inner_at(x, j)[1].unsqueeze(-1), x).squeeze(-1)

    def part_values(self, x: Tensor) -> Tensor:
        """h(s_j) + reg/2 |x|^2 for all j, (*batch, n). x: (*batch, d)."""
        return self._values_at(self._inner(x), x)

    def batch_values(self, x: Tensor, j: Tensor) -> Tensor:
        """h(s_j) + reg/2 |x|^2 for the terms j, int64 (*batch, b), which may repeat. Returns (*batch, b)."""
        require_points(x, self.d)
        require_indices(x, j)
        return self._values_at(self._inner_of(x, j)[1], x)

    def part_grads(self, x: Tensor) -> Tensor:
        """h'(s_j) a_j + reg x for all j, (*batch, n, d). x: (*batch, d)."""
        data = self._links
        grads = LINKS[data.link].slope(self._inner(x)).unsqueeze(-1) * data.rows.to(x)
        return grads + data.reg * x.unsqueeze(-2) if data.reg else grads

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """h'(s_j) a_j + reg x, j: int64 (*batch,); the full gradient if j is None. Shapes (*batch, d)."""
        if j is None:
            return self.grad(x)
        require_points(x, self.d)
        require_index(x, j)
        rows, s = self._inner_at(x, j)
        weights = LINKS[self._links.link].slope(s).unsqueeze(-1)
        reg = self._links.reg
        return torch.addcmul(reg * x, rows, weights) if reg else rows * weights

    def batch_change(self, x: Tensor, before: Tensor, j: Tensor) -> Tensor:
        """As ``Problem.batch_change``; the row of one term is looked up once."""
        if j.shape[-1] != 1:
            return super().batch_change(x, before, j)
        require_points(x, self.d)
        require_indices(x, j)
        rows, s = self._inner_at(torch.stack([x, before]), j.squeeze(-1))
        now, then = LINKS[self._links.link].slope(s).unbind()
        change = rows * (now - then).unsqueeze(-1)
        return torch.add(change, x - before, alpha=self._links.reg) if self._links.reg else change

    def batch_grad(self, x: Tensor, j: Tensor) -> Tensor:
        """Gradient of the mean of the terms j, int64 (*batch, b), which may repeat. Shapes (*batch, d)."""
        require_points(x, self.d)
        require_indices(x, j)
        if j.shape[-1] == 1:
            return self.part_grad(x, j.squeeze(-1))
        rows, s = self._inner_of(x, j)
        slope = LINKS[self._links.link].slope(s)
        mean = (slope.unsqueeze(-2) @ rows).squeeze(-2) / j.shape[-1]
        reg = self._links.reg
        return mean + reg * x if reg else mean

    def batch_prox(self, x: Tensor, j: Tensor, stepsize: float | Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """argmin_z (mean of the terms j)(z) + |z - x|^2 / (2 stepsize). Shapes (*batch, d).

        x: (*batch, d). j: int64 (*batch, b), may repeat. stepsize w > 0: float or (*batch, 1). With reg it is
        the step w / (1 + reg w) of the links alone from x / (1 + reg w). TypeError where h is not convex,
        SolverError where no point is found, as on overflow.
        """
        if not LINKS[self._links.link].convex:
            raise TypeError(f"batch_prox needs a convex link, got {self._links.link!r} in {self!r}")
        rows, inner, y, step = self._shrunk(x, j, stepsize)
        count, b = math.prod(y.shape[:-1]), j.shape[-1]
        rows = rows.expand(*y.shape[:-1], b, self.d).reshape(count, b, self.d)
        move = link_move(self._links.link, rows, inner.reshape(count, b), step.reshape(count, 1))
        return require_solved("batch_prox", x, y + move.reshape(y.shape))

    def _shrunk(
        self, x: Tensor, j: Tensor, stepsize: float | Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """a_j, <a_j, y - c> - b_j, y = x / (1 + reg w) and w / (1 + reg w), on one batch but for a_j."""
        require_points(x, self.d)
        require_indices(x, j)
        step = positive_step(x, self.d, stepsize=stepsize)
        shrunk = 1 + self._links.reg * step
        y, step = x / shrunk, step / shrunk
        rows, inner = self._inner_of(y, j)
        return rows.expand(*j.shape, self.d), inner, y, step.expand(*y.shape[:-1], 1)

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact; ``batch_prox`` where h is convex."""
        return LINKS[self._links.link].convex if name == "batch_prox" else super().offers(name)

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """inf for ``batch_prox``: ``oracle_error`` bounds each call."""
        return {**super().oracle_errors, "batch_prox": math.inf}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Of ``batch_prox``: ``link_error`` with room for the rounding of sums, (*batch,).

        ValueError without j, the terms of the batch.
        """
        if name != "batch_prox":
            return super().oracle_error(name, x, step, result)
        if j is None:
            raise ValueError("j must be the terms of the batch, got None")
        data = self._links
        rows, _, y, step = self._shrunk(x, j, step)
        rounding = (self.d + j.shape[-1] + 16) * EPS
        inner = (rows @ self._around(result).unsqueeze(-1)).squeeze(-1)
        center = 0.0 if data.center is None else data.center.to(x).norm()
        size = rows.norm(dim=-1) * (result.norm(dim=-1) + center).unsqueeze(-1)
        if data.targets is not None:
            targets = data.targets.to(x).take(j)
            inner, size = inner - targets, size + targets.abs()
        return link_error(data.link, rows, inner, y, result, step, rounding, size)
