"""Which of many affine pieces carry the minimum, guessed by a conic solver; nothing else is taken from it."""

import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import cvxpy as cp
import torch
from torch import Tensor

from problems.affine_faces import Face, Faces, require_supported
from problems.ball_newton import SolverError


class _Compiled(NamedTuple):
    program: Any
    r: Any
    curvature: Any
    pieces: Any


@lru_cache(maxsize=32)
def _compiled(rows: tuple[tuple[float, ...], ...], ball: bool) -> _Compiled:
    """min max_j (r_j + <a_j, s>) with |s| <= 1, or plus curvature |s|^2 / 2."""
    m, d = len(rows), len(rows[0])
    r, curvature, s, v = cp.Parameter(m), cp.Parameter(nonneg=True), cp.Variable(d), cp.Variable()
    pieces = r + cp.Constant(torch.tensor(rows, dtype=torch.float64).numpy()) @ s <= v
    objective = v if ball else v + curvature * cp.sum_squares(s) / 2
    program = cp.Problem(cp.Minimize(objective), [pieces, cp.norm(s) <= 1] if ball else [pieces])
    return _Compiled(program, r, curvature, pieces)


def supported_face(rows: Tensor, r: Tensor, size: Tensor, ball: bool) -> Face:
    """The face that carries the minimum over |s| <= size, or under |s|^2 / (2 size); row by row.

    rows: (m, d). r: (n, m). size: (n,). The pieces in the order of the solver's multipliers: one of the
    first 1 to d + 1 is the face, solved to rounding by ``Faces``. SolverError if the solver fails, or no
    such face leaves a small gap (``require_supported``).
    """
    found = [_one(rows, r[i : i + 1], size[i : i + 1], ball) for i in range(len(r))]
    if not found:
        return Face(r.new_zeros(0, rows.shape[1]), r.new_zeros(0, rows.shape[1]), r.new_zeros(0))
    return Face(*(torch.cat(field) for field in zip(*found, strict=True)))


def _one(rows: Tensor, r: Tensor, size: Tensor, ball: bool) -> Face:
    """r: (1, m). size: (1,)."""
    d = rows.shape[1]
    if not bool(r.isfinite().all()):
        lost = torch.full_like(r[:, :1], torch.nan)
        return Face(lost.expand(1, d), lost.expand(1, d), lost[:, 0])
    order = _order(rows, r[0], size[0], ball)
    faces = Faces(rows, [tuple(order[: k + 1]) for k in range(min(len(order), d if ball else d + 1))])
    face = faces.ball(r, size) if ball else faces.prox(r, size)
    require_supported(face, rows, r)
    return face


def _order(rows: Tensor, r: Tensor, size: Tensor, ball: bool) -> list[int]:
    """Indices of the pieces, the largest multiplier first."""
    key = tuple(tuple(row) for row in rows.tolist())
    program, values, curvature, pieces = _compiled(key, ball)
    # in units in which the step has length 1 at most; pieces too low to be reached stay out of reach
    steepest = rows.norm(dim=-1).max()
    length = size if ball else size * steepest
    values.value = (r / length).clamp(min=-3 * float(steepest)).cpu().numpy()
    if not ball:
        curvature.value = float(steepest)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program.solve(solver=cp.CLARABEL)
        except (cp.SolverError, ArithmeticError, ValueError) as error:
            raise SolverError(f"max of {len(rows)} affine pieces: the conic solver failed: {error}") from None
    if pieces.dual_value is None:
        raise SolverError(f"max of {len(rows)} affine pieces: the conic solver ended with {program.status!r}")
    return torch.as_tensor(pieces.dual_value).argsort(descending=True).tolist()
