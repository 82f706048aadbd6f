"""Finite sums of quadratics of matrices, with constants of f and of its terms in the norms of the layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions import Certificate, Layers, Norm
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.mean_smooth import MeanLayerSmooth
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.outward import round_up
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.calculus.seen_through import SeenThrough
from problems.calculus.units import Units
from problems.matrix_space import Rows
from problems.quadratic_sum import Matrix, QuadraticSum
from problems.spectral_quadratic import SpectralQuadratic


@dataclass(frozen=True)
class MatrixSum(SeenThrough):
    """f(X) = (1/n) sum_j [ sum_i <X_i, Q_ij X_i> / 2 - <b_j, X> ]: n terms of layers X_i, m_i x n_i.

    hessians: for each layer i the Q_i1, ..., Q_in, each m_i rows of m_i numbers, symmetric, positive
    semidefinite, not 0. columns: n_i >= 1, one for each layer. norms: those of the layers, all
    ``Spectral(m_i, n_i)`` if empty; what ``SpectralQuadratic`` takes. linear: b_1, ..., b_n, each of d
    numbers, all 0 if empty; see ``QuadraticSum``. start: overrides x0 = x_star + 1. ValueError otherwise.

    All oracles are those of the ``QuadraticSum`` with the same terms.
    """

    hessians: tuple[tuple[Rows, ...], ...]
    columns: tuple[int, ...]
    norms: tuple[Norm, ...] = ()
    linear: tuple[tuple[float, ...], ...] = ()
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Every block is a quadratic of a matrix; the sum of all is one as well."""
        if not isinstance(self.hessians, tuple) or not self.hessians:
            raise ValueError(
                f"hessians must be a non-empty tuple, one entry for each layer, got {self.hessians!r}"
            )
        counts = {len(layer) for layer in self.hessians}
        if len(counts) != 1:
            raise ValueError(f"hessians must hold as many terms in each layer, got {sorted(counts)}")
        for name in ("columns", "norms"):
            given = getattr(self, name)
            if not isinstance(given, tuple) or (
                (given or name == "columns") and len(given) != len(self.hessians)
            ):
                raise ValueError(f"{name} must be a tuple of {len(self.hessians)} entries, got {given!r}")
        blocks = self._blocks
        if any(len({block.m for block in layer}) != 1 for layer in blocks):
            raise ValueError(f"hessians of a layer must have one size, got {self.hessians!r}")
        if not self.norms:
            object.__setattr__(self, "norms", tuple(layer[0].layers.norms[0] for layer in blocks))
        object.__setattr__(self, "hessians", tuple(tuple(b.hessian for b in layer) for layer in blocks))
        _ = self.problem
        require_start(self.start, self.d)

    @classmethod
    def one_layer(
        cls, hessians: tuple[Rows, ...], n: int, norm: Norm | None = None, **options: Sequence
    ) -> "MatrixSum":
        """One layer of n columns, spectral unless another norm is given."""
        return cls((hessians,), (n,), () if norm is None else (norm,), **options)  # pyright: ignore[reportArgumentType]

    @cached_property
    def _blocks(self) -> tuple[tuple[SpectralQuadratic, ...], ...]:
        """<X_i, Q_ij X_i> / 2 for each layer i and term j."""
        norms = self.norms or (None,) * len(self.hessians)
        layers = zip(self.hessians, self.columns, norms, strict=True)
        return tuple(tuple(SpectralQuadratic(q, n, norm) for q in layer) for layer, n, norm in layers)

    @cached_property
    def problem(self) -> Problem:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The same sum of vectors: the Hessian of a layer is Q_ij for each column."""
        terms = []
        for j in range(len(self.hessians[0])):
            each = [torch.tensor(layer[j].hessian, dtype=torch.float64) for layer in self._blocks]
            full = [
                torch.kron(q, torch.eye(n, dtype=torch.float64))
                for q, n in zip(each, self.columns, strict=True)
            ]
            terms.append(_rows(torch.block_diag(*full)))
        return QuadraticSum(tuple(terms), self.linear)

    @property
    def units(self) -> Units:
        """Nothing changes."""
        return Units()

    @property
    def x0(self) -> Tensor:
        """x_star + 1, (d,)."""
        return start_point(self, self.start, self.problem.x0)

    @property
    def layers(self) -> Layers:
        """Matrices m_i x n_i."""
        return Layers(tuple((layer[0].m, layer[0].n) for layer in self._blocks), self.norms)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Those of the ``QuadraticSum``, and constants in the norms of the layers."""
        means = tuple(_mean_up([_smoothness(block) for block in layer]) for layer in self._blocks)
        tops = tuple(min(m, self._of_mean(i)) for i, m in enumerate(means))
        coupling = tuple(tuple(L if i == k else 0.0 for k in range(len(tops))) for i, L in enumerate(tops))
        proof = (
            "layer i of the gradient of term j is Q_ij X_i less a constant; constants of SpectralQuadratic"
        )
        own = (LayerSmooth(tops), CoupledSmooth(coupling), MeanLayerSmooth(means))
        known = self.problem.certified
        said = [c.assumption for c in known]
        return (*known, *(Certificate(a, proof=proof) for a in own if a not in said))

    def _of_mean(self, i: int) -> float:
        """The constant of layer i of f, from the mean of the Q_ij where its entries are floats; else inf."""
        layer = self.hessians[i]
        mean = [[sum(map(Fraction, entries)) / len(layer) for entries in zip(*rows, strict=True)]
                for rows in zip(*layer, strict=True)]  # fmt: skip
        if any(Fraction(float(entry)) != entry for row in mean for entry in row):
            return float("inf")
        rows = tuple(tuple(float(entry) for entry in row) for row in mean)
        return _smoothness(SpectralQuadratic(rows, self.columns[i], self.norms[i]))


def _smoothness(block: SpectralQuadratic) -> float:
    """L in the norm of the layer."""
    (found,) = [c.assumption for c in block.certified if isinstance(c.assumption, LayerSmooth)]
    return found.L_i[0]


def _mean_up(values: list[float]) -> float:
    return round_up(sum(map(Fraction, values), Fraction(0)) / len(values))


def _rows(matrix: Tensor) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
