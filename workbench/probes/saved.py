"""The open step of a probe as plain data, and back."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from workbench.probes.gradients.oracle import Evaluation
from workbench.probes.gradients.parts import Measured, Parts
from workbench.probes.layers import Point
from workbench.probes.sources import End


def packed_end(end: End) -> dict[str, Any]:
    """Without the batch: an end stays open between steps only where the other one has a batch of its own."""
    return {
        "x": list(end.x),
        "loss": end.measured.mean.loss,
        "gradient": list(end.measured.mean.gradient),
        "read": None if end.read is None else list(end.read),
        "missed": end.missed,
        "rows": list(end.parts.rows),
        "seconds": end.seconds,
    }


def restored_end(state: Mapping[str, Any], like: Tensor) -> End:
    """What ``packed_end`` gave, on the device of ``like``."""

    def moved(parts: list[Tensor]) -> Point:
        return tuple(part.to(like.device) for part in parts)

    return End(
        x=moved(state["x"]),
        parts=Parts((None,) * len(state["rows"]), tuple(state["rows"])),
        measured=Measured(Evaluation(state["loss"].cpu(), moved(state["gradient"])), None),
        started=0.0,
        seconds=state["seconds"],
        read=None if state["read"] is None else moved(state["read"]),
        missed=state["missed"],
    )
