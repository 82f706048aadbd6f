"""The programme as Clarabel takes it, assembled directly: sparse rows and one positive semidefinite cone."""

import time
from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

from workbench.worst_case.gram import Form, to_float
from workbench.worst_case.programme import Programme, ProgrammeError

CLARABEL: Any = clarabel
"""Its names come from a compiled module, which type checkers do not see."""
SQRT2 = float(np.sqrt(2.0))
TOLERANCE = 1e-11
"""Asked of the solver; what it reaches is judged afterwards, exactly."""

HOPELESS = {
    "PrimalInfeasible": "is infeasible: its constraints, with the normalisation, contradict one another",
    "DualInfeasible": "is unbounded: a normalisation of the start (dist0 <= 1, say) is missing, "
    "or the measure is positive where the bound is 0",
}


@dataclass(frozen=True)
class Solution:
    """What the solver returned, in floats, not verified.

    value       of the programme, without the margins
    gram        (N, N), zero in rows that the programme leaves out
    values      (M,) function values
    products    free products, in the order of ``Programme.free_products``
    weights     (objective,) >= 0, sum 1; multipliers (constraints,) >= 0; equalities (equalities,) of any
    sign status, seconds, iterations  of the solver
    """

    value: float
    gram: np.ndarray
    values: np.ndarray
    products: np.ndarray
    weights: np.ndarray
    multipliers: np.ndarray
    equalities: np.ndarray
    status: str
    seconds: float
    iterations: int


