"""Drop-Muon: each step moves a random set of layers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from assumptions.guards import require_seed
from assumptions.norms import Norm
from workbench.layer_laws import AnyLaw, LayerLaw
from workbench.optim.radii import RadiusOptimizer
from workbench.optim.saved import require_state
from workbench.orthogonal import NewtonSchulz, Orthogonaliser
from workbench.samplings import Sampling

Listed = tuple[tuple[tuple[int, ...], float], ...]


class DropMuon(RadiusOptimizer):
    """As ``Gluon`` on the layers of a random set S; the others keep weights and momentum.

    A layer is one parameter, numbered from 0 in the order of the groups; or, where groups have the option
    ``layer``, all parameters of the groups with that number. law: of S, a ``LayerLaw`` such as RPT(), a
    ``Sampling``, or pairs (set, probability): (((0, 1), 0.25), ((1,), 0.75)); it must move
    every layer at times. seed: of the draws; their state is saved with the optimizer. ``next_layers`` tells
    S before the step, so that other gradients need not be computed, and S stays if a step is refused; a layer
    starts its momentum with the gradient of its first update. ValueError for what cannot be a law, TypeError
    for a layer that is no number. weight_decay: as in ``Gluon``. Other options: ``RadiusOptimizer``,
    ``LMOOptimizer``.
    Source: arXiv:2510.02239.
    """

    def __init__(
        self,
        params: Any,
        law: LayerLaw | Sampling | Listed,
        lr: float = 1e-3,
        beta: float = 0.9,
        *,
        layer: int | None = None,
        seed: int = 0,
        L0: float | None = None,
        L1: float | None = None,
        weight_decay: float = 0.0,
        radius: float = 1.0,
        norm: str | Norm = "hidden",
        transpose: bool | None = None,
        orthogonaliser: Orthogonaliser | None = None,
    ) -> None:
        require_seed(seed)
        options = {"lr": lr, "beta": beta, "layer": layer, "L0": L0, "L1": L1, "weight_decay": weight_decay}
        read = {"radius": radius, "norm": norm, "transpose": transpose}
        super().__init__(params, {**options, **read, "orthogonaliser": orthogonaliser or NewtonSchulz(5)})
        self.law = _law(law)
        self._draws = torch.Generator().manual_seed(seed).get_state()
        self._next: Tensor | None = None
        self.check_together(self.param_groups)

    def next_layers(self) -> tuple[int, ...]:
        """The layers that the next step moves, drawn at the first call."""
        if self._next is None:
            space = self.law.space(_count(self.param_groups))
            generator = torch.Generator()
            generator.set_state(self._draws)
            self._next = space.value(torch.rand(space.width, dtype=torch.float64, generator=generator))
            self._draws = generator.get_state()
        return tuple(self._next.nonzero().flatten().tolist())

    def chosen(self) -> Callable[[Tensor], bool]:
        """The parameters of the drawn layers."""
        numbers, layers = _numbers(self.param_groups), set(self.next_layers())
        return lambda p: numbers[p] in layers

    def moved(self) -> None:
        """The next step has a draw of its own."""
        self._next = None

    def check(self, group: dict[str, Any]) -> None:
        """Besides: layer is None or an integer >= 0, else TypeError or ValueError."""
        super().check(group)
        layer = group["layer"]
        if layer is not None and (isinstance(layer, bool) or not isinstance(layer, int)):
            raise TypeError(f"layer must be None or the number of a layer, from 0, got {layer!r}")

    def check_together(self, groups: list[dict[str, Any]]) -> None:
        """ValueError unless the law fits the layers and moves each of them."""
        if not hasattr(self, "law"):
            return  # the constructor checks all groups, when it has them
        never = [layer for layer, p in enumerate(self.law.probabilities(_count(groups))) if not p > 0]
        if never:
            raise ValueError(
                f"law must move every layer with a positive probability, and never moves {never}"
            )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As in torch. ValueError if the law does not fit the layers with it."""
        super().add_param_group(param_group)
        self._next = None

    def state_dict(self) -> dict[str, Any]:
        """Besides: where the draws are."""
        return {**super().state_dict(), "draws": {"generator": self._draws, "next": self._next}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Besides: the draws go on where they were. ValueError for layers that the law does not fit."""
        require_state(state_dict)
        draws = state_dict.get("draws")
        if not isinstance(draws, dict) or set(draws) != {"generator", "next"}:
            raise ValueError("the saved state is not one of DropMuon: it lacks draws")
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "draws"})
        self._draws = draws["generator"].cpu()
        self._next = draws["next"]

    def __getstate__(self) -> dict[str, Any]:
        """What a copy needs besides torch's own."""
        return {**super().__getstate__(), "law": self.law, "_draws": self._draws, "_next": self._next}


def _numbers(groups: list[dict[str, Any]]) -> dict[Tensor, int]:
    """The layer of each parameter. ValueError if they are not 0, 1, ..."""
    pairs = [(p, group["layer"]) for group in groups for p in group["params"]]
    given = [layer for _, layer in pairs]
    if all(layer is None for layer in given):
        return {p: number for number, (p, _) in enumerate(pairs)}
    if set(given) != set(range(len(set(given)))):
        raise ValueError(f"layer must number the layers from 0 in every group or in none, got {given}")
    return dict(pairs)


def _count(groups: list[dict[str, Any]]) -> int:
    """How many layers."""
    return len(set(_numbers(groups).values()))


def _law(law: LayerLaw | Sampling | Listed) -> LayerLaw | Sampling:
    """A law as it is, pairs as a law. TypeError for anything else."""
    if isinstance(law, LayerLaw | Sampling):
        return law
    try:
        sets, weights = zip(*law, strict=True)
    except (TypeError, ValueError):
        raise TypeError(
            f"law must be a LayerLaw such as RPT(), a Sampling or pairs (set, probability), got {law!r}"
        ) from None
    return AnyLaw(tuple(map(tuple, sets)), weights)
