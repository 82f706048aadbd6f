"""What a smoothness probe costs the training of a GPT of 0.8 M parameters, at every 10th or 50th step.

    python benchmarks/probe_overhead.py [--size 0.8M] [--rows 8] [--blocks 6] [--every 10 50] [--json FILE]

Blocks of steps with and without the probe take turns in one training run, on one thread, so that the load of
the machine falls on both; a block is as long as the distance between two probes. Printed is the median, over
the pairs of neighbouring blocks, of the extra time as a share of the block without the probe; times are CPU
times. `training`: the mini-batch of the step at both ends; `fixed`: a fixed set as large as that mini-batch.
Beside it the largest relative error of a dual norm that the probe measured against singular values by a
decomposition in float64.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from assumptions import Layers
from benchmarks.broximal import hardware
from workbench.probes import SmoothnessProbe, layers_for
from workbench.probes.batches import count_rows
from workbench.probes.optimizers import make_optimizer
from workbench.probes.oracle import GradientOracle
from workbench.probes.tasks import TASKS, Task

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", default="0.8M")
    parser.add_argument("--rows", type=int, default=8, help="windows in a batch, and in the fixed set")
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--every", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    training = Training(options.size, options.rows)
    training.block(5)
    found: dict[str, Any] = {}
    print(f"{'batch':10}{'every':>7}{'overhead, median [range]':>32}{'step, ms':>12}")
    for batch in ("training", "fixed"):
        for every in options.every:
            measured = overheads(training, batch, every, options.blocks)
            found[f"{batch}, every {every}"] = measured
            share = [100 * value for value in measured["overhead"]]
            said = f"{statistics.median(share):.1f} % [{min(share):.1f}, {max(share):.1f}]"
            print(f"{batch:10}{every:7}{said:>32}{1000 * statistics.median(measured['step_seconds']):12.1f}")
    error = dual_error(training)
    parameters = sum(p.numel() for p in training.task.model.parameters())
    print(f"\ndual norms: relative error at most {error:.1e}")
    print(
        f"GPT, {parameters} parameters, {OPTIMIZER}, {count_rows(training.task.fixed)} rows a batch, 1 thread"
    )
    machine = hardware()
    print("\n".join(f"{key}: {value}" for key, value in machine.items()))
    if options.json is not None:
        numbers = {"results": found, "dual_error": error, "parameters": parameters, "hardware": machine}
        options.json.write_text(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    main()
