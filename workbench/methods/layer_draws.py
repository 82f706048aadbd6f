"""What methods that update a random set of layers share: the draw, its law, and counts of what it spent."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from assumptions import Layers
from assumptions.guards import Number
from problems.base import Problem
from workbench.draws import Space
from workbench.layer_laws import LayerLaw
from workbench.methods.layer_gradients import over_layers
from workbench.quantity import Quantity, Reading
from workbench.samplings import Sampling


def require_law(law: object) -> None:
    """TypeError unless a law of layers or a sampling."""
    if not isinstance(law, LayerLaw | Sampling):
        raise TypeError(f"law must be a LayerLaw such as RPT((0.5, 0.5)), or a Sampling, got {law!r}")


def layer_draws(problem: Problem, law: LayerLaw | Sampling, **values: Number) -> Mapping[str, Space]:
    """The layers that a step updates, ``active``: (*batch, layers) bool.

    ValueError for a law that does not fit, or a hyperparameter among ``values`` that is neither one number
    nor one for each layer.
    """
    for name, value in values.items():
        over_layers(problem.layers, value, problem.x0, name)
    return {"active": law.space(problem.layers.n_layers)}


def law_facts(problem: Problem, law: LayerLaw | Sampling) -> Mapping[str, Tensor]:
    """p_i = P(layer i is updated), (layers,). ValueError for a law that does not fit."""
    p = law.probabilities(problem.layers.n_layers)
    return {"p_i": torch.tensor(p, dtype=torch.float64)}


def no_updates(layers: Layers, x: Tensor) -> Tensor:
    """Updates of each layer so far, 0 at the start; int64 (*batch, layers). x: (*batch, d)."""
    return torch.zeros(*x.shape[:-1], layers.n_layers, dtype=torch.int64, device=x.device)


def reached(active: Tensor) -> Tensor:
    """Layers that backpropagation passes to update these: all from the first of them on. Shapes as active."""
    return active.to(torch.int8).cummax(dim=-1).values.bool()


def spent_on(active: Tensor, gradients: float, x: Tensor) -> Mapping[str, Tensor]:
    """One linear minimisation for each layer that is updated, and ``gradients`` unless none is."""
    some = active.any(dim=-1).to(x)
    return {"grad_calls": gradients * some, "lmo_calls": active.sum(dim=-1).to(x)}


def _counted(_: Reading, value: Tensor) -> Tensor:
    return torch.zeros_like(value)


LAYER_QUANTITIES: Mapping[str, Quantity | Callable[..., Tensor]] = {
    "updates_i": Quantity(
        "updates of each layer until step k",
        r"U_{i,k}",
        lambda r: r.state.updates.to(r.x),
        _counted,
        unit="1",
        nonnegative=True,
    ),
    "reached_i": Quantity(
        "steps until step k whose backpropagation passed layer i: it or a layer before it was updated",
        r"B_{i,k}",
        lambda r: r.state.reached.to(r.x),
        _counted,
        unit="1",
        nonnegative=True,
    ),
}
"""Counts, of which ``workbench.layer_costs`` makes costs."""
