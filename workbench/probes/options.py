"""The options of a probe, checked before anything is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from assumptions.guards import require_dimension
from workbench.probes.levels import require_levels, require_scales

BATCHES = ("training", "different")
"""Batches by one word: those of the training, at both ends alike, or at each end its own."""

ESTIMATORS = {
    "fixed": "gradients of one fixed set at both ends of a step: a fact about the loss on that set",
    "training": "gradients of the mini-batch of a step at both of its ends",
    "different": "gradients of two mini-batches, one at each end, as published: it measures NOISE wherever "
    "noise is large, about sqrt(2) |G'| / |dX| whatever the loss, and no smoothness",
    "pair": "gradients of one fixed set at two given points",
}
"""What the numbers are, by the kind of batch."""


@dataclass(frozen=True)
class Options:
    """kind: "fixed", "training" or "different"; the rest as ``SmoothnessProbe`` takes them.

    dtype, chunk, mode, seed: those of the oracle, checked there. ValueError, TypeError for what is out of its
    domain.
    """

    kind: str
    every: int
    level: str | Sequence[str]
    scales: Sequence[float]
    nodes: int
    rounds: int
    dtype: torch.dtype
    chunk: int | None
    mode: str | None
    seed: int

    def __post_init__(self) -> None:
        """Level and scales as tuples."""
        require_dimension(every=self.every, nodes=self.nodes, rounds=self.rounds)
        object.__setattr__(self, "level", require_levels(self.level))
        object.__setattr__(self, "scales", require_scales(self.scales))
        if self.kind == "different" and self.levels:
            raise ValueError(
                f'batch="different" has two losses, and level {self.levels[0]!r} needs one; give a fixed '
                f'set, or batch="training"'
            )

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels besides "pair"."""
        return tuple(level for level in self.level if level != "pair")

    def plain(self) -> dict[str, Any]:
        """As text and numbers: what must be the same where a probe goes on."""
        return {
            "batch": self.kind,
            "every": self.every,
            "level": ", ".join(self.level),
            "dtype": str(self.dtype).removeprefix("torch."),
            "chunk": self.chunk or 0,
            "module_mode": self.mode or "as the model is",
            "seed": self.seed,
            "scales": ", ".join(map(str, self.scales)) if "radii" in self.levels else "",
            "nodes": self.nodes if "hvp" in self.levels else 0,
            "rounds": self.rounds if "adversarial" in self.levels else 0,
        }


def kind_of(batch: Any) -> str:
    """The word itself, or "fixed" for a set. ValueError for another word."""
    if not isinstance(batch, str):
        return "fixed"
    if batch not in BATCHES:
        raise ValueError(f'batch must be a fixed set of tensors, "training" or "different"; got {batch!r}')
    return batch
