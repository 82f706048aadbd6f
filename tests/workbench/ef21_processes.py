"""What the processes of the tests of ``workbench.optim.EF21Muon`` do; each writes what it saw to a file."""

import copy
import io
import math
import os
import signal
import time
import warnings
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from assumptions.column_norms import MaxRow
from assumptions.matrix_norms import Spectral
from workbench.compressors import Identity, L1Sign, Natural, RandK, RandomSkip, RankK, TopK
from workbench.optim import EF21Muon
from workbench.orthogonal import Exact

SHAPES = ((6, 5), (4, 3))
NORMS = (Spectral(6, 5, 0.5), MaxRow(4, 3))
RADII, BETA, STEPS, SEED = (0.05, 0.02), 0.7, 12, 3

CASES = {
    "none": (Identity(), Identity()),
    "top both ways": (TopK(4), TopK(3)),
    "top down": (TopK(2), Identity()),
    "rank": (TopK(4), RankK(1)),
    "rank down": (RankK(2), Identity()),
    "skip": (RandomSkip(0.5), RandomSkip(0.4)),
    "natural": (Identity(), Natural()),
    "random entries": (RandK(9), RandK(5)),
    "signs": (Natural(), L1Sign()),
}
"""C' of the server and C of the workers."""

FOUR = ("none", "top both ways", "rank", "skip")
"""Those for four processes."""


def terms(n):
    """Hessians, n of each layer, and linear parts, (n, d)."""
    generator = torch.Generator().manual_seed(11)
    hessians = []
    for m, _ in SHAPES:
        roots = torch.randn(n, m, m, dtype=torch.float64, generator=generator)
        hessians.append(roots @ roots.mT / m)
    d = sum(m * k for m, k in SHAPES)
    return hessians, 3 * torch.randn(n, d, dtype=torch.float64, generator=generator)


def start():
    """x0, (d,)."""
    d = sum(m * k for m, k in SHAPES)
    return 2 * torch.randn(d, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


def join(rank, n, folder, seconds=60):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=n,
        timeout=timedelta(seconds=seconds),
    )


def parameters(x=None):
    parts = (start() if x is None else x).split([m * k for m, k in SHAPES])
    return [nn.Parameter(part.reshape(shape).clone()) for part, shape in zip(parts, SHAPES, strict=True)]


def make(params, server, worker, **options):
    groups = [
        {"params": [(f"layer {i}", p)], "norm": NORMS[i], "radius": RADII[i]} for i, p in enumerate(params)
    ]
    given = {"lr": 1.0, "beta": BETA, "orthogonaliser": Exact(), "seed": SEED, "contracts_in": "frobenius"}
    return EF21Muon(groups, server_compressor=server, worker_compressor=worker, **{**given, **options})


def set_gradients(params, rank, n):
    """Those of term ``rank``."""
    hessians, linear = terms(n)
    parts = linear[rank].split([p.numel() for p in params])
    for p, q, b in zip(params, hessians, parts, strict=True):
        p.grad = q[rank] @ p.detach() - b.reshape(p.shape)


def flat(params):
    return torch.cat([p.detach().flatten() for p in params])


def walk(optimizer, params, rank, n, steps):
    """Points, (steps, d), and the traffic of each step."""
    points, sent, received = [], [], []
    for _ in range(steps):
        set_gradients(params, rank, n)
        optimizer.step()
        points.append(flat(params))
        sent.append(optimizer.sent)
        received.append(optimizer.received)
    return {"x": torch.stack(points), "sent": sent, "received": received}


def run_cases(rank, n, names):
    found = {}
    for name in names:
        params = parameters()
        found[name] = walk(make(params, *CASES[name], workers=n), params, rank, n, STEPS)
    return found


