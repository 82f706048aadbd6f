"""Means of terms |<a_j, y> + r_j| - <g, y> + mu/2 |y|^2, y = x - c: values, gradients, proximal steps."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding

from assumptions.base import EPS
from assumptions.guards import require_points
from problems.abs_prox import abs_error, abs_move
from problems.base import Problem
from problems.oracle_guards import positive_step, require_solved
from problems.term_index import require_index, require_indices


class AbsData(NamedTuple):
    """a_j, (n, d); s_j, (n,); r_j, (n,); g, (d,), the mean of s_j a_j; c, (d,)."""

    rows: Tensor
    signs: Tensor
    residuals: Tensor
    pull: Tensor
    center: Tensor


class Batch(NamedTuple):
    """The proximal step of a batch, flat: see ``AbsTerms._shrunk``."""

    rows: Tensor
    m: Tensor
    weights: Tensor
    y: Tensor


class AbsTerms(Problem):
    """A subclass gives ``_data``, ``mu`` and ``_modulus``; s_j is a subgradient of |.| at r_j."""

    mu: float

    @property
    @abstractmethod
    def _data(self) -> AbsData:
        """The data of the terms."""

    @property
    @abstractmethod
    def _modulus(self) -> float:
        """At least 1 / smin for every set of linearly independent rows."""

    def _on(self, x: Tensor) -> AbsData:
        return AbsData(*(part.to(x) for part in self._data))

    def _inner(self, x: Tensor) -> Tensor:
        """t_j = <a_j, y> + r_j for all j, (*batch, n)."""
        require_points(x, self.d)
        data = self._on(x)
        return (x - data.center) @ data.rows.mT + data.residuals

    def gap(self, x: Tensor) -> Tensor:
        """mean (|t_j| - s_j t_j) + mu/2 |y|^2: no term is negative. x: (*batch, d). Returns (*batch,)."""
        t, data = self._inner(x), self._on(x)
        square = (x - data.center).square().sum(dim=-1)
        return (t.abs() - data.signs * t).mean(dim=-1) + self.mu / 2 * square

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and the mean of what the inner products add up, (*batch,)."""
        data = self._on(x)
        size = (x.abs() + data.center.abs()) @ data.rows.abs().mT + data.residuals.abs()
        return gap + (size * (1 + data.signs.abs())).mean(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """mean (sign(t_j) - s_j) a_j + mu y, sign(0) = s_j. Shapes (*batch, d)."""
        t, data = self._inner(x), self._on(x)
        slopes = _slopes(t, data.signs) - data.signs
        return slopes @ data.rows / self.n_terms + self.mu * (x - data.center)

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """sign(t_j) a_j - g + mu y, sign(0) = s_j; j: int64 (*batch,); the full one if None. (*batch, d)."""
        if j is None:
            return self.grad(x)
        require_points(x, self.d)
        require_index(x, j)
        data = self._on(x)
        y, row = x - data.center, embedding(j, data.rows)
        t = torch.linalg.vecdot(row, y) + data.residuals[j]
        return row * _slopes(t, data.signs[j]).unsqueeze(-1) - data.pull + self.mu * y

    def part_grads(self, x: Tensor) -> Tensor:
        """Those of all terms, (*batch, n, d). x: (*batch, d)."""
        t, data = self._inner(x), self._on(x)
        rest = self.mu * (x - data.center) - data.pull
        return _slopes(t, data.signs).unsqueeze(-1) * data.rows + rest.unsqueeze(-2)

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """|t_j| - <g, y> + mu/2 |y|^2; j: int64 (*batch,); f(x) if j is None. Returns (*batch,)."""
        if j is None:
            return self.value(x)
        require_points(x, self.d)
        require_index(x, j)
        return self.part_values(x).gather(-1, j.unsqueeze(-1)).squeeze(-1)

    def part_values(self, x: Tensor) -> Tensor:
        """Those of all terms, (*batch, n). x: (*batch, d)."""
        t, data = self._inner(x), self._on(x)
        y = x - data.center
        rest = self.mu / 2 * y.square().sum(dim=-1) - (y * data.pull).sum(dim=-1)
        return t.abs() + rest.unsqueeze(-1)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """argmin_z f(z) + |z - x|^2 / (2 stepsize): ``batch_prox`` of all terms. Shapes (*batch, d)."""
        return self.batch_prox(x, self._every(x), stepsize)

    def batch_prox(self, x: Tensor, j: Tensor, stepsize: float | Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """argmin_z (mean of the terms j)(z) + |z - x|^2 / (2 stepsize), to rounding. Shapes (*batch, d).

        x: (*batch, d). j: int64 (*batch, b), may repeat. stepsize w > 0: float or (*batch, 1). It is the step
        w / (1 + mu w) of the absolute values alone from (y + w g) / (1 + mu w). SolverError on overflow.
        """
        batch, shape = self._shrunk(x, j, stepsize)
        found = abs_move(batch.rows, batch.m, batch.weights)
        return require_solved("batch_prox", x, self._data.center.to(x) + (batch.y + found.y).reshape(shape))

    def _every(self, x: Tensor) -> Tensor:
        n = torch.arange(self.n_terms, device=x.device)
        return n.expand(*x.shape[:-1], self.n_terms)

    def _shrunk(self, x: Tensor, j: Tensor, stepsize: float | Tensor) -> tuple[Batch, torch.Size]:
        """Rows, products and weights of the distinct terms, where the step starts, (N, ...), and its shape.

        A term that repeats is counted where it comes first; its other rows are 0, at a height of 1.
        """
        require_points(x, self.d)
        require_indices(x, j)
        step, data = positive_step(x, self.d, stepsize=stepsize), self._on(x)
        shrunk = 1 + self.mu * step
        y = (x - data.center + step * data.pull) / shrunk
        same = j.unsqueeze(-1) == j.unsqueeze(-2)
        first = ~same.tril(-1).any(dim=-1)
        rows = torch.where(first.unsqueeze(-1), embedding(j, data.rows), 0.0)
        m = (rows @ y.unsqueeze(-1)).squeeze(-1) + torch.where(first, data.residuals[j], 1.0)
        weights = step / shrunk * same.sum(dim=-1) / j.shape[-1]
        rows, weights = (rows.expand(*m.shape, self.d), weights.expand(m.shape))
        count = math.prod(y.shape[:-1])
        flat = (part.reshape(count, *part.shape[y.dim() - 1 :]) for part in (rows, m, weights, y))
        return Batch(*flat), y.shape

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """inf: ``oracle_error`` bounds each call."""
        return {"prox": math.inf, "batch_prox": math.inf}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Of ``batch_prox`` and ``prox``: of the point found again, see ``abs_error``; (*batch,)."""
        if name not in ("prox", "batch_prox"):
            return super().oracle_error(name, x, step, result)
        terms = self._every(x) if j is None else j
        batch, shape = self._shrunk(x, terms, step)
        found = abs_move(batch.rows, batch.m, batch.weights)
        center = self._data.center.to(x)
        again = center + (batch.y + found.y).reshape(shape)
        w, data = positive_step(x, self.d, stepsize=step), self._on(x)
        size = x.norm(dim=-1) + center.norm() + (w * data.pull.norm() / (1 + self.mu * w)).squeeze(-1)
        size = (size + result.norm(dim=-1)).expand(shape[:-1]).reshape(-1)
        rounding = (self.d + terms.shape[-1] + 16) * EPS
        lengths = batch.rows.norm(dim=-1)
        e = rounding * (lengths * size.unsqueeze(-1) + torch.where(lengths > 0, batch.m.abs(), 0.0))
        bound = abs_error(*batch[:3], found, e, rounding, self._modulus_of(batch.rows))
        return (bound + rounding * size).reshape(shape[:-1]) + (result - again).norm(dim=-1)

    def _modulus_of(self, rows: Tensor) -> Tensor:
        """``_modulus``, or what one row has, (N,)."""
        if rows.shape[-2] > 1:
            return torch.full_like(rows[:, 0, 0], self._modulus)
        return 1.001 / rows.norm(dim=(-2, -1))


def _slopes(t: Tensor, signs: Tensor) -> Tensor:
    """sign(t), s_j at 0; nan stays. Shapes as t."""
    return torch.where(t == 0, signs, torch.where(t.isnan(), t, t.sign()))
