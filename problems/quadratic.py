"""Convex quadratics with a chosen spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import Certificate
from assumptions.guards import require_finite
from problems.arguments import require_start, start_point
from problems.oracle_guards import require_vector
from problems.quadratic_oracles import QuadraticOracles
from problems.space import Integers, LogUniform, Range, Vector
from problems.spectrum import Spectrum


@dataclass(frozen=True)
class Quadratic(QuadraticOracles):
    """f(x) = (x - c)' V diag(a) V' (x - c) / 2 + f_star with eigenvalues a and orthogonal V.

    eigenvalues: >= 0, at least one > 0, units of f per squared unit of x; zeros are allowed, and the
    solution set is then c + ker. center: c, (d,); empty means drawn from ``seed`` (standard normal
    over sqrt(d)), or 0 if ``seed`` is None. f_star: finite. seed: V is the orthogonal factor of a
    Gaussian matrix, or the identity if ``seed`` is None. start: overrides x0, by default the point
    whose coefficients V'(x0 - c) are all 1. ValueError otherwise.
    """

    eigenvalues: tuple[float, ...]
    center: tuple[float, ...] = ()
    f_star: float = 0.0
    seed: int | None = 0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "eigenvalues": Vector(LogUniform(1e-3, 10.0), 1, 6),
        "seed": Integers(0, 10_000),
    }

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "eigenvalues", require_vector("eigenvalues", self.eigenvalues))
        if not (min(self.eigenvalues) >= 0 and max(self.eigenvalues) > 0):
            raise ValueError(f"eigenvalues must be >= 0 and one of them > 0, got {self.eigenvalues!r}")
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_finite(f_star=self.f_star)
        whole = isinstance(self.seed, int) and not isinstance(self.seed, bool)
        if self.seed is not None and (not whole or self.seed < 0):
            raise ValueError(f"seed must be an integer >= 0 or None, got {self.seed!r}")
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Number of eigenvalues."""
        return len(self.eigenvalues)

    @cached_property
    def _spectrum(self) -> Spectrum:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Spectrum.of(torch.tensor(self.eigenvalues, dtype=torch.float64), self._drawn[0])

    @cached_property
    def _hessian(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        basis, a = self._drawn[0], self._spectrum.eigenvalues
        half = a.sqrt().diag() if basis is None else basis * a.sqrt()
        return half @ half.mT

    @cached_property
    def _drawn(self) -> tuple[Tensor | None, Tensor]:
        if self.seed is None:
            return None, torch.zeros(self.d, dtype=torch.float64)
        rng = np.random.default_rng(self.seed)
        basis, _ = np.linalg.qr(rng.standard_normal((self.d, self.d)))
        center = rng.standard_normal(self.d) / self.d**0.5
        return torch.from_numpy(np.ascontiguousarray(basis)), torch.from_numpy(center)

    @cached_property
    def x_star(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The center, (d,)."""
        return torch.tensor(self.center, dtype=torch.float64) if self.center else self._drawn[1]

    @property
    def x0(self) -> Tensor:
        """c + V 1, which excites every eigenvector, (d,)."""
        basis = self._drawn[0]
        ones = torch.ones(self.d, dtype=torch.float64)
        return start_point(self, self.start, self.x_star + (ones if basis is None else basis @ ones))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """With A = V diag(a) V' and grad f(x) = A (x - c)."""
        low = min(a for a in self.eigenvalues if a > 0)
        return self._facts(low, max(self.eigenvalues), "the eigenvalues are given")
