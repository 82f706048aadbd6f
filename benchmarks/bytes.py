"""EF21-Muon over processes: bytes of a step against no compression, and the loss after as many steps.

    python -m benchmarks.bytes [--workers 2] [--steps 200] [--json FILE]

A network 64-128-128-10 on the digits of scikit-learn, 26122 numbers in float32. Each worker has its share of
the data and takes 32 images in a step. Bytes are those that all processes together send in a step after the
first, headers included; in the first, workers send whole gradients. All have the same lr; it is not tuned.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from sklearn.datasets import load_digits
from torch import nn

from benchmarks.report import Row, begin, finish, parser
from workbench.compressors import Compressor, Identity, Natural, RandomSkip, RankK, TopK
from workbench.optim import EF21Muon, groups_for

LR, BETA, BATCH = 0.03, 0.9, 32

PAIRS: dict[str, tuple[Compressor, Compressor]] = {
    "none": (Identity(), Identity()),
    "up TopK(800)": (Identity(), TopK(800)),
    "both TopK(800)": (TopK(800), TopK(800)),
    "up RankK(4)": (Identity(), RankK(4)),
    "up Natural()": (Identity(), Natural()),
    "both RandomSkip(0.25)": (RandomSkip(0.25), RandomSkip(0.25)),
    "up RankK(4), down TopK(800)": (TopK(800), RankK(4)),
}
"""C' of the server and C of the workers; biases are never compressed."""


def network() -> nn.Sequential:
    """The same on every rank."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))


def train(rank: int, workers: int, steps: int, server: Compressor, worker: Compressor) -> dict[str, float]:
    """Means over the steps after the first: bytes up and down that this rank sends. The loss at the end."""
    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
    mine = torch.arange(rank, len(x), workers)
    model = network()
    groups = groups_for(model, output="4", radii={"output": 10.0})
    for group in groups:
        if group["norm"] == "bias":
            group |= {"server_compressor": Identity(), "worker_compressor": Identity()}
    pair = {"server_compressor": server, "worker_compressor": worker, "contracts_in": "frobenius"}
    optimizer = EF21Muon(groups, LR, BETA, workers=workers, **pair)
    first = optimizer.sent
    draws = torch.Generator().manual_seed(rank)
    for k in range(steps):
        rows = mine[torch.randint(len(mine), (BATCH,), generator=draws)]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
        first = optimizer.sent if k == 0 else first
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(x), y).item()
    up = (optimizer.sent.total_up - first.total_up) / (steps - 1)
    down = (optimizer.sent.total_down - first.total_down) / (steps - 1)
    return {"up": up, "down": down, "loss": loss}


def work(rank: int, workers: int, steps: int, folder: str) -> None:
    """One process; it writes what it found for each pair."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=workers)
    found = {name: train(rank, workers, steps, *pair) for name, pair in PAIRS.items()}
    Path(folder, f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def measure(workers: int, steps: int) -> dict[str, dict[str, float]]:
    """Of each pair: bytes up and down in a step, of all processes together, and the loss."""
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (workers, steps, folder), nprocs=workers)  # pyright: ignore[reportPrivateImportUsage]
        ranks = [json.loads(Path(folder, f"{rank}.json").read_text()) for rank in range(workers)]
    totals = {}
    for name in PAIRS:
        sent = {way: sum(found[name][way] for found in ranks) for way in ("up", "down")}
        totals[name] = sent | {"loss": ranks[0][name]["loss"]}
    return totals


def rows_of(found: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """Bytes of a step, both ways; the ratio is the share of no compression."""
    rows = []
    for name, m in found.items():
        note = f"up {m['up']:.0f}, down {m['down']:.0f}, loss {m['loss']:.4f}"
        rows.append(
            Row("a step of EF21-Muon, 26122 numbers", name, "bytes", (m["up"] + m["down"],), True, note)
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--workers", type=int, default=2, help="processes, 2 or more")
    read.add_argument("--steps", type=int, default=200, help="steps of each run, 2 or more")
    options = read.parse_args(arguments)
    if options.workers < 2 or options.steps < 2:
        read.error("--workers and --steps must be 2 or more")
    machine = begin()
    found = measure(options.workers, options.steps)
    rows = rows_of(found)
    numbers = {"workers": options.workers, "steps": options.steps, "results": found}
    finish(options.json, machine, numbers, rows)


if __name__ == "__main__":
    main()