def resumed(rank, n):
    """Half of the steps, all saved and read again into new objects with other options, and the other half."""
    params = parameters()
    optimizer = make(params, TopK(4), RandomSkip(0.4))
    first = walk(optimizer, params, rank, n, STEPS // 2)
    file = io.BytesIO()
    torch.save((flat(params), optimizer.state_dict()), file)
    file.seek(0)
    x, saved = torch.load(file, weights_only=True)
    params = parameters(x)
    optimizer = make(params, Identity(), Identity(), seed=0, beta=0.0)
    optimizer.load_state_dict(saved)
    second = walk(optimizer, params, rank, n, STEPS - STEPS // 2)
    return torch.cat([first["x"], second["x"]]), saved


def said(action):
    """The type and text of what it raises."""
    try:
        action()
    except Exception as error:
        return type(error).__name__, str(error)
    return None


def refusals(rank, n, bad):
    """Errors of all ranks for a mistake of rank ``bad``, and whether all stayed as it was."""
    params = parameters()
    optimizer = make(params, TopK(4), TopK(3))
    walk(optimizer, params, rank, n, 2)
    before = copy.deepcopy((flat(params), optimizer.state_dict()))
    found = {}

    def attempt(name, spoil, action=optimizer.step, who=(bad,)):
        set_gradients(params, rank, n)
        if rank in who:
            spoil()
        found[name] = said(action)

    def put(value):
        params[1].grad[2, 1] = value

    attempt("nan", lambda: put(math.nan))
    attempt("inf", lambda: put(-math.inf))
    attempt("server", lambda: put(math.nan), who=(0,))
    attempt("all", lambda: put(math.nan if rank else math.inf), who=range(n))
    attempt("no gradient", lambda: setattr(params[0], "grad", None))
    attempt("radius", lambda: optimizer.param_groups[0].update(radius=-1.0))
    optimizer.param_groups[0]["radius"] = RADII[0]
    failing = {bad: lambda: 1 / 0}
    attempt("closure", lambda: None, lambda: optimizer.step(failing.get(rank, lambda: 0.0)))
    saved = optimizer.state_dict()
    wrong = {**saved, "worker": {**saved["worker"], "rank": n}}
    attempt("state", lambda: None, lambda: optimizer.load_state_dict(wrong if rank == bad else saved))
    late = {**saved, "worker": {**saved["worker"], "steps": 7}}
    attempt("late", lambda: None, lambda: optimizer.load_state_dict(late if rank == bad else saved))
    after = flat(params), optimizer.state_dict()
    found["unchanged"] = torch.equal(before[0], after[0]) and str(before[1]) == str(after[1])
    found["goes on"] = walk(optimizer, params, rank, n, STEPS - 2)["x"][-1]
    other = parameters()
    other[1].data[3, 2] += 1e-15 * (rank == bad)
    found["start"] = said(lambda: make(other, TopK(4), TopK(3)))
    found["options"] = said(lambda: make(parameters(), TopK(4), TopK(3 + (rank == bad))))
    found["workers"] = said(lambda: make(parameters(), TopK(4), TopK(3), workers=n + 1))
    found["one workers"] = said(lambda: make(parameters(), TopK(4), TopK(3), workers=n + (rank == bad)))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        make(parameters(), RankK(1), Identity(), contracts_in="layers")
    found["warned"] = [(w.category.__name__, str(w.message), Path(w.filename).name) for w in told]
    return found


def two(rank, folder):
    """All cases, a resumed run, and mistakes of rank 1."""
    join(rank, 2, folder)
    found = {"cases": run_cases(rank, 2, CASES), "resumed": resumed(rank, 2), "bad": refusals(rank, 2, 1)}
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def four(rank, folder):
    """Some cases, and mistakes of rank 2."""
    join(rank, 4, folder)
    torch.save({"cases": run_cases(rank, 4, FOUR), "bad": refusals(rank, 4, 2)}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def dying(rank, n, folder, victim, how):
    """The victim dies, or sleeps, before its third step; the others write what they are told, and when."""
    join(rank, n, folder, seconds=3)
    params = parameters()
    optimizer = make(params, TopK(4), TopK(3))
    walk(optimizer, params, rank, n, 2)
    before = flat(params)
    if rank == victim:
        if how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(12)
        os._exit(0)
    set_gradients(params, rank, n)
    began = time.monotonic()
    error = said(optimizer.step)
    took = time.monotonic() - began
    torch.save((error, took, torch.equal(before, flat(params))), f"{folder}/{rank}.pt")
    os._exit(0)
