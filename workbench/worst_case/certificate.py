"""Proofs of upper bounds, checked with rational numbers.

For weights w >= 0 with sum 1, multipliers lambda >= 0 and nu,

    min_l objective_l <= sum_l w_l objective_l - sum_i lambda_i constraint_i - sum_j nu_j equality_j

at every feasible (G, f). If on the right the function values and the free products cancel and the matrix of G
is negative semidefinite, its constant is an upper bound. All this is checked with rational numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpz

from workbench.worst_case.gram import ZERO, Form, exact
from workbench.worst_case.programme import Programme


class CertificateError(ValueError):
    """A dual that proves nothing; says what fails."""


@dataclass(frozen=True)
class Certificate:
    """An upper bound of a programme with its proof.

    value        the bound, exact
    weights      one per objective, >= 0 with sum 1
    multipliers  of the constraints, >= 0, and of the equalities; zeros left out
    """

    value: Fraction
    weights: tuple[Fraction, ...]
    multipliers: Mapping[str, Fraction]


def right_side(programme: Programme, certificate: Certificate) -> Form:
    """sum w objective - sum lambda constraint - sum nu equality. CertificateError for an unknown name."""
    known = {**programme.constraints, **programme.equalities}
    unknown = [name for name in certificate.multipliers if name not in known]
    if unknown or len(certificate.weights) != len(programme.objective):
        raise CertificateError(f"multipliers of {unknown} or the number of weights do not fit the programme")
    pairs = [*zip(programme.objective, certificate.weights, strict=True)]
    pairs += [(known[name], -number) for name, number in certificate.multipliers.items()]
    return combination([(form, exact(number)) for form, number in pairs])


def combination(pairs: list[tuple[Form, fmpq]]) -> Form:
    """sum c form, added up in one pass."""
    quad: dict[tuple[int, int], fmpq] = {}
    lin: dict[int, fmpq] = {}
    const = ZERO
    for form, c in pairs:
        for pair, number in form.quad.items():
            quad[pair] = quad.get(pair, ZERO) + c * number
        for m, number in form.lin.items():
            lin[m] = lin.get(m, ZERO) + c * number
        const += c * form.const
    return Form({p: c for p, c in quad.items() if c != 0}, {m: c for m, c in lin.items() if c != 0}, const)


def verify(programme: Programme, certificate: Certificate) -> None:
    """CertificateError unless the certificate proves its value, in exact arithmetic."""
    if any(w < 0 for w in certificate.weights) or sum(certificate.weights) != 1:
        raise CertificateError(f"the weights must be >= 0 with sum 1, got {certificate.weights}")
    negative = [
        name for name, c in certificate.multipliers.items() if c < 0 and name not in programme.equalities
    ]
    if negative:
        raise CertificateError(f"negative multipliers of inequalities: {', '.join(negative)}")
    form = right_side(programme, certificate)
    if form.lin:
        names = ", ".join(programme.basis.values[m] for m in form.lin)
        raise CertificateError(f"the function values {names} do not cancel")
    rows = {row: n for n, row in enumerate(programme.rows())}
    if not all(i in rows and j in rows for i, j in form.quad):
        raise CertificateError("products with an unbounded vector do not cancel")
    if not negative_semidefinite(form, rows):
        raise CertificateError("the matrix of the dual is not negative semidefinite")
    if exact(certificate.value) < form.const:
        raise CertificateError(f"the multipliers prove {form.const}, not {certificate.value}")


def negative_semidefinite(form: Form, rows: Mapping[int, int]) -> bool:
    """True if the quadratic part of the form is <= 0 for every psd Gram matrix."""
    matrix = [[ZERO] * len(rows) for _ in rows]
    for (i, j), c in form.quad.items():
        a, b = rows[i], rows[j]
        matrix[a][b] = matrix[b][a] = -c if i == j else -c / 2
    return semidefinite(matrix)


def semidefinite(matrix: list[list[fmpq]]) -> bool:
    """True if a symmetric rational matrix is positive semidefinite, by exact elimination (Bareiss).

    At each step a positive diagonal entry is eliminated; when none is left the rest must be zero.
    """
    common = fmpz(1)
    for row in matrix:
        for entry in row:
            common = common * entry.q // common.gcd(entry.q)
    work = [[(entry * common).p for entry in row] for row in matrix]
    left = list(range(len(work)))
    previous = fmpz(1)
    while left:
        if any(work[i][i] < 0 for i in left):
            return False
        pivots = [i for i in left if work[i][i] > 0]
        if not pivots:
            return all(work[i][j] == 0 for i in left for j in left)
        k = pivots[0]
        left.remove(k)
        pivot = work[k][k]
        for a, i in enumerate(left):
            for j in left[a:]:
                work[i][j] = work[j][i] = (work[i][j] * pivot - work[i][k] * work[k][j]) // previous
        previous = pivot
    return True
