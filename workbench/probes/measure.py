"""All that a probe measures at the two ends of a step: level by level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from workbench.orthogonal import Orthogonaliser
from workbench.probes.ends import Ends
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.gradients.parts import Parts, PartsOracle
from workbench.probes.layers import NetworkLayers
from workbench.probes.levels import adversarial, coupling, hvp_along, lmo_quality, radii
from workbench.probes.options import Options


@dataclass(frozen=True)
class Bench:
    """What the levels need besides the ends. groups: of layers, by their indices."""

    oracle: PartsOracle
    layers: NetworkLayers
    options: Options
    groups: Mapping[str, tuple[int, ...]]
    orthogonalisers: Sequence[Orthogonaliser | None]

    @property
    def asked(self) -> GradientOracle:
        """What levels ask for gradients: they use no more than what both kinds of oracle have."""
        return cast(GradientOracle, self.oracle)


def _radii(bench: Bench, batch: Parts, ends: Ends) -> dict[str, Tensor]:
    return {"ratio_scaled": radii(bench.asked, bench.layers, batch, ends, bench.options.scales)}


def _coupling(bench: Bench, batch: Parts, ends: Ends) -> dict[str, Tensor]:
    each, total = coupling(bench.asked, bench.layers, batch, ends, bench.groups)
    return {"coupling": each, "coupling_sum": total}


def _hvp(bench: Bench, batch: Parts, ends: Ends) -> dict[str, Tensor]:
    along, residual = hvp_along(bench.asked, bench.layers, batch, ends, bench.options.nodes)
    return {"hvp_curvature": along, "hvp_residual": residual}


def _adversarial(bench: Bench, batch: Parts, ends: Ends) -> dict[str, Tensor]:
    options = bench.options
    worst = adversarial(bench.asked, bench.layers, batch, ends, options.rounds, options.seed)
    return {"ratio_adversarial": worst}


def _lmo(bench: Bench, batch: Parts, ends: Ends) -> dict[str, Tensor]:
    del batch
    a, b = lmo_quality(bench.layers, ends.here.gradient, bench.orthogonalisers)
    return {"lmo_a": a, "lmo_b": b}


MEASURES: dict[str, Callable[[Bench, Parts, Ends], dict[str, Tensor]]] = {
    "radii": _radii,
    "coupling": _coupling,
    "hvp": _hvp,
    "adversarial": _adversarial,
    "lmo": _lmo,
}
"""Level -> its quantities. "pair" is ``pair_quantities``."""
