"""Polar factors: time and error of exact and of iterative ones, and of the routine in torch.optim.Muon.

    python -m benchmarks.orthogonalise [--quick] [--repeats N] [--threads N] [--json FILE]

Gaussian matrices in float32, a routine in its own working precision. The error is |O - U V'|_F / |U V'|_F
against a decomposition in float64; a and b are the worst of the batch in <M, O> >= a |M|_nuc, |O|_op <= b.
Times are of one call, after one that is not counted, CPU times on one thread and wall-clock times otherwise;
the routines take turns. On a GPU, where there is one, each call waits for the device. A routine of single
matrices is looped over batches.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.report import Row, begin, finish, parser, positive, take_turns, timed
from workbench.orthogonal import Exact, GramPolar, NewtonSchulz, PolarExpress

try:
    from torch.optim._muon import _zeropower_via_newtonschulz
except ImportError:  # not in every version of torch
    _zeropower_via_newtonschulz = None

Routine = Callable[[Tensor], Tensor]
SHAPES = ((64, 64), (256, 256), (768, 768), (768, 3072), (32, 64, 64))
QUICK = ((64, 64), (256, 256), (32, 16, 24))
BASE = "Newton-Schulz 5, bfloat16"
"""What ratios refer to: the routine of torch does the same in the same precision."""


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


def waited(routine: Routine, x: Tensor) -> Tensor:
    """One call, waited for."""
    result = routine(x)
    if x.is_cuda:
        torch.cuda.synchronize()
    return result


def measure(
    shape: tuple[int, ...], device: str, repeats: int, clock: Callable[[], float] = time.process_time
) -> dict[str, Measured]:
    """Every routine on the same matrices."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    wide = x.double()
    exact, norm = Exact()(wide), torch.linalg.svdvals(wide).sum(dim=-1)
    x = x.to(device)
    calls = {name: partial(waited, routine, x) for name, routine in routines().items()}
    take_turns(calls, 1)
    found = {}
    for name, turns in take_turns(calls, repeats, clock=clock).items():
        o = turns.result.double().cpu()
        error = float((o - exact).norm() / exact.norm())
        a = float(((wide * o).sum(dim=(-2, -1)) / norm).min())
        found[name] = Measured(turns.seconds, error, a, float(torch.linalg.svdvals(o).max()))
    return found


def rows_of(results: Mapping[str, Any]) -> list[Row]:
    """A setting is a shape; ratios refer to Newton-Schulz in bfloat16."""
    rows = []
    for title, found in results.items():
        for name in sorted(found, key=lambda name: name != BASE):
            m, peer = found[name], name.startswith("torch.optim")
            note = f"error {m['error']:.1e}, a {m['a']:.4f}, b {m['b']:.4f}"
            headline = peer or name in (BASE, "SVD, float32")
            rows.append(timed(title, name, m["seconds"], headline=headline, note=note))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--quick", action="store_true", help="small shapes, 3 repeats")
    read.add_argument("--repeats", type=positive, help="counted calls of each routine, 7 by default")
    read.add_argument("--threads", type=positive, default=1, help="threads of the CPU")
    options = read.parse_args(arguments)
    repeats = options.repeats or (3 if options.quick else 7)
    gpu = torch.cuda.is_available()
    machine = begin(threads=str(options.threads), gpu=torch.cuda.get_device_name() if gpu else "none")
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    results = {}
    for device in ("cpu", "cuda") if gpu else ("cpu",):
        clock = time.process_time if (device, options.threads) == ("cpu", 1) else time.perf_counter
        for shape in QUICK if options.quick else SHAPES:
            found = measure(shape, device, repeats, clock)
            results[f"{' x '.join(map(str, shape))} on {device}"] = {
                name: m._asdict() for name, m in found.items()
            }
    torch.set_num_threads(threads)
    rows = rows_of(results)
    finish(options.json, machine, {"results": results}, rows)


if __name__ == "__main__":
    main()
