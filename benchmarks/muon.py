"""A step of Muon: the optimizer of the workbench against torch.optim.Muon, time and agreement.

    python -m benchmarks.muon [--shapes 256x256 256x1024 1024x256] [--steps 20] [--repeats 5] [--json FILE]

Same matrices, same gradients, same lr and momentum, no weight decay; both take the Newton-Schulz iteration in
bfloat16, and the workbench runs once more with its default, float32, and once with an exact polar factor. CPU
times on one thread; they take turns.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.report import Row, begin, finish, one_thread, parser, positive, take_turns, timed
from workbench.optim import Muon
from workbench.orthogonal import Exact, NewtonSchulz

LR, BETA = 0.02, 0.95
FIRST = "workbench, Newton-Schulz 5, bfloat16"
Make = Callable[[list[nn.Parameter]], torch.optim.Optimizer]


def optimizers() -> dict[str, Make]:
    """By name; that of torch is there in versions of torch that have it."""
    found: dict[str, Make] = {
        FIRST: partial(Muon, lr=LR, beta=BETA, orthogonaliser=NewtonSchulz(dtype="bfloat16")),
        "workbench, Newton-Schulz 5, float32": partial(Muon, lr=LR, beta=BETA),
        "workbench, SVD": partial(Muon, lr=LR, beta=BETA, orthogonaliser=Exact()),
    }
    if hasattr(torch.optim, "Muon"):
        found["torch.optim.Muon, bfloat16"] = partial(
            torch.optim.Muon, lr=LR, momentum=BETA, weight_decay=0.0
        )
    return found


def shape(text: str) -> tuple[int, int]:
    """``256x1024``. ArgumentTypeError for anything else."""
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise argparse.ArgumentTypeError(f"must be two sides as 256x1024, got {text!r}")
    return int(sides[0]), int(sides[1])


def walked(make: Make, shapes: Sequence[tuple[int, int]], steps: int) -> Callable[[], list[Tensor]]:
    """Work that takes steps from the same start with the same gradients; it returns the matrices."""

    def work() -> list[Tensor]:
        draws = torch.Generator().manual_seed(0)
        parameters = [nn.Parameter(torch.zeros(s)) for s in shapes]
        optimizer = make(parameters)
        for _ in range(steps):
            for p in parameters:
                p.grad = torch.randn(p.shape, generator=draws)
            optimizer.step()
        return [p.detach() for p in parameters]

    return work


def distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> float:
    """|a - b| / |b|, the largest of the matrices."""
    return max(float((x - y).norm() / y.norm()) for x, y in zip(a, b, strict=True))


def measure(shapes: Sequence[tuple[int, int]], steps: int, repeats: int) -> dict[str, Any]:
    """Seconds of a step, the gradients' draws included, and the distance to the first optimizer's end."""
    ways = {name: walked(make, shapes, steps) for name, make in optimizers().items()}
    take_turns(ways, 1)
    found = take_turns(ways, repeats)
    end = found[FIRST].result
    return {
        name: {"seconds": [s / steps for s in turns.seconds], "distance": distance(turns.result, end)}
        for name, turns in found.items()
    }


def rows_of(found: Mapping[str, Any], title: str) -> list[Row]:
    """One setting."""
    return [
        timed(
            f"a step of Muon on {title}",
            name,
            m["seconds"],
            headline=True,
            note=f"ends {m['distance']:.1e} from the first, relatively",
        )
        for name, m in found.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--shapes", type=shape, nargs="+", default=[(256, 256), (256, 1024), (1024, 256)])
    read.add_argument("--steps", type=positive, default=20)
    read.add_argument("--repeats", type=positive, default=5)
    options = read.parse_args(arguments)
    machine = begin()
    with one_thread():
        found = measure(options.shapes, options.steps, options.repeats)
    rows = rows_of(found, ", ".join(f"{m} x {n}" for m, n in options.shapes))
    finish(options.json, machine, {"steps": options.steps, "results": found}, rows)


if __name__ == "__main__":
    main()
