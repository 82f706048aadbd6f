"""Sums of functions of one layer each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Layers, Norm
from assumptions.base import EPS
from assumptions.guards import require_points
from assumptions.outward import length_up
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.layer_sum_facts import layer_facts
from problems.oracle_guards import positive_step, require_euclidean


@dataclass(frozen=True)
class LayerSum(Problem):
    """f(X_1, ..., X_p) = sum_i f_i(X_i), each f_i a problem of one layer, in the norm of that layer.

    problems: the f_i, a non-empty tuple of problems with one layer and one term each. start: overrides x0, by
    default the starts of the parts. ValueError otherwise, and for a part with noise. What all the parts
    know, the sum knows.
    """

    problems: tuple[Problem, ...]
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Each part is one layer."""
        if not isinstance(self.problems, tuple) or not self.problems:
            raise ValueError(f"problems must be a non-empty tuple of problems, got {self.problems!r}")
        for part in self.problems:
            if not isinstance(part, Problem) or part.layers.n_layers != 1 or part.n_terms != 1:
                raise ValueError(f"problems must be Problems of one layer and one term, got {part!r}")
            if part.offers("noise"):
                raise ValueError(f"noise comes last, as in Noisy(LayerSum(...)); got {part!r}")
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """That of all parts."""
        return sum(part.d for part in self.problems)

    @property
    def layers(self) -> Layers:
        """Those of the parts."""
        layers = [part.layers for part in self.problems]
        return Layers(tuple(one.shapes[0] for one in layers), tuple(one.norms[0] for one in layers))

    @property
    def files(self) -> tuple[str, ...]:
        """Those of the parts."""
        return tuple(name for part in self.problems for name in part.files)

    @property
    def x0(self) -> Tensor:
        """The starts of the parts, (d,)."""
        return start_point(self, self.start, torch.cat([part.x0 for part in self.problems]))

    def _all_offer(self, name: str) -> bool:
        return all(part.offers(name) for part in self.problems)

    def _facts(self, name: str) -> list[Any]:
        return [getattr(part, name) for part in self.problems]

    @property
    def f_star(self) -> float | None:
        """The sum of those of the parts; None where one is not known."""
        return sum(self._facts("f_star")) if self._all_offer("f_star") else None

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The sum of those of the parts, and of roundings in adding up."""
        if not self._all_offer("f_star"):
            return 0.0
        added = (
            len(self.problems) * torch.finfo(torch.float64).eps * sum(abs(f) for f in self._facts("f_star"))
        )
        return sum(part.f_star_error for part in self.problems) + (added if len(self.problems) > 1 else 0.0)

    @property
    def x_star(self) -> Tensor | None:
        """Those of the parts, (d,); None where one is not known."""
        return torch.cat(self._facts("x_star")) if self._all_offer("x_star") else None

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The sum of those of the parts."""
        return sum(part.x_star_error for part in self.problems)

    @property
    def unique_star(self) -> bool:
        """True if all parts have one minimiser."""
        return all(part.unique_star for part in self.problems)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What follows from the certificates of the parts; see ``layer_facts``."""
        return layer_facts(self.problems)

    def _split(self, x: Tensor) -> tuple[Tensor, ...]:
        require_points(x, self.d)
        return x.split([part.d for part in self.problems], dim=-1)

    def _added(self, name: str, x: Tensor) -> Tensor:
        pairs = zip(self.problems, self._split(x), strict=True)
        return torch.stack([getattr(part, name)(piece) for part, piece in pairs]).sum(dim=0)

    def _joined(self, name: str, *x: Any) -> Tensor:
        """Each part's oracle at its piece of every tensor; other arguments go to all."""
        return torch.cat(
            [
                getattr(part, name)(*pieces)
                for part, *pieces in zip(self.problems, *(self._split(y) for y in x), strict=True)
            ],
            dim=-1,
        )

    def contains(self, x: Tensor) -> Tensor:
        """Whether each layer is in the domain of its part. Returns bool (*batch,)."""
        pairs = zip(self.problems, self._split(x), strict=True)
        return torch.stack([part.contains(piece) for part, piece in pairs]).all(dim=0)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._added("value", x)

    def gap(self, x: Tensor) -> Tensor:
        """The sum of the gaps; TypeError where one is not known. x: (*batch, d). Returns (*batch,)."""
        if not self._all_offer("f_star"):
            raise TypeError(f"f_star of {self!r} is not known")
        return self._added("gap", x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The sum of those of the parts, (*batch,)."""
        del gap
        pairs = zip(self.problems, self._split(x), strict=True)
        return torch.stack([p.gap_cancellation(piece, p.gap(piece)) for p, piece in pairs]).sum(dim=0)

    def grad(self, x: Tensor) -> Tensor:
        """Layer by layer. Shapes (*batch, d)."""
        return self._joined("grad", x)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """Layer by layer. Shapes (*batch, d)."""
        return self._joined("hvp", x, v)

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact; oracles where all parts have them."""
        return self._all_offer(name) if name in ("hvp", "nearest_star", "prox") else super().offers(name)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Layer by layer. Shapes (*batch, d). ValueError for a norm without ``offers_dist``."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        return self._joined("nearest_star", x)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """Layer by layer. Shapes (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        pairs = zip(self.problems, self._split(x), strict=True)
        return torch.cat([part.prox(piece, step) for part, piece in pairs], dim=-1)  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """Of prox: the root of the sum of squares of those of the parts, each in its own layer."""
        errors = [part.oracle_errors.get("prox", 0.0) for part in self.problems]
        total = length_up(tuple(errors)) if max(errors) < math.inf else math.inf
        return {"prox": total} if total else {}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """The root of the sum of squares of those of the parts at their pieces, (*batch,)."""
        del j  # one term
        if name == "batch_prox":  # of the one term
            return self.oracle_error("prox", x, step, result)
        pieces = zip(self.problems, self._split(x), self._split(result), strict=True)
        errors = [part.oracle_error(name, piece, step, moved) for part, piece, moved in pieces]
        return torch.stack(errors, dim=-1).norm(dim=-1) * (1 + len(errors) * EPS)
