"""How much the compressors of a method shrink errors, layer by layer."""

from collections.abc import Mapping

import torch
from torch import Tensor

from assumptions.layers import Layers
from assumptions.norms import EUCLIDEAN
from assumptions.outward import root_up, round_up
from workbench.compressors.base import Compressor
from workbench.compressors.geometries import shrinks_layer


def contraction_facts(
    layers: Layers, server: Compressor, worker: Compressor, contracts_in: str
) -> Mapping[str, Tensor]:
    """q_server_i and q_worker_i, (n_layers,): E|C(x) - x| <= q_i |x| in layer i, all below 1.

    "layers": the server's in the norm of the layer, the workers' in its dual. "frobenius": Euclidean; of
    several layers together E|C(x) - x|_2 <= max_i q_i |x|_2, so q_i^2 bounds the mean squared error.
    ValueError for a compressor that is not known to shrink, naming it, the norm and what is known.
    """
    said = not_contractive(layers, server, worker, contracts_in)
    if said:
        raise ValueError(said)
    q = [
        [found for found, _ in _each(layers, c, dual, contracts_in)]
        for c, dual in ((server, False), (worker, True))
    ]
    return {
        "q_server_i": torch.tensor(q[0], dtype=torch.float64),
        "q_worker_i": torch.tensor(q[1], dtype=torch.float64),
    }


def not_contractive(layers: Layers, server: Compressor, worker: Compressor, contracts_in: str) -> str:
    """Why one of the compressors is not known to shrink; "" if both do."""
    for name, compressor, dual in (("server", server, False), ("worker", worker, True)):
        for i, (q, where) in enumerate(_each(layers, compressor, dual, contracts_in)):
            if q is None or not q < 1:
                known = "no q with E|C(x) - x| <= q |x| is known" if q is None else f"q = {q:g}"
                return f"{name}_compressor {compressor!r} does not shrink layer {i} in {where}: {known}"
    return ""


def _each(
    layers: Layers, compressor: Compressor, dual: bool, contracts_in: str
) -> list[tuple[float | None, str]]:
    """q of each layer, and the norm in words."""
    found: list[tuple[float | None, str]] = []
    for shape, norm in zip(layers.shapes, layers.norms, strict=True):
        if contracts_in == "frobenius":
            found.append((_euclidean(compressor, shape, layers.n_layers), "the Euclidean norm"))
        else:
            q, said, why = shrinks_layer(compressor, norm, dual, shape)
            found.append((q, said + why))
    return found


def _euclidean(compressor: Compressor, shape: tuple[int, ...], n_layers: int) -> float | None:
    """Of one layer the first moment; of several the root of the second, which adds up."""
    if n_layers == 1:
        return compressor.shrinks(EUCLIDEAN, shape)
    return round_up(root_up(compressor.squared_error(shape)))
