"""Polar factors: time and error of exact and of iterative ones, and of the routine in torch.optim.Muon.

    python benchmarks/orthogonalise.py [--quick] [--repeats N] [--threads N] [--json FILE]

Gaussian matrices in float32, a routine in its own working precision. The error is |O - U V'|_F / |U V'|_F
against a decomposition in float64; a and b are the worst of the batch in <M, O> >= a |M|_nuc, |O|_op <= b.
Times are wall-clock times of one call, after one that is not counted; the routines take turns. On a GPU,
where there is one, each call waits for the device. A routine of single matrices is looped over batches.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.broximal import hardware
from workbench.orthogonal import Exact, GramPolar, NewtonSchulz, PolarExpress

try:
    from torch.optim._muon import _zeropower_via_newtonschulz
except ImportError:  # not in every version of torch
    _zeropower_via_newtonschulz = None

Routine = Callable[[Tensor], Tensor]
SHAPES = ((64, 64), (256, 256), (768, 768), (768, 3072), (32, 64, 64))
QUICK = ((64, 64), (256, 256), (32, 16, 24))


class Measured(NamedTuple):
    """Seconds of each repeat; error, a and b as in the first lines of this file."""

    seconds: list[float]
    error: float
    a: float
    b: float


def routines() -> dict[str, Routine]:
    """By name; the precision is the working one."""
    found: dict[str, Routine] = {
        "SVD, float32": Exact(),
        "Gram eigenvalues, float64": GramPolar(),
        "Newton-Schulz 5, float32": NewtonSchulz(),
        "Newton-Schulz 5, bfloat16": NewtonSchulz(dtype="bfloat16"),
        "Polar Express 5, float32": PolarExpress(safety=1.02),
        "Polar Express 5, bfloat16": PolarExpress(safety=1.02, dtype="bfloat16"),
        "Polar Express 8, float32": PolarExpress(steps=8),
    }
    if _zeropower_via_newtonschulz is not None:
        found["torch.optim.Muon, bfloat16"] = looped
    return found


def looped(x: Tensor) -> Tensor:
    """The routine of torch with its defaults, one matrix at a time."""
    assert _zeropower_via_newtonschulz is not None
    matrices = x.reshape(-1, *x.shape[-2:]).unbind(0)
    factors = [_zeropower_via_newtonschulz(m, (3.4445, -4.775, 2.0315), 5, 1e-7) for m in matrices]
    return torch.stack(factors).reshape(x.shape)


def seconds_of(routine: Routine, x: Tensor) -> tuple[float, Tensor]:
    """One call, waited for."""
    wait = torch.cuda.synchronize if x.is_cuda else lambda: None
    wait()
    start = time.perf_counter()
    result = routine(x)
    wait()
    return time.perf_counter() - start, result


def measure(shape: tuple[int, ...], device: str, repeats: int) -> dict[str, Measured]:
    """Every routine on the same matrices."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    wide = x.double()
    exact, norm = Exact()(wide), torch.linalg.svdvals(wide).sum(dim=-1)
    x = x.to(device)
    seconds: dict[str, list[float]] = {name: [] for name in routines()}
    results: dict[str, Tensor] = {}
    for turn in range(repeats + 1):
        for name, routine in routines().items():
            took, result = seconds_of(routine, x)
            if turn > 0:
                seconds[name].append(took)
            results[name] = result
    found = {}
    for name, result in results.items():
        o = result.double().cpu()
        error = float((o - exact).norm() / exact.norm())
        a = float(((wide * o).sum(dim=(-2, -1)) / norm).min())
        found[name] = Measured(seconds[name], error, a, float(torch.linalg.svdvals(o).max()))
    return found


def report(results: dict[str, dict[str, Measured]]) -> str:
    """One table; how many times as long as the routine of torch, or as Newton-Schulz without it."""
    lines = []
    for title, found in results.items():
        lines += ["", f"{title:28}{'ms, median [range]':>32}{'ratio':>8}{'error':>10}{'a':>9}{'b':>9}"]
        names = list(found)
        base = statistics.median(found[names[-1] if "torch" in names[-1] else names[3]].seconds)
        for name, m in found.items():
            median, low, high = (1e3 * f(m.seconds) for f in (statistics.median, min, max))
            spread = f"{median:.3g} [{low:.3g}, {high:.3g}]"
            ratio = median / 1e3 / base
            lines.append(f"{name:28}{spread:>32}{ratio:8.2f}{m.error:10.1e}{m.a:9.4f}{m.b:9.4f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="small shapes, 3 repeats")
    parser.add_argument("--repeats", type=int, help="counted calls of each routine, 7 by default")
    parser.add_argument("--threads", type=int, default=1, help="threads of the CPU")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    options = parser.parse_args(arguments)
    repeats = options.repeats or (3 if options.quick else 7)
    gpu = torch.cuda.is_available()
    machine = hardware() | {"threads": str(options.threads)}
    machine |= {"gpu": torch.cuda.get_device_name() if gpu else "none"}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    results = {}
    for device in ("cpu", "cuda") if gpu else ("cpu",):
        for shape in QUICK if options.quick else SHAPES:
            title = f"{' x '.join(map(str, shape))} on {device}"
            results[title] = measure(shape, device, repeats)
    torch.set_num_threads(threads)
    print(report(results))
    if options.json:
        numbers = {c: {name: m._asdict() for name, m in found.items()} for c, found in results.items()}
        options.json.write_text(json.dumps({"hardware": machine, "results": numbers}, indent=2))


if __name__ == "__main__":
    main()
