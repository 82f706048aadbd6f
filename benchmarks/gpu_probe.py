"""A GPT with 124 M parameters with and without the probe: overhead, memory and throughput on a GPU.

    python -m benchmarks.gpu_probe [--size 124M] [--rows 16] [--every 50] [--level pair] [--json FILE]

Training runs under bfloat16 autocast, with Muon's directions (Scion); gradients of the probe are taken in
float32 without autocast and without TF32. Blocks of steps with and without the probe take turns in one run;
each is timed by the wall clock after the device has finished. Memory is the peak of what was allocated.
Runs on a CPU too, with ``--device cpu --size 0.1M``: that says nothing about GPUs, and tests the script.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.report import Row, begin, finish, parser, positive
from workbench.probes import SmoothnessProbe
from workbench.probes.batches import count_rows, moved
from workbench.probes.tasks import TASKS
from workbench.probes.training.optimizers import make_optimizer


class Training:
    """A training run that goes on from block to block."""

    def __init__(self, size: str, rows: int, device: torch.device, level: str) -> None:
        self.task = TASKS["gpt"](seed=0, size=size, data="pydoc", rows=rows, fixed_rows=rows)
        self.device, self.rows, self.level, self.step = device, rows, level, 0
        self.task.model.to(device)
        self.optimizer = make_optimizer("scion", self.task)

    def batch(self) -> Any:
        """The next one, on the device."""
        self.step += 1
        return moved(self.task.batch(self.step), self.device, torch.float32)

    def block(self, steps: int, probe: SmoothnessProbe | None = None) -> tuple[float, float]:
        """Wall seconds, and the peak of memory in GiB, of some steps."""
        cuda = self.device.type == "cuda"
        if cuda:
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            batch = self.batch()
            self.optimizer.zero_grad()
            with torch.autocast(self.device.type, torch.bfloat16):
                loss = self.task.loss(self.task.model, batch)
            loss.backward()
            if probe is not None and probe.wants_batches:
                probe.saw(batch)
            self.optimizer.step()
        if cuda:
            torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated() / 2**30 if cuda else float("nan")
        return time.perf_counter() - start, peak


def measure(training: Training, batch: str, every: int, blocks: int) -> dict[str, Any]:
    """Blocks without and with one probe, in turns."""
    chosen: Any = batch if batch == "training" else moved(training.task.fixed, training.device, torch.float32)
    probe = SmoothnessProbe(
        training.task.model,
        training.optimizer,
        loss=training.task.loss,
        batch=chosen,
        norms="optimizer",
        every=every,
        level=training.level,
        chunk=training.rows,
        announce=None,
    )
    with probe:  # not counted: the first one warms up, and compares gradients
        training.block(every, probe)
    pairs = []
    for _ in range(blocks):
        without = training.block(every)
        with probe:
            pairs.append((without, training.block(every, probe)))
    if probe.stopped:
        raise RuntimeError(f"the probe stopped: {probe.stopped}")
    return {
        "overhead": [within[0] / without[0] - 1 for without, within in pairs],
        "step_seconds": [without[0] / every for without, _ in pairs],
        "memory_gib": [max(without[1] for without, _ in pairs), max(within[1] for _, within in pairs)],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    read = parser(__doc__)
    read.add_argument("--size", default="124M")
    read.add_argument("--rows", type=positive, default=16, help="rows of a batch, and of the fixed set")
    read.add_argument("--every", type=positive, default=50)
    read.add_argument("--level", default="pair")
    read.add_argument("--blocks", type=positive, default=4)
    read.add_argument("--device", default="cuda")
    options = read.parse_args(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        read.error("device cuda: torch.cuda.is_available() is False here; --device cpu tests the script")
    training = Training(options.size, options.rows, device, options.level)
    training.block(3)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    tokens = count_rows(training.batch()) * training.batch()[0].shape[1]
    parameters = sum(p.numel() for p in training.task.model.parameters())
    machine = begin(gpu=name)
    title = f"GPT, {parameters} parameters, {tokens} tokens a step, bfloat16 autocast"
    found, rows = {}, []
    for batch in ("training", "fixed"):
        measured = found[batch] = measure(training, batch, options.every, options.blocks)
        speed = tokens / statistics.median(measured["step_seconds"])
        low, high = measured["memory_gib"]
        note = f"{speed:.0f} tokens a second without; GiB without {low:.2f}, with {high:.2f}"
        share = tuple(100 * value for value in measured["overhead"])
        rows.append(Row(f"{title}: extra time, {batch}", "probe", "% of a step", share, True, note))
    finish(options.json, machine, {"results": found, "parameters": parameters, "tokens": tokens}, rows)


if __name__ == "__main__":
    main()
