"""The maximum of affine functions, built around its one minimiser."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Lipschitz, Norm
from assumptions.guards import require_dimension, require_finite, require_points
from problems.affine_faces import Face, Faces, face_count, require_supported
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.lp_form import has_lp_form, lp_form
from problems.oracle_guards import positive_step, project_unique
from problems.space import Integers, Range
from problems.spread import evenly_weighted

FACES = 4000
"""Up to this many faces are tried at once; beyond, a conic solver says which to try."""
MARGIN = 0.02
"""Least weight of an active piece, and least singular value of the active rows: far from rounding."""


@dataclass(frozen=True)
class MaxAffine(BallOracle):
    """f(x) = f_star + max_j <a_j, x - c> + b_j, j = 1..pieces, with one minimiser, c.

    d >= 1. pieces >= d + 1. seed >= 0: draws c (standard normal over sqrt(d)), the rows and the
    intercepts. f_star: finite. start: overrides x0 = c + (1, ..., 1). ValueError otherwise.

    The first d + 1 pieces are active at c (b_j = 0): d rows are drawn, the last is minus a positive
    combination of them. So 0 = sum p_j a_j with p > 0, and the rows span R^d: checked, with a margin
    far above rounding. The other b_j are negative. Then c is the only minimiser: for y != 0 the
    <a_j, y> of the active pieces are not all 0 and their p-mean is 0, so one of them is positive, and
    f(c + y) > f_star.
    """

    d: int = 2  # pyright: ignore[reportIncompatibleMethodOverride]
    pieces: int = 5
    seed: int = 0
    f_star: float = 0.0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "d": Integers(1, 3),
        "pieces": Integers(4, 8),
        "seed": Integers(0, 10_000),
    }

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d, pieces=self.pieces)
        if self.pieces < self.d + 1:
            raise ValueError(f"pieces must be at least d + 1 = {self.d + 1}, got {self.pieces!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed must be an integer >= 0, got {self.seed!r}")
        require_finite(f_star=self.f_star)
        object.__setattr__(self, "f_star", float(self.f_star))
        require_start(self.start, self.d)

    @cached_property
    def _drawn(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (pieces, d), intercepts (pieces,), c (d,)."""
        rng = np.random.default_rng(self.seed)
        center = rng.standard_normal(self.d) / self.d**0.5
        active = _surrounding_rows(rng, self.d)
        others = self.pieces - self.d - 1
        rows = np.concatenate([active, rng.standard_normal((others, self.d))])
        intercepts = np.concatenate([np.zeros(self.d + 1), -rng.uniform(0.05, 1.0, others)])
        return torch.from_numpy(rows), torch.from_numpy(intercepts), torch.from_numpy(center)

    @property
    def x_star(self) -> Tensor:
        """c, (d,)."""
        return self._drawn[2]

    @property
    def x0(self) -> Tensor:
        """c + (1, ..., 1), (d,)."""
        return start_point(self, self.start, self.x_star + 1)

    @property
    def unique_star(self) -> bool:
        """True."""
        return True

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Every subgradient is a mean of rows."""
        largest = float(self._drawn[0].norm(dim=-1).max()) * (1 + 1e-14)
        return (
            Certificate(Convex(), proof="a maximum of affine functions"),
            Certificate(Lipschitz(largest), proof="a subgradient is a mean of rows, |a_j| <= G"),
        )

    def _values(self, x: Tensor) -> Tensor:
        """Values of the pieces less f_star, (*batch, pieces)."""
        require_points(x, self.d)
        rows, intercepts, center = (part.to(x) for part in self._drawn)
        return (x - center) @ rows.mT + intercepts

    def gap(self, x: Tensor) -> Tensor:
        """The largest piece, >= 0. x: (*batch, d). Returns (*batch,)."""
        return self._values(x).amax(dim=-1).clamp(min=0)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """|a_j| |x - c| + |b_j|, entry by entry, of the largest piece, (*batch,)."""
        rows, intercepts, center = (part.to(x) for part in self._drawn)
        sizes = (x - center).abs() @ rows.abs().mT + intercepts.abs()
        top = self._values(x).argmax(dim=-1, keepdim=True)
        return gap + sizes.gather(-1, top).squeeze(-1)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.gap(x) + self.f_star

    def grad(self, x: Tensor) -> Tensor:
        """The first active row; 0 at c. Shapes (*batch, d)."""
        values = self._values(x)
        g = self._drawn[0].to(x)[values.argmax(dim=-1)]
        g = torch.where((x == self.x_star.to(x)).all(dim=-1, keepdim=True), 0.0, g)
        return torch.where(values.isnan().any(dim=-1, keepdim=True), torch.nan, g)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """c, in every norm. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True in Euclidean norms, weighted or not: the largest weight at most 1e4 times the smallest."""
        return has_lp_form(norm, self.d) and lp_form(norm, self.x0).p == 2 and evenly_weighted(norm)

    def conic(self, z: Any, cp: Any) -> Any:
        """f(z) as an expression of cvxpy."""
        rows, intercepts, center = (part.numpy() for part in self._drawn)
        return cp.max(rows @ (z - center) + intercepts) + self.f_star

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """The point whose active pieces pull it from x, exact to rounding (``affine_faces``). (*batch, d).

        SolverError where a conic solver had to choose the pieces and failed.
        """
        gamma = positive_step(x, self.d, stepsize=stepsize)
        values, flat, shape = self._flat(x, gamma)
        least, star = self._least_weight(x, gamma), self.x_star.to(x)
        wanted = ~(least >= 0).expand(shape).reshape(-1)
        step = _face(self, (), values, flat, False, wanted).step.reshape((*shape, self.d))
        # a weight of 0 may round to less
        near = (x + step - star).norm(dim=-1) <= 1e-13 * (x.norm(dim=-1) + star.norm())
        at_star = (least >= 0) | (near & (least >= -1e-12))
        return torch.where(at_star.unsqueeze(-1), star, x + step)

    def _least_weight(self, x: Tensor, gamma: Tensor) -> Tensor:
        """The least lambda_j with x - c = gamma sum lambda_j a_j over the active rows, sum 1; (*batch,).

        prox(x) = c if and only if it is >= 0.
        """
        active = self._drawn[0][: self.d + 1].to(x)
        system = torch.cat([active.mT, torch.ones_like(active[:, :1]).mT])
        pull = (x - self.x_star.to(x)) / gamma
        target = torch.cat([pull, torch.ones_like(pull[..., :1])], dim=-1)
        return (target @ torch.linalg.inv(system).mT).amin(dim=-1)

    def _flat(self, x: Tensor, size: Tensor) -> tuple[Tensor, Tensor, torch.Size]:
        """Values of the pieces at x, the largest 0, and the size, row by row; and the batch shape."""
        shape = torch.broadcast_shapes(x.shape[:-1], size.shape[:-1])
        values = self._values(x)
        values = (values - values.amax(dim=-1, keepdim=True)).expand((*shape, self.pieces))
        return values.reshape(-1, self.pieces), size.expand((*shape, 1)).reshape(-1), shape

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """c if it is in the ball; else the face whose pieces pull towards it (``affine_faces``)."""
        _, v = lp_form(norm, x)
        star = self.x_star.to(x)
        values, radius, shape = self._flat(x, t)
        near = norm.norm(x - star).unsqueeze(-1) <= t
        weights = tuple(v.expand(self.d).tolist())
        wanted = ~near.expand((*shape, 1)).reshape(-1)
        step, pull, _ = _face(self, weights, values, radius, True, wanted)
        step, pull = step.reshape((*shape, self.d)), pull.reshape((*shape, self.d))
        step = torch.where(near, star - x, step / v)
        point = torch.where(near, star, x + step)
        return BallStep.of(x, t, norm, step, torch.where(near, 0.0, pull * v), point)


def _surrounding_rows(rng: np.random.Generator, d: int) -> np.ndarray:
    """d + 1 rows that span R^d, with 0 a mean of them of positive weights; (d + 1, d).

    Drawn again until the weights, which the rows determine, and the singular values exceed MARGIN.
    """
    while True:
        rows = rng.standard_normal((d, d))
        p = rng.uniform(0.5, 1.5, d)
        rows = np.concatenate([rows, -(p @ rows)[None] / rng.uniform(0.5, 1.5)])
        right = np.concatenate([np.zeros(d), [1.0]])
        weights = np.linalg.solve(np.concatenate([rows.T, np.ones((1, d + 1))]), right)
        if min(weights.min() * (d + 1), np.linalg.svd(rows, compute_uv=False).min()) > MARGIN:
            return rows


@lru_cache(maxsize=32)
def _faces(problem: MaxAffine, weights: tuple[float, ...]) -> Faces:
    rows = problem._drawn[0]
    return Faces(rows / rows.new_tensor(weights) if weights else rows)


def _face(
    problem: MaxAffine,
    weights: tuple[float, ...],
    values: Tensor,
    size: Tensor,
    ball: bool,
    wanted: Tensor,
) -> Face:
    """The face of each wanted row, by trying all of them or, where they are many, those a solver names.

    SolverError where none leaves a small gap.
    """
    faces, every = _faces(problem, weights), bool(wanted.all())
    r, at = (values, size) if every else (values[wanted], size[wanted])
    if face_count(problem.pieces, problem.d) <= FACES:
        found = faces.ball(r, at) if ball else faces.prox(r, at)
        require_supported(found, faces.rows, r)
    else:
        from problems.affine_support import supported_face  # a conic solver takes a second to import

        found = supported_face(faces.rows, r, at, ball)
    if every:
        return found
    n, d = len(values), problem.d
    whole = Face(values.new_zeros(n, d), values.new_zeros(n, d), values.new_zeros(n))
    for part, into in zip(found, whole, strict=True):
        into[wanted] = part
    return whole
