"""What a smoothness probe costs the training of a GPT of 0.8 M parameters, at every 10th or 50th step.

    python -m benchmarks.probe_overhead [--size 0.8M] [--rows 8] [--blocks 6] [--every 10 50] [--json FILE]

Blocks of steps with and without the probe take turns in one training run, on one thread, so that the load of
the machine falls on both; a block is as long as the distance between two probes. Printed is the median, over
the pairs of neighbouring blocks, of the extra time in per cent of the block without the probe; times are CPU
times. `training`: the mini-batch of the step at both ends; `fixed`: a fixed set as large as that mini-batch.
Beside it the largest relative error of a dual norm that the probe measured against singular values by a
decomposition in float64.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from assumptions import Layers
from benchmarks.report import Row, begin, finish, one_thread, parser, positive, timed
from workbench.probes import SmoothnessProbe, layers_for
from workbench.probes.batches import count_rows
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.networks import GPT_SIZES
from workbench.probes.tasks import TASKS, Task
from workbench.probes.training.optimizers import make_optimizer

OPTIMIZER = "scion"


class Training:
    """A training run that goes on from block to block."""

    def __init__(self, size: str, rows: int) -> None:
        self.task: Task = TASKS["gpt"](seed=0, size=size, data="pydoc", rows=rows, fixed_rows=rows)
        self.optimizer = make_optimizer(OPTIMIZER, self.task)
        self.step = 0

    def block(self, steps: int, probe: SmoothnessProbe | None = None) -> float:
        """CPU seconds of some steps."""
        batches = [self.task.batch(self.step + i) for i in range(steps)]
        self.step += steps
        start = time.process_time()
        for batch in batches:
            self.optimizer.zero_grad()
            self.task.loss(self.task.model, batch).backward()
            if probe is not None and probe.wants_batches:
                probe.saw(batch)
            self.optimizer.step()
        return time.process_time() - start

    def probe(self, batch: str, every: int) -> SmoothnessProbe:
        """Level pair, in the norms of the optimizer, silent."""
        chosen = self.task.fixed if batch == "fixed" else batch
        options: dict[str, Any] = {"norms": "optimizer", "every": every, "announce": None}
        return SmoothnessProbe(self.task.model, self.optimizer, loss=self.task.loss, batch=chosen, **options)


def overheads(training: Training, batch: str, every: int, blocks: int) -> dict[str, Any]:
    """Extra time of a block with one probe, as shares of the block before it."""
    probe = training.probe(batch, every)
    with probe:  # the first probe also compares gradients, and is not counted
        training.block(every, probe)
    plain, extra = [], []
    for _ in range(blocks):
        without = training.block(every)
        with probe:
            within = training.block(every, probe)
        plain.append(without / every)
        extra.append(within / without - 1)
    if probe.stopped:
        raise RuntimeError(f"the probe stopped: {probe.stopped}")
    return {"overhead": extra, "step_seconds": plain}


def dual_error(training: Training) -> float:
    """Largest relative error of a dual norm of the gradient, against the exact norm in float64."""
    task = training.task
    layers = layers_for(task.model, "optimizer", groups=training.optimizer.param_groups)
    oracle = GradientOracle(task.model, task.loss)
    gradient = oracle.evaluate(oracle.point(), task.fixed).gradient
    measured = layers.dual_i(gradient)
    errors = []
    for layer, part, value in zip(layers.layers, gradient, measured, strict=True):
        flat = layer.layout.flat(part[None]).double()
        exact = Layers(((flat.shape[-1],),), (layer.layout.norm,)).dual_i(flat)[0, 0]
        errors.append(float((value - exact).abs() / exact))
    return max(errors)


def rows_of(numbers: Mapping[str, Any]) -> list[Row]:
    """The step alone, and the overhead in per cent of it."""
    title = f"GPT, {numbers['parameters']} parameters, {OPTIMIZER}, {numbers['rows']} rows a batch"
    error = f"dual norms: relative error at most {numbers['dual_error']:.1e}"
    plain = [s for found in numbers["results"].values() for s in found["step_seconds"]]
    rows = [timed(f"{title}: a step", "without the probe", plain)]
    for name, found in numbers["results"].items():
        share = tuple(100 * value for value in found["overhead"])
        rows.append(Row(f"{title}: extra time, {name}", "probe", "% of a step", share, True, error))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    read = parser(__doc__)
    read.add_argument("--size", default="0.8M", choices=GPT_SIZES)
    read.add_argument("--rows", type=positive, default=8, help="windows in a batch, and in the fixed set")
    read.add_argument("--blocks", type=positive, default=6)
    read.add_argument("--every", type=positive, nargs="+", default=[10, 50])
    options = read.parse_args(arguments)
    machine = begin()
    with one_thread():
        training = Training(options.size, options.rows)
        training.block(5)
        found = {
            f"{batch}, every {every}": overheads(training, batch, every, options.blocks)
            for batch in ("training", "fixed")
            for every in options.every
        }
        error = dual_error(training)
    numbers = {
        "results": found,
        "dual_error": error,
        "parameters": sum(p.numel() for p in training.task.model.parameters()),
        "rows": count_rows(training.task.fixed),
    }
    rows = rows_of(numbers)
    finish(options.json, machine, numbers, rows)


if __name__ == "__main__":
    main()
