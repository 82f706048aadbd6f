"""From the solver's multipliers to exact ones: rounded, or solved for on the face of a given value."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat
from scipy.linalg import qr

from workbench.worst_case.certificate import Certificate, CertificateError, combination, verify
from workbench.worst_case.conic import Solution
from workbench.worst_case.gram import ONE, ZERO, Form, exact, to_float, to_fraction
from workbench.worst_case.programme import Programme, unbounded_part

Column = dict[object, fmpq]
"""Coefficients of one multiplier in the equations that must hold, by the key of the equation."""

NEGLIGIBLE = 1e-7
"""Multipliers below this share of the largest are not solved for if others can be; on a face they are 0."""
FLAT = 1e-5
"""Eigenvalues of the worst G below this share of the largest count as 0 when its range is made rational."""
DENOMINATORS = (60, 1000, 100_000)
"""Largest denominators with which entries of that range are tried."""


def certify(programme: Programme, solution: Solution) -> Certificate:
    """Make the solver's multipliers exact and prove what they prove.

    The numbers are clipped at 0 and rounded; those on a well-conditioned set of columns are solved for,
    exactly, so that function values and free products cancel. CertificateError if the result proves nothing.
    """
    forms, numbers = _terms(programme, solution)
    free = set(programme.free_products())
    columns = [unbounded_part(form, free) for form in forms]
    return _proved(programme, forms, columns, {}, numbers)


def certify_value(programme: Programme, solution: Solution, value: Fraction) -> Certificate:
    """A certificate of exactly this value, the optimum, which the rounded multipliers miss by rounding.

    At the optimum the dual matrix vanishes on the range of the worst G. If that range is rational, this is a
    linear system for the multipliers; its solution next to the solver's is exact. (Rational facial reduction
    as in Peyrl and Parrilo, Computing sum of squares decompositions with rational coefficients, Theor.
    Comput. Sci. 409 (2008).) CertificateError if the range is not recognised or the result proves less.
    """
    forms, numbers = _terms(programme, solution)
    free = set(programme.free_products())
    numbers = np.where(np.abs(numbers) < NEGLIGIBLE * np.abs(numbers).max(), 0.0, numbers)
    rows = programme.rows()
    failure = "the worst case is zero"
    for most in DENOMINATORS:
        try:
            vectors = rational_range(solution.gram[np.ix_(rows, rows)], most)
            columns = [{**unbounded_part(form, free), **_on_face(form, rows, vectors)} for form in forms]
            return _proved(programme, forms, columns, {"value": exact(value)}, numbers)
        except CertificateError as error:
            failure = str(error)
    raise CertificateError(f"no exact multipliers of the value {value} were found: {failure}")


def _terms(programme: Programme, solution: Solution) -> tuple[list[Form], np.ndarray]:
    """Signed forms of the right side and the solver's numbers, clipped where they must be >= 0."""
    forms = [*programme.objective, *(-form for form in programme.constraints.values())]
    forms += [-form for form in programme.equalities.values()]
    return forms, np.concatenate(
        [solution.weights.clip(0), solution.multipliers.clip(0), solution.equalities]
    )


def _proved(
    programme: Programme,
    forms: Sequence[Form],
    columns: list[Column],
    targets: Mapping[object, fmpq],
    numbers: np.ndarray,
) -> Certificate:
    """The verified certificate from numbers moved until the equations hold."""
    n_objective, n_below = len(programme.objective), len(programme.constraints)
    for column in columns[:n_objective]:
        column["weights"] = ONE
    found = _nonnegative(columns, {"weights": ONE, **targets}, n_objective + n_below, numbers)
    names = [*programme.constraints, *programme.equalities]
    multipliers = {name: to_fraction(c) for name, c in zip(names, found[n_objective:], strict=True) if c != 0}
    value = combination(list(zip(forms, found, strict=True))).const
    weights = tuple(to_fraction(c) for c in found[:n_objective])
    certificate = Certificate(to_fraction(value), weights, multipliers)
    verify(programme, certificate)
    return certificate


def _nonnegative(
    columns: list[Column], targets: Mapping[object, fmpq], n_signed: int, numbers: np.ndarray
) -> list[fmpq]:
    """Exact numbers that solve the equations, the first ``n_signed`` >= 0: negative ones are dropped."""
    numbers = numbers.copy()
    dropped: set[int] = set()
    for _ in range(len(columns)):
        left = [{} if n in dropped else column for n, column in enumerate(columns)]
        found = solved(left, targets, numbers)
        negative = [n for n, number in enumerate(found[:n_signed]) if number < 0]
        if not negative:
            return found
        dropped.update(negative)
        numbers[negative] = 0.0
    raise CertificateError("no nonnegative multipliers solve the equations")


