"""What a probe says of itself: before the first step, beside its numbers, and to go on from them."""

import platform
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench import __version__
from workbench.probes.batches import fingerprint
from workbench.probes.gradients.oracle import point_of
from workbench.probes.layers import NetworkLayers, Point
from workbench.probes.levels import cost
from workbench.probes.measure import Bench
from workbench.probes.result import FORMAT
from workbench.probes.sources import BatchSource, FixedSource


def to_stderr(text: str) -> None:
    """The default announcement."""
    sys.stderr.write(f"{text}\n")


def announcement(bench: Bench, source: BatchSource) -> str:
    """The norm of every layer, and what a probe costs."""
    rows = [("layer", "shape", "norm"), *bench.layers.table()]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    table = "\n".join(
        "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    return f"{table}\n{cost_text(bench, source)}"


def cost_text(bench: Bench, source: BatchSource) -> str:
    """Gradients of a probe, level by level, and their share of the training."""
    options = bench.options
    gradients = cost(
        options.level,
        scales=options.scales,
        n_groups=len(bench.groups),
        nodes=options.nodes,
        rounds=options.rounds,
        pair=source.gradients,
    )
    total, names = sum(gradients.values()), ", ".join(f"{name} {n}" for name, n in gradients.items())
    of = f"{source.rows} rows" if isinstance(source, FixedSource) else "the batch of the step"
    more = "; one more at the probes 1, 2, 4, 8, ..., to compare p.grad" if source.gradients < 2 else ""
    return (
        f"a probe takes {total} gradients of {of} ({names}) and the norms; every {options.every} steps "
        f"that is {100 * total / options.every:.3g} % of a training with as many rows a step{more}"
    )


def attributes(bench: Bench, source: BatchSource) -> dict[str, Any]:
    """Attributes of a result."""
    model, oracle = bench.oracle.model, bench.oracle
    return {
        **bench.options.plain(),
        **source.describe(),
        "norms": "; ".join(f"{name}: {norm}" for name, _, norm in bench.layers.table()),
        "groups": "; ".join(
            f"{label}: {', '.join(bench.layers.names[i] for i in members)}"
            for label, members in bench.groups.items()
        ),
        "model": type(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "device": str(oracle.parameters[0].device),
        "versions": (
            f"workbench {__version__}, torch {torch.__version__}, numpy {np.__version__}, "
            f"python {platform.python_version()}"
        ),
    }


def set_facts(source: BatchSource) -> dict[str, Any]:
    """sha256 of the fixed set; empty where there is none."""
    return {"sha256": fingerprint(source.batch)} if isinstance(source, FixedSource) else {}


def setting(bench: Bench, source: BatchSource) -> dict[str, Any]:
    """What must be the same where a probe goes on: numbers and text by name."""
    return {
        **bench.options.plain(),
        **{f"layer {name}": f"{shape} {norm}" for name, shape, norm in bench.layers.table()},
        "groups": attributes(bench, source)["groups"] if "coupling" in bench.options.levels else "",
        **{f"{name} of the fixed set": value for name, value in set_facts(source).items()},
    }


def require_same(state: Any, own: Mapping[str, Any]) -> None:
    """ValueError unless it is the state of a probe with this setting; says what differs."""
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"state must be that of a probe, of format {FORMAT!r}, got {found!r}")
    saved = state["setting"]
    names = [name for name in {**own, **saved} if own.get(name) != saved.get(name)]
    if names:
        said = "; ".join(
            f"{name} is {saved.get(name)!r} there and {own.get(name)!r} here" for name in names[:6]
        )
        more = f"; and {len(names) - 6} more" if len(names) > 6 else ""
        raise ValueError(f"state is that of another probe: {said}{more}")


def point_in(bench: Bench, state: Mapping[str, Tensor]) -> Point:
    """The parameters in a ``state_dict``, on the device of the model.

    TypeError for what is no ``state_dict``, ValueError for one of another model.
    """
    oracle = bench.oracle
    point = point_of(oracle.names, state, oracle.model.state_dict())
    _require_shapes(bench.layers, point)
    return tuple(part.to(oracle.parameters[0].device) for part in point)


def _require_shapes(layers: NetworkLayers, point: Point) -> None:
    for layer, part in zip(layers.layers, point, strict=True):
        if tuple(part.shape) != layer.layout.shape:
            raise ValueError(
                f"a state must have shape {layer.layout.shape} for {layer.name!r}, got {tuple(part.shape)}"
            )
