"""Maxima of affine pieces over Euclidean balls and under proximal terms: every face tried at once.

Pieces l_j(s) = r_j + <a_j, s>, j = 1..m. Where a set S of affinely independent rows is active, s is fixed
by r_S + A_S s = v 1 and s = -A_S' mu, mu >= 0, up to one number. With B the rows a_i - a_0 of S, P = B^+
and p the point of the affine hull of A_S nearest to 0,

s = -P (r_i - r_0) - gamma p,   gamma = sum mu,

two orthogonal parts: the stepsize gamma gives the proximal point, and |s| = t fixes gamma over a ball.
mu / gamma are weights lambda on the simplex, and a bound of the minimum from below is
<lambda, r> - t |A' lambda| or <lambda, r> - gamma |A' lambda|^2 / 2. The face whose value and bound are
nearest to each other is the answer; their difference is what can be wrong with it.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from math import comb
from typing import NamedTuple

import torch
from torch import Tensor

AT_ONCE = 2_000_000
"""Numbers (points times faces times pieces) that are held together."""


class Face(NamedTuple):
    """Per point, the best face: step (n, d), gamma = sum of multipliers (n,), gap (n,), units of f."""

    step: Tensor
    gamma: Tensor
    gap: Tensor


class Faces:
    """All faces of ``rows``, or those of the given ``sets`` of pieces, grouped by size.

    rows: (m, d). sets: index tuples; all of 1 to d + 1 pieces if None.
    """

    def __init__(self, rows: Tensor, sets: Sequence[tuple[int, ...]] | None = None) -> None:
        self.rows = rows
        self._sets = sets

    @cached_property
    def _groups(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """(indices (n, k), P (n, d, k - 1), p (n, d)) for each size k."""
        m, d = self.rows.shape
        groups = []
        for k in range(1, min(d + 1, m) + 1):
            chosen = combinations(range(m), k) if self._sets is None else self._sets
            index = [s for s in chosen if len(s) == k]
            if index:
                groups.append(_group(self.rows, torch.tensor(index)))
        return groups

    def ball(self, r: Tensor, t: Tensor) -> Face:
        """Over {|s| <= t}. r: (n, m) values at s = 0. t: (n,). For balls without a minimiser inside."""
        return self._best(r, t, None)

    def prox(self, r: Tensor, gamma: Tensor) -> Face:
        """Under |s|^2 / (2 gamma). r: (n, m). gamma: (n,)."""
        return self._best(r, None, gamma)

    def _best(self, r: Tensor, t: Tensor | None, gamma: Tensor | None) -> Face:
        d, groups = self.rows.shape[1], self._groups
        if t is not None:
            groups = [group for group in groups if group[0].shape[1] <= d]
        size = max(1, AT_ONCE // (self.rows.shape[0] * sum(len(group[0]) for group in groups)))
        parts = []
        for i in range(0, max(1, r.shape[0]), size):
            chunk = slice(i, i + size)
            at, under = (None if u is None else u[chunk].unsqueeze(-1) for u in (t, gamma))
            tried = [self._try(group, r[chunk], at, under) for group in groups]
            step, stepsize, gap = (torch.cat(field, dim=1) for field in zip(*tried, strict=True))
            best = gap.nan_to_num(nan=torch.inf).argmin(dim=1, keepdim=True)
            step = step.gather(1, best.unsqueeze(-1).expand(-1, 1, d))
            parts.append((step[:, 0], stepsize.gather(1, best)[:, 0], gap.gather(1, best)[:, 0]))
        return Face(*(torch.cat(field) for field in zip(*parts, strict=True)))

    def _try(
        self, group: tuple[Tensor, Tensor, Tensor], r: Tensor, t: Tensor | None, gamma: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Steps (n, faces, d), gammas and gaps (n, faces) of the faces of one size."""
        index, inverse, nearest = (part.to(r.device) for part in group)
        on = r[:, index]
        level = -torch.einsum("fdk,nfk->nfd", inverse, on[..., 1:] - on[..., :1])
        length = nearest.norm(dim=-1)
        if gamma is None:
            assert t is not None
            across = level.norm(dim=-1)
            gamma = ((t - across).clamp(min=0) * (t + across)).sqrt() / length
        else:
            gamma = gamma.expand(on.shape[:2])
        step = level - gamma.unsqueeze(-1) * nearest
        if t is not None:
            step = step * (t / step.norm(dim=-1)).unsqueeze(-1)
        return step, gamma, self._gap(index, inverse, r, step, gamma, t)

    def _gap(
        self, index: Tensor, inverse: Tensor, r: Tensor, step: Tensor, gamma: Tensor, t: Tensor | None
    ) -> Tensor:
        """Value minus bound, each relative to the first piece of the face."""
        first = self.rows[index[:, 0]]
        rest = torch.einsum("fdk,nfd->nfk", inverse, -step / gamma.unsqueeze(-1) - first)
        weights = torch.cat([1 - rest.sum(dim=-1, keepdim=True), rest], dim=-1).clamp(min=0)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        pulled = torch.einsum("nfk,fkd->nfd", weights, self.rows[index]).norm(dim=-1)
        values = (r.unsqueeze(1) + step @ self.rows.mT).amax(dim=-1)
        bound = (weights * r[:, index]).sum(dim=-1)
        if t is not None:
            return values - bound + t * pulled
        return values - bound + gamma * pulled.square() / 2 + step.square().sum(dim=-1) / (2 * gamma)


def _group(rows: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    first = rows[index[:, 0]]
    differences = rows[index[:, 1:]] - first.unsqueeze(1)
    inverse = torch.linalg.pinv(differences)
    nearest = first
    for _ in range(2):  # the second time takes away the rounding of the first
        nearest = nearest - (inverse @ (differences @ nearest.unsqueeze(-1))).squeeze(-1)
    if index.shape[1] == rows.shape[1] + 1:
        nearest = torch.zeros_like(nearest)  # the hull is the whole space
    return index, inverse, nearest


def face_count(m: int, d: int) -> int:
    """How many sets of 1 to d + 1 of m pieces there are."""
    return sum(comb(m, k) for k in range(1, min(d + 1, m) + 1))
