"""Maxima of affine pieces over Euclidean balls and under proximal terms: every face tried at once.

Pieces l_j(s) = r_j + <a_j, s>, j = 1..m. Where a set S of affinely independent rows is active, s is fixed
by r_S + A_S s = v 1 and s = -A_S' mu, mu >= 0, up to one number. With B the rows a_i - a_0 of S, P = B^+
and p the point of the affine hull of A_S nearest to 0,

s = -P (r_i - r_0) - gamma p,   gamma = sum mu,

two orthogonal parts: the stepsize gamma gives the proximal point, and |s| = t fixes gamma over a ball.
mu / gamma are weights lambda on the simplex, and a bound of the minimum from below is
<lambda, r> - t |A' lambda| or <lambda, r> - gamma |A' lambda|^2 / 2. The face whose value and bound are
nearest to each other is the answer; their difference is what can be wrong with it.

All of it in units with t = 1 or gamma = 1: the problem of r and t is t times that of r / t and 1, with
the step t times as long, and the same holds for gamma.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from math import comb
from typing import NamedTuple

import torch
from torch import Tensor

from assumptions import EUCLIDEAN
from problems.ball_newton import SolverError

GAP = 1e-10
"""Largest gap between value and bound that is returned, in units of what the pieces change over the step."""
AT_ONCE = 2_000_000
"""Numbers (points times faces times pieces) that are held together."""


class Face(NamedTuple):
    """Per point, the best face.

    step  s, (n, d)
    pull  A' lambda, a subgradient of the maximum at s, (n, d); -s / gamma up to rounding
    gap   value minus bound, units of f, (n,)
    """

    step: Tensor
    pull: Tensor
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
        return self._best(r, t, ball=True)

    def prox(self, r: Tensor, gamma: Tensor) -> Face:
        """Under |s|^2 / (2 gamma). r: (n, m). gamma: (n,)."""
        return self._best(r, gamma, ball=False)

    def _best(self, r: Tensor, size: Tensor, ball: bool) -> Face:
        d, groups = self.rows.shape[1], self._groups
        if ball:
            groups = [group for group in groups if group[0].shape[1] <= d]
        at_once = max(1, AT_ONCE // (self.rows.shape[0] * sum(len(group[0]) for group in groups)))
        unit, parts = r / size.unsqueeze(-1), []
        for i in range(0, max(1, r.shape[0]), at_once):
            tried = [self._try(group, unit[i : i + at_once], ball) for group in groups]
            step, pull, gap = (torch.cat(field, dim=1) for field in zip(*tried, strict=True))
            best = gap.nan_to_num(nan=torch.inf).argmin(dim=1, keepdim=True)
            of_best = best.unsqueeze(-1).expand(-1, 1, d)
            parts.append((step.gather(1, of_best)[:, 0], pull.gather(1, of_best)[:, 0], gap.gather(1, best)))
        step, pull, gap = (torch.cat(field) for field in zip(*parts, strict=True))
        return Face(step * size.unsqueeze(-1), pull, gap[:, 0] * size)

    def _try(
        self, group: tuple[Tensor, Tensor, Tensor], r: Tensor, ball: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Steps and pulls (n, faces, d) and gaps (n, faces) of the faces of one size."""
        index, inverse, nearest = (part.to(r.device) for part in group)
        on = r[:, index]
        level = -torch.einsum("fdk,nfk->nfd", inverse, on[..., 1:] - on[..., :1])
        gamma = torch.ones_like(on[..., 0])
        if ball:
            across = level.norm(dim=-1)
            gamma = ((1 - across).clamp(min=0) * (1 + across)).sqrt() / nearest.norm(dim=-1)
        step = level - gamma.unsqueeze(-1) * nearest
        if ball:
            step = step / step.norm(dim=-1, keepdim=True)
        return step, *self._proof(index, inverse, r, step, gamma, ball)

    def _proof(
        self, index: Tensor, inverse: Tensor, r: Tensor, step: Tensor, gamma: Tensor, ball: bool
    ) -> tuple[Tensor, Tensor]:
        """A' lambda, and value minus bound, each relative to the first piece of the face."""
        first = self.rows[index[:, 0]]
        rest = torch.einsum("fdk,nfd->nfk", inverse, -step / gamma.unsqueeze(-1) - first)
        weights = torch.cat([1 - rest.sum(dim=-1, keepdim=True), rest], dim=-1).clamp(min=0)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        pull = torch.einsum("nfk,fkd->nfd", weights, self.rows[index])
        values = (r.unsqueeze(1) + step @ self.rows.mT).amax(dim=-1)
        over = values - (weights * r[:, index]).sum(dim=-1)
        if ball:
            return pull, over + pull.norm(dim=-1)
        return pull, over + pull.square().sum(dim=-1) * gamma / 2 + step.square().sum(dim=-1) / (2 * gamma)


def require_supported(face: Face, rows: Tensor, r: Tensor) -> None:
    """SolverError unless every gap is below GAP, or nan as r is, in units of what pieces change."""
    change = rows.norm(dim=-1).max() * EUCLIDEAN.norm(face.step) + 1e-5 * r.abs().amax(dim=-1)
    bad = ~(face.gap <= GAP * change) & r.isfinite().all(dim=-1)
    if bool(bad.any()):
        row = int(bad.int().argmax())
        raise SolverError(
            f"max of {len(rows)} affine pieces in dimension {rows.shape[1]}: the best face leaves a gap "
            f"{float(face.gap[row]):.3g} above {GAP * float(change[row]):.3g} between value and bound"
        )


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
