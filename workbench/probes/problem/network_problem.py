"""A network and a batch as a problem: methods of the library run on its parameters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from assumptions import Certificate, Layers, Norm
from assumptions.guards import require_finite, require_points
from problems.base import Problem
from problems.term_index import require_index, require_indices
from workbench.probes.batches import Batch, chunks, count_rows, moved
from workbench.probes.gradients.oracle import Loss, point_of
from workbench.probes.gradients.support import require_model, require_settings, unwrapped
from workbench.probes.layers import NetworkLayers, Point, layers_for
from workbench.probes.problem.flat_loss import FlatLoss, Kind, rows_at
from workbench.probes.problem.network_checks import require_bound, require_mean, require_number, two_points


@dataclass(frozen=True, eq=False, repr=False)
class NetworkProblem(Problem):
    """f(x) = loss(model, batch), x the parameters of the model that need a gradient, one after the other.

    loss: (model, batch) -> one number, the mean of the losses of the rows. batch: a tensor whose first axis
    are rows, or a tuple, list or dict of such. norms, output, groups: as in ``layers_for``; a layer lies in x
    as its norm reads it. dtype, mode, seed: as in ``GradientOracle``; dtype None is float64. name: the
    identity in results, by default the name of the model's class. f_lower: a known lower bound of f, such as
    0; the user's word, compared with f(x0) alone. terms: each row is a term of f; False for a loss that is no
    mean over rows, which makes one term of it. chunk: about how many rows the network takes at once.

    x0 is the model as it is now. Model and batch are copied and never changed; ``parameters`` leads back to a
    model. f is what is computed: derivatives are those of automatic differentiation, one-sided at kinks such
    as those of ReLU. Many points go through the network at once where it can be batched (``vmapped``), else
    one by one; the results differ by the order of sums alone. Nothing is certified.

    TypeError for arguments of another type. ValueError for other values, a model without parameters, a loss
    that is not finite, not one number or not of the model, and, with terms, not the mean over the rows alone.
    """

    model: nn.Module
    loss: Loss
    batch: Batch
    _: KW_ONLY
    norms: str | Mapping[str, str | Norm] = "euclidean"
    output: str | None = None
    groups: Iterable[Mapping[str, Any]] = ()
    dtype: torch.dtype | None = torch.float64
    name: str | None = None
    f_lower: float | None = None
    mode: str | None = "eval"
    terms: bool = True
    seed: int = 0
    chunk: int | None = 4096
    _flat: FlatLoss = field(init=False)
    _start: Tensor = field(init=False)

    def __post_init__(self) -> None:
        """Everything is copied, then tried."""
        model, _ = unwrapped(self.model)
        self._require_arguments(model)
        layers = layers_for(model, self.norms, output=self.output, groups=self.groups)
        flat = FlatLoss(
            model,
            self.loss,
            layers,
            dtype=self.dtype or torch.float64,
            mode=self.mode,
            seed=self.seed,
            chunk=self.chunk,
        )
        made = {
            "model": flat.model,
            "groups": (),
            "name": type(model).__name__ if self.name is None else self.name,
            "batch": moved(self.batch, flat.device, flat.dtype),
            "f_lower": None if self.f_lower is None else float(self.f_lower),
            "_flat": flat,
            "_start": _joined(layers, dict(model.named_parameters())),
        }
        for key, value in made.items():
            object.__setattr__(self, key, value)
        x = two_points(self.x0)
        require_number(flat, x[0], self.batch, self.terms)
        flat.quicken(x, self.batch, self.terms)
        require_bound(self)
        if self.terms:
            require_mean(self, x, flat.dtype)

    def _require_arguments(self, model: nn.Module) -> None:
        """TypeError or ValueError before any work."""
        require_model(model)
        require_settings(self.loss, self.dtype, self.chunk, self.mode, self.seed)
        if not isinstance(self.terms, bool):
            raise ValueError(f"terms must be True or False, got {self.terms!r}")
        if self.name is not None and (not isinstance(self.name, str) or not self.name):
            raise ValueError(f"name must be a text that is not empty, got {self.name!r}")
        if self.f_lower is not None:
            require_finite(f_lower=self.f_lower)
        count_rows(self.batch)

    # -- what it is -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        """The name is the identity of a network with its data."""
        return f"NetworkProblem({self.name}, d={self.d})"

    @property
    def family(self) -> str:
        """Every network is a family of its own."""
        return repr(self)

    @property
    def d(self) -> int:
        """Number of parameters."""
        return self._start.numel()

    @property
    def x0(self) -> Tensor:
        """The parameters of the model when the problem was made, (d,)."""
        return self._start

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Nothing is proved of a network."""
        return ()

    @property
    def network_layers(self) -> NetworkLayers:
        """Names and norms of the layers, and measures of points in the shapes of the parameters."""
        return self._flat.layers

    @cached_property
    def layers(self) -> Layers:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One layer for each parameter, as its norm reads it."""
        return self._flat.layers.as_layers()

    @property
    def vmapped(self) -> bool:
        """Whether many points go through the network at once."""
        return self._flat.vmapped

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Rows of the batch, or 1."""
        return count_rows(self.batch) if self.terms else 1

    def point(self, x: Tensor) -> Point:
        """The parameters in their shapes, in the order of the layers. x: (d,)."""
        require_points(x, self.d)
        if x.dim() != 1:
            raise ValueError(f"x must be one point, of shape ({self.d},), got {tuple(x.shape)}")
        return self._flat.layers.point(x)

    def parameters(self, x: Tensor) -> dict[str, Tensor]:
        """The same by name, for ``model.load_state_dict(..., strict=False)``. x: (d,)."""
        return dict(zip(self._flat.layers.names, self.point(x), strict=True))

    def flat(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Undo ``parameters``: a ``state_dict``, further entries left out. Returns (d,), float64."""
        return _joined(self._flat.layers, parameters)

    # -- oracles ----------------------------------------------------------------------------------------

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._over_batch(self._flat.value, x)

    def grad(self, x: Tensor) -> Tensor:
        """By automatic differentiation; differentiable. Shapes (*batch, d)."""
        return self._over_batch(self._flat.gradient, x)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """Hessian times v, by automatic differentiation. Shapes (*batch, d)."""
        require_points(v, self.d, "v")
        x, v = torch.broadcast_tensors(x, v)
        return self._over_batch(self._flat.product, x, v)

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Loss of row j, int64 (*batch,); f(x) if j is None. x: (*batch, d). Returns (*batch,)."""
        return self.value(x) if j is None else self._of_rows(self._flat.value, x, _alone(x, j))

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Gradient of the loss of row j, int64 (*batch,); of f if j is None. Shapes (*batch, d)."""
        return self.grad(x) if j is None else self._of_rows(self._flat.gradient, x, _alone(x, j))

    def batch_grad(self, x: Tensor, j: Tensor) -> Tensor:
        """Gradient of the loss of the rows j, int64 (*batch, b), which may repeat. Shapes (*batch, d)."""
        require_indices(x, j)
        return self._of_rows(self._flat.gradient, x, j)

    def part_values(self, x: Tensor) -> Tensor:
        """Losses of all rows, (*batch, n_terms). x: (*batch, d)."""
        return self._of_all_rows(self._flat.value, x)

    def part_grads(self, x: Tensor) -> Tensor:
        """Gradients of the losses of all rows, (*batch, n_terms, d). x: (*batch, d)."""
        return self._of_all_rows(self._flat.gradient, x)

    @cached_property
    def _pieces(self) -> list[tuple[Batch, float]]:
        """The batch in pieces with their shares of the mean; whole where it is one term."""
        pieces = chunks(self.batch, self.chunk) if self.terms else [self.batch]
        return [(piece, count_rows(piece) / count_rows(self.batch)) for piece in pieces]

    def _over_batch(self, kind: Kind, x: Tensor, v: Tensor | None = None) -> Tensor:
        """Of the whole batch at each point, or at each pair of points."""
        along = [] if v is None else [v.reshape(-1, self.d).to(self._flat.device, self._flat.dtype)]

        def mean(at: Tensor) -> Tensor:
            at = torch.stack([at, *along], dim=1) if along else at
            parts = [share * self._flat.each(kind, at, piece, (0, None)) for piece, share in self._pieces]
            return torch.stack(parts).sum(dim=0)

        return self._at(mean, x)

    def _of_rows(self, kind: Kind, x: Tensor, j: Tensor) -> Tensor:
        """Of rows of its own at each point. j: (*batch, b). IndexError for rows that there are not."""
        if not bool(((j >= 0) & (j < self.n_terms)).all()):
            raise IndexError(f"j must be in 0..{self.n_terms - 1}, the terms of {self!r}, got {j.tolist()}")
        if not self.terms:
            return self._over_batch(kind, x)
        rows = rows_at(self.batch, j.reshape(-1, j.shape[-1]))
        return self._at(lambda at: self._flat.each(kind, at, rows, (0, 0)), x)

    def _of_all_rows(self, kind: Kind, x: Tensor) -> Tensor:
        """Of each row alone at each point."""
        if not self.terms:
            return self._over_batch(kind, x).unsqueeze(x.dim() - 1)
        alone, each = rows_at(self.batch, torch.arange(self.n_terms).unsqueeze(-1)), self._flat.each
        return self._at(lambda at: torch.stack([each(kind, p, alone, (None, 0)) for p in at]), x)

    def _at(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Function, (n, d) -> (n, ...), at the points of x, (*batch, d): (*batch, ...), in the type of x."""
        require_points(x, self.d)
        found = function(x.reshape(-1, self.d).to(self._flat.device, self._flat.dtype))
        return found.reshape((*x.shape[:-1], *found.shape[1:])).to(x)


def _alone(x: Tensor, j: Tensor) -> Tensor:
    """A term for each point as a batch of one row."""
    require_index(x, j)
    return j.unsqueeze(-1)


def _joined(layers: NetworkLayers, state: Mapping[str, Tensor]) -> Tensor:
    return layers.flat(point_of(layers.names, state)).to("cpu", torch.float64)
