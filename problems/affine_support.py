"""Which of many affine pieces carry the minimum, guessed by a conic solver; nothing else is taken from it."""

import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import cvxpy as cp
import torch
from torch import Tensor

from problems.affine_faces import Face, Faces
from problems.ball_newton import SolverError

GAP = 1e-10
"""Largest gap between value and bound that is returned, in units of what the pieces change over the step."""


class _Compiled(NamedTuple):
    program: Any
    r: Any
    size: Any
    pieces: Any


@lru_cache(maxsize=32)
def _compiled(rows: tuple[tuple[float, ...], ...], ball: bool) -> _Compiled:
    """min max_j (r_j + <a_j, s>) with |s| <= 1, or plus size |s|^2 / 2."""
    m, d = len(rows), len(rows[0])
    r, size, s, v = cp.Parameter(m), cp.Parameter(nonneg=True), cp.Variable(d), cp.Variable()
    pieces = r + cp.Constant(torch.tensor(rows, dtype=torch.float64).numpy()) @ s <= v
    objective = v if ball else v + size * cp.sum_squares(s) / 2
    program = cp.Problem(cp.Minimize(objective), [pieces, cp.norm(s) <= 1] if ball else [pieces])
    return _Compiled(program, r, size, pieces)


def supported_face(rows: Tensor, r: Tensor, t: Tensor | None, gamma: Tensor | None) -> Face:
    """The face that carries the minimum over |s| <= t, or under |s|^2 / (2 gamma); row by row.

    rows: (m, d). r: (n, m). t or gamma: (n,), the other None. The pieces in the order of the solver's
    multipliers: one of the first 1 to d + 1 is the face, solved to rounding by ``Faces``. SolverError
    if the solver fails, or no such face leaves a gap below GAP.
    """
    given = t if t is not None else gamma
    assert given is not None
    found = [
        _one(rows, r[i], None if t is None else t[i], None if gamma is None else gamma[i])
        for i in range(len(r))
    ]
    if not found:
        return Face(r.new_zeros(0, rows.shape[1]), r.new_zeros(0), r.new_zeros(0))
    return Face(*(torch.cat(field) for field in zip(*found, strict=True)))


def _one(rows: Tensor, r: Tensor, t: Tensor | None, gamma: Tensor | None) -> Face:
    if not bool(r.isfinite().all()):
        lost = torch.full_like(r[:1], torch.nan)
        return Face(lost.expand(1, rows.shape[1]), lost, lost)
    order = _order(rows, r, t, gamma)
    d = rows.shape[1]
    sets = [tuple(order[: k + 1]) for k in range(min(len(order), d if gamma is None else d + 1))]
    faces = Faces(rows, sets)
    if t is not None:
        face = faces.ball(r.unsqueeze(0), t.unsqueeze(0))
    else:
        assert gamma is not None
        face = faces.prox(r.unsqueeze(0), gamma.unsqueeze(0))
    scale = float(rows.norm(dim=-1).max() * face.step.norm() + 1e-5 * r.abs().max())
    if not float(face.gap[0]) <= GAP * scale:
        raise SolverError(
            f"max of {len(rows)} affine pieces in dimension {d}: the conic solver's multipliers leave a gap "
            f"{float(face.gap[0]):.3g} above {GAP * scale:.3g}"
        )
    return face


def _order(rows: Tensor, r: Tensor, t: Tensor | None, gamma: Tensor | None) -> list[int]:
    """Indices of the pieces, the largest multiplier first."""
    key = tuple(tuple(row) for row in rows.tolist())
    program, values, size, pieces = _compiled(key, t is not None)
    # in units in which the step has length 1 at most; pieces too low to be reached stay out of reach
    steepest = rows.norm(dim=-1).max()
    if gamma is not None:
        length = gamma * steepest
    else:
        assert t is not None
        length = t
    values.value = (r / length).clamp(min=-3 * float(steepest)).cpu().numpy()
    if gamma is not None:
        size.value = float(length / gamma)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program.solve(solver=cp.CLARABEL)
        except (cp.SolverError, ArithmeticError, ValueError) as error:
            raise SolverError(f"max of {len(rows)} affine pieces: the conic solver failed: {error}") from None
    if pieces.dual_value is None:
        raise SolverError(f"max of {len(rows)} affine pieces: the conic solver ended with {program.status!r}")
    return torch.as_tensor(pieces.dual_value).argsort(descending=True).tolist()