def solved(columns: list[Column], targets: Mapping[object, fmpq], numbers: np.ndarray) -> list[fmpq]:
    """Numbers x next to ``numbers`` with sum_n columns[n][key] x[n] = targets[key] (0 where none), exactly.

    All but a well-conditioned set of columns keep their number, rounded; the set is solved for. Equations
    that depend on others are left out: whether they hold is for ``verify``. CertificateError without a
    solution.
    """
    keys = {key: n for n, key in enumerate(dict.fromkeys([*targets, *(k for c in columns for k in c)]))}
    dense = np.zeros((len(keys), len(columns)))
    for n, column in enumerate(columns):
        for key, c in column.items():
            dense[keys[key], n] = to_float(c)
    size = np.abs(numbers)
    order = qr(dense * np.maximum(size, NEGLIGIBLE * size.max(initial=1e-300)), mode="r", pivoting=True)[-1]
    chosen = [int(n) for n in order[: int(np.linalg.matrix_rank(dense))]]
    found = _dyadic(numbers)
    for n in chosen:
        found[n] = ZERO
    missing = [targets.get(key, ZERO) for key in keys]
    for column, number in zip(columns, found, strict=True):
        for key, c in column.items():
            missing[keys[key]] -= c * number
    lines = sorted(int(n) for n in qr(dense[:, chosen].T, mode="r", pivoting=True)[-1][: len(chosen)])
    names = list(keys)
    matrix = fmpq_mat([[columns[n].get(names[line], ZERO) for n in chosen] for line in lines])
    try:
        answer = matrix.solve(fmpq_mat([[missing[line]] for line in lines]))
    except ZeroDivisionError:
        raise CertificateError("no multipliers solve the equations") from None
    for place, n in enumerate(chosen):
        found[n] = answer[place, 0]
    return found


def _dyadic(numbers: np.ndarray) -> list[fmpq]:
    """Multiples of one power of two, 2^-60 of the largest: sums of them keep that denominator."""
    largest = max(float(np.abs(numbers).max(initial=0.0)), 1e-300)
    scale = 2.0 ** (60 - int(np.ceil(np.log2(largest))))
    return [exact(round(float(number) * scale)) / exact(scale) for number in numbers]


def rational_range(gram: np.ndarray, most: int) -> list[list[fmpq]]:
    """A basis of the range of G in reduced echelon form, rational with denominators up to ``most``.

    Returns rows of N entries. CertificateError if an entry is not close to such a number.
    """
    sizes, vectors = np.linalg.eigh(gram)
    basis = vectors[:, sizes > FLAT * max(float(sizes.max(initial=0.0)), 1e-300)].T.copy()
    pivots: list[int] = []
    for n in range(len(basis)):
        rest = np.abs(basis[n:])
        row, column = np.unravel_index(int(rest.argmax()), rest.shape)
        basis[[n, n + row]] = basis[[n + row, n]]
        basis[n] /= basis[n, column]
        for other in range(len(basis)):
            if other != n:
                basis[other] -= basis[other, column] * basis[n]
        pivots.append(int(column))
    near = [[Fraction(float(entry)).limit_denominator(most) for entry in row] for row in basis]
    off = max(
        (abs(float(a) - b) for r, s in zip(near, basis, strict=True) for a, b in zip(r, s, strict=True))
    )
    if off > 1e-4:
        raise CertificateError(f"the range of the worst case has no denominators up to {most}")
    return [[exact(entry) for entry in row] for row in near]


def _on_face(form: Form, rows: list[int], vectors: list[list[fmpq]]) -> Column:
    """Coefficients of the form's matrix times each vector, and of its constant."""
    place = {row: n for n, row in enumerate(rows)}
    column: Column = {"value": form.const} if form.const != 0 else {}
    for (i, j), c in form.quad.items():
        if i not in place or j not in place:
            continue
        a, b = place[i], place[j]
        for n, vector in enumerate(vectors):
            for left, right in ((a, b), (b, a)):
                if vector[right] != 0:
                    key = ("face", n, left)
                    column[key] = column.get(key, ZERO) + c * vector[right]
    return {key: c for key, c in column.items() if c != 0}
