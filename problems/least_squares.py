"""Linear least squares on real data."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from assumptions import Certificate
from assumptions.base import EPS
from assumptions.guards import require_points
from problems.arguments import start_point
from problems.data.load import NAMES, data_files, design, load
from problems.data_facts import data_facts, star_fact
from problems.link_terms import LinkData, LinkTerms
from problems.optimum import LONG_EPS, Array, Optimum, certified_optimum, longdouble, shifted
from problems.oracle_guards import require_vector
from problems.solved_quadratic import SolvedQuadratic
from problems.spectrum import Spectrum


@dataclass(frozen=True)
class LeastSquares(LinkTerms, SolvedQuadratic):  # pyright: ignore[reportIncompatibleVariableOverride]
    """f(x) = |A x - b|^2 / (2 n), A (n, d) with independent columns; a mean of n terms.

    data: one of the NAMES of ``problems.data.load`` or the path of a LIBSVM file; columns standardised,
    constant ones dropped, then a column of ones. b: the labels as they are (-1, +1; 0..9 for digits).
    start: overrides x0 = 0, finite numbers. ValueError otherwise. Nothing is read before the first use;
    then ValueError if the data cannot be read, the columns are dependent or not as many as the start
    has entries.

    Constants: with H = A'A/n, lambda(H) lies within ``margin`` of the computed one. Forming H costs
    at most (n + 2) EPS |A|'|A| / n entrywise, so (n + 2) EPS trace(H) in norm; the symmetric
    eigensolver is backward stable, 10 d EPS max lambda; Weyl's inequality gives the sum.
    """

    data: str
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Types and numbers: what can be checked without reading the data."""
        if not isinstance(self.data, str) or not self.data:
            accepted = f"{', '.join(map(repr, NAMES))} or a path"
            raise ValueError(f"data must be {accepted}, got {self.data!r}")
        if self.start != ():
            object.__setattr__(self, "start", require_vector("start", self.start))

    @cached_property
    def _data(self) -> tuple[Tensor, Tensor]:
        features, labels = load(self.data)
        return design(features), labels

    @cached_property
    def _links(self) -> LinkData:  # pyright: ignore[reportIncompatibleMethodOverride]
        return LinkData("square", *self._data)

    @property
    def d(self) -> int:
        """Columns of A."""
        return self._data[0].shape[1]

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Rows of A."""
        return self._data[0].shape[0]

    @property
    def x0(self) -> Tensor:
        """The origin, (d,)."""
        return start_point(self, self.start, torch.zeros(self.d, dtype=torch.float64))

    @cached_property
    def _hessian(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        a, _ = self._data
        return a.mT @ a / self.n_terms

    @cached_property
    def _spectrum(self) -> Spectrum:  # pyright: ignore[reportIncompatibleMethodOverride]
        eigenvalues, basis = torch.linalg.eigh(self._hessian)
        return Spectrum.of(eigenvalues, basis)

    @cached_property
    def _constants(self) -> tuple[float, float]:
        """(mu, L), rounded outward."""
        eigenvalues = self._spectrum.eigenvalues
        top = float(eigenvalues[-1])
        margin = EPS * ((self.n_terms + 2) * float(eigenvalues.sum()) + 10 * self.d * top) * 1.01
        mu, L = float(eigenvalues[0]) - margin, top + margin
        if not mu > 0:
            raise ValueError(f"data {self.data!r}: columns must be linearly independent, got mu <= {mu:g}")
        return mu, L

    @cached_property
    def _optimum(self) -> Optimum:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The normal equations give the solution, refined and certified in extended precision."""
        a, b = (longdouble(t) for t in self._data)
        inverse = longdouble(torch.linalg.inv(self._hessian))
        x = torch.zeros(self.d, dtype=torch.float64)
        for _ in range(4):
            x = shifted(x, inverse @ (a.T @ (a @ longdouble(x) - b) / len(b)))
        z, n, u = longdouble(x), len(b), LONG_EPS
        r = a @ z - b
        r_error = (self.d + 2) * u * (np.abs(a) @ np.abs(z) + np.abs(b))
        grad, grad_error = a.T @ r / n, np.abs(a).T @ (r_error + (n + 4) * u * np.abs(r)) / n
        value: Array = (r @ r) / (2 * n)
        value_error = float(np.abs(r) @ r_error / n + r_error @ r_error / n + (n + 4) * u * value)
        return certified_optimum(x, value, value_error, grad, 1.01 * grad_error, self._constants[0])

    @property
    def _mu(self) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._constants[0]

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From the eigenvalues of A'A/n, rounded outward, and the lengths of the rows."""
        mu, L = self._constants
        facts = self._facts(mu, L, "eigenvalues of H = A'A/n, rounded outward by the margin of the class")
        (a, b), x = self._data, self.x_star
        return (*facts, *data_facts(a, 1.0), *star_fact(a, a @ x - b, 1.0, x, self.x_star_error))

    @property
    def files(self) -> tuple[str, ...]:
        """The user's data file, if it is one."""
        return data_files(self.data)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        a, b = self._data
        return (x @ a.to(x).mT - b.to(x)).square().mean(dim=-1) / 2

    def gap(self, x: Tensor) -> Tensor:
        """|A (x - x_star)|^2 / (2 n): exact for the exact x_star, free of cancellation. (*batch,)."""
        require_points(x, self.d)
        return ((x - self.x_star.to(x)) @ self._data[0].to(x).mT).square().mean(dim=-1) / 2

    def grad(self, x: Tensor) -> Tensor:
        """A'(A x - b) / n. Shapes (*batch, d)."""
        require_points(x, self.d)
        a, b = (t.to(x) for t in self._data)
        return (x @ a.mT - b) @ a / self.n_terms

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """A'A v / n. Shapes (*batch, d)."""
        require_points(x, self.d)
        a = self._data[0].to(v)
        return v @ a.mT @ a / self.n_terms