class Columns:
    """Where the unknowns lie: svec of G (upper triangle, columns first), values, free products, t."""

    def __init__(self, programme: Programme) -> None:
        self.rows = programme.rows()
        self.place = {row: n for n, row in enumerate(self.rows)}
        self.size = len(self.rows)
        self.n_gram = self.size * (self.size + 1) // 2
        self.n_values = len(programme.basis.values)
        self.free = programme.free_products()
        at = self.n_gram + self.n_values
        self.free_place = {pair: at + n for n, pair in enumerate(self.free)}
        self.t = at + len(self.free)
        self.n = self.t + 1

    def entries(self, form: Form) -> tuple[list[int], list[float]]:
        """Columns and coefficients of the form; its constant is left out."""
        columns, numbers = [], []
        for (i, j), c in form.quad.items():
            free = self.free_place.get((i, j))
            if free is not None:
                columns.append(free)
                numbers.append(to_float(c))
                continue
            low, high = self.place[i], self.place[j]
            columns.append(high * (high + 1) // 2 + low)
            numbers.append(to_float(c) if i == j else to_float(c) / SQRT2)
        for m, c in form.lin.items():
            columns.append(self.n_gram + m)
            numbers.append(to_float(c))
        return columns, numbers


def form_rows(columns: Columns, forms: list[Form]) -> tuple[sparse.coo_matrix, np.ndarray]:
    """Forms as rows (len(forms), n) and their constants."""
    row, column, number = [], [], []
    for n, form in enumerate(forms):
        found, numbers = columns.entries(form)
        row += [n] * len(found)
        column += found
        number += numbers
    matrix = sparse.coo_matrix((number, (row, column)), shape=(len(forms), columns.n))
    return matrix, np.array([to_float(form.const) for form in forms])


def _settings(equilibrate: bool) -> Any:
    settings = CLARABEL.DefaultSettings()
    settings.verbose = False
    settings.equilibrate_enable = equilibrate
    settings.iterative_refinement_reltol = settings.iterative_refinement_abstol = 1e-15
    settings.iterative_refinement_max_iter = 30
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOLERANCE
    settings.max_threads = 1
    return settings


def _minimised(q: np.ndarray, a: Any, b: np.ndarray, cones: list[Any], equilibrate: bool = True) -> Any:
    """What the solver says to: minimise <q, z> subject to a z + slack = b, slack in the cones."""
    p = sparse.csc_matrix((len(q), len(q)))
    return CLARABEL.DefaultSolver(p, q, a, b, cones, _settings(equilibrate)).solve()


class _Rows:
    """The constraints of the conic problem: a z + slack = b, slack in the cones, in their order."""

    def __init__(self, programme: Programme, columns: Columns, inside: float) -> None:
        equal, equal_const = form_rows(columns, list(programme.equalities.values()))
        least, least_const = form_rows(columns, list(programme.objective))
        below, below_const = form_rows(columns, list(programme.constraints.values()))
        n_least, n_gram = len(programme.objective), columns.n_gram
        above_t = sparse.coo_matrix(
            (np.ones(n_least), (np.arange(n_least), np.full(n_least, columns.t))), (n_least, columns.n)
        )
        gram = sparse.eye(n_gram, columns.n)
        self.a = sparse.vstack([equal, above_t - least, below, -gram]).tocsc()
        self.b = np.concatenate([-equal_const, least_const, -below_const - inside, np.zeros(n_gram)])
        self.cut = np.cumsum([len(equal_const), n_least, len(below_const)])
        self.cones = [CLARABEL.ZeroConeT(self.cut[0])] if self.cut[0] else []
        self.cones += [CLARABEL.NonnegativeConeT(self.cut[2] - self.cut[0])]
        self.cones += [CLARABEL.PSDTriangleConeT(columns.size)] if columns.size else []


def solve(
    programme: Programme, inside: float = 0.0, above: float = 0.0, equilibrate: bool = True
) -> Solution:
    """Solve with margins: constraints <= -inside, and above times the trace of G in the objective.

    With ``inside`` > 0 the point found is strictly feasible, with ``above`` > 0 the multipliers are:
    they then survive rounding. ``equilibrate``: the solver scales rows and columns first, which helps some
    programmes and hurts others. ProgrammeError if the programme is infeasible or unbounded.
    """
    columns = Columns(programme)
    rows = _Rows(programme, columns, inside)
    q = np.zeros(columns.n)
    q[columns.t] = -1.0
    q[np.cumsum(np.arange(1, columns.size + 1)) - 1] = -above
    started = time.perf_counter()
    found = _minimised(q, rows.a, rows.b, rows.cones, equilibrate)
    seconds = time.perf_counter() - started
    status = str(found.status).removeprefix("Almost")
    if status in HOPELESS:
        raise ProgrammeError(f"the programme {HOPELESS[status]} (solver: {found.status})")
    x, z = np.array(found.x), np.array(found.z)
    if not (np.isfinite(x).all() and np.isfinite(z).all()):
        raise ProgrammeError(f"the solver stopped without numbers (solver: {found.status})")
    n_equal, n_least, n_below = rows.cut
    return Solution(
        value=float(x[columns.t]),
        gram=_matrix(columns, x, len(programme.basis.vectors)),
        values=x[columns.n_gram : columns.n_gram + columns.n_values],
        products=x[columns.n_gram + columns.n_values : columns.t],
        weights=z[n_equal:n_least],
        multipliers=z[n_least:n_below],
        equalities=z[:n_equal],
        status=str(found.status),
        seconds=seconds,
        iterations=int(found.iterations),
    )


def solve_within(programme: Programme, span: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The programme over G = span M span^T alone, M psd, (r, r); span: (N, r), of few columns.

    Returns G, the function values and the free products. On the range of a worst case of low rank this is a
    small problem, solved to more digits than the large one. ProgrammeError as ``solve``.
    """
    columns = Columns(programme)
    rows = _Rows(programme, columns, 0.0)
    w, r = span[columns.rows], span.shape[1]
    high, low = np.tril_indices(columns.size)
    scale = np.where(high == low, 1.0, SQRT2)
    lift = [
        (w[high, a] * w[low, b] + w[high, b] * w[low, a]) * scale / (2.0 if a == b else SQRT2)
        for a in range(r)
        for b in range(a + 1)
    ]
    n_gram = len(lift)
    whole: Any = sparse.csr_matrix(rows.a)[: rows.cut[2]]
    upper: Any = sparse.hstack([whole[:, : columns.n_gram] @ np.array(lift).T, whole[:, columns.n_gram :]])
    a = sparse.vstack([upper, -sparse.eye(n_gram, upper.shape[1])]).tocsc()
    b = np.concatenate([rows.b[: rows.cut[2]], np.zeros(n_gram)])
    q = np.zeros(upper.shape[1])
    q[-1] = -1.0
    cones = [*rows.cones[:-1], CLARABEL.PSDTriangleConeT(r)]
    found = _minimised(q, a, b, cones)
    x = np.array(found.x)
    if str(found.status).removeprefix("Almost") in HOPELESS or not np.isfinite(x).all():
        raise ProgrammeError(f"no worst case with this range (solver: {found.status})")
    numbers = np.array(lift).T @ x[:n_gram]
    cut = n_gram + columns.n_values
    return _matrix(columns, numbers, len(programme.basis.vectors)), x[n_gram:cut], x[cut:-1]


def svec(columns: Columns, gram: np.ndarray) -> np.ndarray:
    """The rows of G that count as the unknowns hold them; ``_matrix`` turns them back."""
    high, low = np.tril_indices(columns.size)
    part = gram[np.ix_(columns.rows, columns.rows)]
    return part[high, low] * np.where(high == low, 1.0, SQRT2)


def _matrix(columns: Columns, x: np.ndarray, size: int) -> np.ndarray:
    """G from its svec, zero in rows left out."""
    part = np.zeros((columns.size, columns.size))
    high, low = np.tril_indices(columns.size)
    part[high, low] = part[low, high] = x[: columns.n_gram] / np.where(high == low, 1.0, SQRT2)
    gram = np.zeros((size, size))
    gram[np.ix_(columns.rows, columns.rows)] = part
    return gram
