"""What a problem is: a function whose constants are proved beside it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Layers, Norm
from assumptions.base import EPS
from assumptions.rounding import value_noise
from assumptions.sampling import halfway
from assumptions.specification import Specified
from problems.composite.parts import Parts
from problems.composite.views import parts_of
from problems.space import Range
from problems.term_index import require_indices

BatchProx = Callable[[Tensor, Tensor, float | Tensor], Tensor]
"""(x, j, stepsize) -> argmin of the mean of the terms j plus |z - x|^2 / (2 stepsize)."""


class Problem(Specified, ABC):
    """minimise f(x), x flat: ``(*batch, d)``. A subclass is a frozen dataclass.

    Required: ``d``, ``value``, ``grad``, ``certified``, ``x0``.

    Optional, present as attributes only where the problem has them; ask with ``offers(name)``:

    f_star                        inf f
    f_lower                       a certified lower bound of f (when f_star is not known)
    x_star                        one minimiser, (d,)
    nearest_star(x, norm)         projection on the solution *set*, (*batch, d)
    prox(x, stepsize)             argmin_z f(z) + |z - x|^2 / (2 stepsize)
    batch_prox(x, j, stepsize)    the same for the mean of the terms j, int64 (*batch, b); with one term
                                  it is prox
    star_grads                    (n_terms, d), subgradients of the terms at x_star with mean 0, where f is
                                  a sum with kinks; part_grads(x_star) where it is smooth
    brox(x, radius)               argmin of f over the Euclidean ball B(x, radius); the minimiser
                                  nearest to x when the ball holds one. ``brox(x, radius, norm)`` where
                                  ``offers_brox(norm)`` says so of another norm
    brox_step(x, radius, norm)    the same with the step, the multiplier's subgradient and the KKT
                                  residual: a ``BallStep``
    conjugate(g)                  f^*(g) = sup_z <g, z> - f(z), (*batch,); inf where it is infinite
    hvp(x, v)                     Hessian times v; offered where f is twice differentiable everywhere
    parts                         f as f + g + sum_j h_j with gradients and proximal steps: ``Parts``
    dual_star                     subgradients of the h_j at x_star that balance the rest, (n, d)
    lmo(g)                        argmin of <g, z> over a bounded domain, (*batch, d)
    noise                         a ``Noise``: the stochastic gradient is grad f(x) plus a draw of it

    ``stepsize`` and ``radius`` are a float or ``(*batch, 1)``. Oracles make tensors only from
    ``x`` (``x.new_tensor``, ``.to(x)``), so that the device is a flag.
    """

    space: ClassVar[Mapping[str, Range]] = {}
    f_star_error: float = 0.0
    """f_star - f_star_error <= inf f <= f_star."""
    x_star_error: float = 0.0
    """Distance from ``x_star`` (or ``nearest_star``) to the exact one, at most."""
    n_terms: int = 1
    n_clients: int = 1

    @property
    @abstractmethod
    def d(self) -> int:
        """Dimension."""

    @property
    @abstractmethod
    def x0(self) -> Tensor:
        """Default start, (d,)."""

    @property
    @abstractmethod
    def certified(self) -> tuple[Certificate, ...]:
        """What is proved (or declared) about f, each with its proof."""

    @abstractmethod
    def value(self, x: Tensor) -> Tensor:
        """f(x). x: (*batch, d). Returns (*batch,)."""

    @abstractmethod
    def grad(self, x: Tensor) -> Tensor:
        """The gradient, or one subgradient where f has a kink. Shapes (*batch, d)."""

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the problem reads; their content is part of its identity in results."""
        return ()

    @property
    def family(self) -> str:
        """Name of the family; a quick verification takes one member of each."""
        return type(self).__name__

    @property
    def layers(self) -> Layers:
        """How the variable splits; one Euclidean layer unless said otherwise."""
        return Layers.single(self.d)

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """Oracle name -> bound on |returned point - exact point|, units of x; absent means rounding.

        inf: no bound holds for all calls, ``oracle_error`` bounds each one.
        """
        return {}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Bound on |result - exact| for ``result``, what the oracle returned at (x, step); (*batch,).

        name: "prox", "brox" or "batch_prox". step: its stepsize or radius. j: the terms, for "batch_prox".
        """
        if name == "batch_prox" and self.n_terms == 1:
            return self.oracle_error("prox", x, step, result)
        del step, result, j
        return x.new_full(x.shape[:-1], self.oracle_errors.get(name, 0.0))

    @cached_property
    def parts(self) -> Parts | None:
        """The terms where batches of them have proximal steps, else the whole where it has one, else None."""
        return parts_of(self)

    @property
    def dual_star(self) -> Tensor | None:
        """Those of the parts, (n, d); None where they are not known."""
        parts = self.parts
        return None if parts is None else parts.dual_star

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact."""
        return getattr(self, name, None) is not None

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """True if the distance to the solution set in ``norm`` is known.

        ``nearest_star`` projects in the Euclidean norm; for others the minimiser must be unique.
        """
        known = norm == EUCLIDEAN or (self.unique_star and norm.fits(self.d))
        return known and self.offers("nearest_star")

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True if balls of ``norm`` are minimised over exactly, up to rounding and ``oracle_error``."""
        return self.offers("brox") and norm == EUCLIDEAN

    @property
    def unique_star(self) -> bool:
        """True if the minimiser is proved to be unique."""
        return False

    def contains(self, x: Tensor) -> Tensor:
        """Whether f(x) is finite by definition of its domain. Returns bool (*batch,)."""
        return torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)

    def into_domain(self, x: Tensor) -> Tensor:
        """x where it is in the domain, else a point of it near x: halfway to x0 until it is. (*batch, d)."""
        return halfway(x, self.x0.to(x), self.contains)

    def gap(self, x: Tensor) -> Tensor:
        """f(x) - f_star, (*batch,); overridden where a form without cancellation exists."""
        return self.value(x) - self.f_star  # pyright: ignore[reportAttributeAccessIssue]

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Size of the numbers that ``gap`` subtracted at x, (*batch,).

        By default |f(x)| + |f_star|, and the scatter of f around x for what it subtracts inside.
        """
        f_star = self.f_star  # pyright: ignore[reportAttributeAccessIssue]
        return (gap + f_star).abs() + abs(f_star) + value_noise(self, x) / EPS

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Gradient of term j (f is the mean of its terms); of all terms if j is None.

        x: (*batch, d); j: int64 (*batch,). Returns (*batch, d). A problem with one term has only
        j = 0. TypeError where a problem with several terms does not say.
        """
        if self.n_terms != 1:
            raise TypeError(f"{self!r} has {self.n_terms} terms but no part_grad")
        del j
        return self.grad(x)

    def batch_grad(self, x: Tensor, j: Tensor) -> Tensor:
        """Gradient of the mean of the terms j_1, ..., j_b, which may repeat. Returns (*batch, d).

        x: (*batch, d); j: int64 (*batch, b), b >= 1. ValueError for another type or shape; IndexError for
        a term that there is not, where the family looks it up.
        """
        require_indices(x, j)
        if self.n_terms == 1:
            return self.grad(x)
        if j.shape[-1] == 1:
            return self.part_grad(x, j.squeeze(-1))
        return self.part_grad(x.unsqueeze(-2).expand(*j.shape, x.shape[-1]), j).mean(dim=-2)

    def batch_change(self, x: Tensor, before: Tensor, j: Tensor) -> Tensor:
        """``batch_grad`` at x less that at ``before``, in one call. x, before: (*batch, d); j as there."""
        now, then = self.batch_grad(torch.stack([x, before]), j.expand(2, *j.shape))
        return now - then

    @property
    def batch_prox(self) -> BatchProx | None:
        """``prox`` of the one term, None where it is not known or there are more; see the class."""
        return self._single_prox if self.n_terms == 1 and self.offers("prox") else None

    def _single_prox(self, x: Tensor, j: Tensor, stepsize: float | Tensor) -> Tensor:
        require_indices(x, j)
        return self.prox(x, stepsize)  # pyright: ignore[reportAttributeAccessIssue]

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Value of term j (f is the mean of its terms); f(x) if j is None.

        x: (*batch, d); j: int64 (*batch,). Returns (*batch,). TypeError where a problem with several terms
        does not say.
        """
        if self.n_terms != 1:
            raise TypeError(f"{self!r} has {self.n_terms} terms but no part_value")
        del j
        return self.value(x)

    def part_grads(self, x: Tensor) -> Tensor:
        """Gradients of all terms, (*batch, n_terms, d). x: (*batch, d)."""
        terms = range(self.n_terms)
        return torch.stack([self.part_grad(x, self._term(x, j)) for j in terms], dim=-2)

    def part_values(self, x: Tensor) -> Tensor:
        """Values of all terms, (*batch, n_terms). x: (*batch, d)."""
        return torch.stack([self.part_value(x, self._term(x, j)) for j in range(self.n_terms)], dim=-1)

    @staticmethod
    def _term(x: Tensor, j: int) -> Tensor:
        return torch.full(x.shape[:-1], j, dtype=torch.int64, device=x.device)

    @classmethod
    def sample(cls, seed: int) -> Self:
        """A random member of the family, drawn from ``space``; the same for the same seed.

        TypeError where the family declares no space.
        """
        if not cls.space:
            raise TypeError(f"{cls.__name__} declares no space to sample from")
        rng = np.random.default_rng(seed)
        return cls(**{name: range_.draw(rng) for name, range_ in cls.space.items()})
