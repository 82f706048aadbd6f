"""Norms of matrices by the lengths of their columns or rows; a matrix m x n is flat, row by row."""

import math
from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from assumptions.matrix_norms import MatrixNorm
from assumptions.norms import EUCLIDEAN, Lp


class _ByLengths(MatrixNorm):
    """An l_1 or l_inf norm of the Euclidean lengths of columns or rows, times scale.

    The dual takes the dual of the outer norm, and a maximiser of <g, z> is one of the lengths, spread along
    each column of g (Hoelder, twice).
    """

    @abstractmethod
    def _vectors(self, x: Tensor) -> Tensor:
        """The columns or rows, (*batch, count, entries). x: (*batch, m n)."""

    @abstractmethod
    def _outer(self) -> Lp:
        """The norm of their lengths."""

    @abstractmethod
    def _count(self) -> int:
        """How many they are."""

    def norm(self, x: Tensor) -> Tensor:
        """|x|. x: (*batch, m n). Returns (*batch,)."""
        return self._outer().norm(EUCLIDEAN.norm(self._vectors(x)))

    def dual(self, g: Tensor) -> Tensor:
        """|g|_*. g: (*batch, m n). Returns (*batch,)."""
        return self._outer().dual(EUCLIDEAN.norm(self._vectors(g)))

    def lmo_direction(self, g: Tensor) -> Tensor:
        """argmax {<g, z> : |z| <= 1}; 0 where g = 0. Shapes as g."""
        vectors = self._vectors(g)
        lengths = self._outer().lmo_direction(EUCLIDEAN.norm(vectors)).unsqueeze(-1)
        return self._flat(lengths * EUCLIDEAN.lmo_direction(vectors))

    @abstractmethod
    def _flat(self, vectors: Tensor) -> Tensor:
        """Undo ``_vectors``."""

    def _base_rho(self) -> float:
        """That of the outer norm: the lengths have the Euclidean length of x."""
        return Lp(self._outer().p).rho(self._count())


class _Columns(_ByLengths):
    """Of the n columns."""

    def _vectors(self, x: Tensor) -> Tensor:
        return self.matrix(x).mT

    def _flat(self, vectors: Tensor) -> Tensor:
        return vectors.mT.flatten(-2)

    def _count(self) -> int:
        return self.n


class _Rows(_ByLengths):
    """Of the m rows."""

    def _vectors(self, x: Tensor) -> Tensor:
        return self.matrix(x)

    def _flat(self, vectors: Tensor) -> Tensor:
        return vectors.flatten(-2)

    def _count(self) -> int:
        return self.m


@dataclass(frozen=True)
class MaxColumn(_Columns):
    """|x| = scale max_j |x_(.j)|_2, the operator norm from l_1 to l_2; dual to ``SumColumns``.

    x: m x n, row by row. scale: finite, > 0. ValueError otherwise.
    """

    def _outer(self) -> Lp:
        return Lp(math.inf, self.scale)


@dataclass(frozen=True)
class SumColumns(_Columns):
    """|x| = scale sum_j |x_(.j)|_2; dual to ``MaxColumn``.

    x: m x n, row by row. scale: finite, > 0. ValueError otherwise.
    """

    def _outer(self) -> Lp:
        return Lp(1.0, self.scale)


@dataclass(frozen=True)
class MaxRow(_Rows):
    """|x| = scale max_i |x_(i.)|_2, the operator norm from l_2 to l_inf; dual to ``SumRows``.

    x: m x n, row by row. scale: finite, > 0. ValueError otherwise.
    """

    def _outer(self) -> Lp:
        return Lp(math.inf, self.scale)


@dataclass(frozen=True)
class SumRows(_Rows):
    """|x| = scale sum_i |x_(i.)|_2; dual to ``MaxRow``.

    x: m x n, row by row. scale: finite, > 0. ValueError otherwise.
    """

    def _outer(self) -> Lp:
        return Lp(1.0, self.scale)
