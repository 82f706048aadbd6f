"""EF21-Muon: the gradient norm over steps and over the bits that are sent, with several compressors."""

import math

import numpy as np
import torch
from matplotlib.figure import Figure

from figures.drawing import curve
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import first_below, key
from figures.style import looks
from problems.matrix_sum import MatrixSum
from workbench import run
from workbench.compressors import Compressor, Identity, Natural, RandomSkip, RankK, TopK
from workbench.methods.ef21_muon import EF21Muon

COMPRESSORS: dict[str, Compressor] = {
    "identity": Identity(),
    "natural": Natural(),
    "rank 1": RankK(1),
    "top 8": TopK(8),
    "skip": RandomSkip(0.25),
}
"""Each in both directions, layer by layer; skip sends a whole layer with probability 1/4."""
WORKERS = 4
SHAPES = ((8, 8), (8, 12))
SCALES = (0.125, 0.25, 0.5)
"""Radii are scale / sqrt(k + 1); each compressor has the one that reaches ``LEVEL`` first."""
LEVEL = 0.1
"""Of the first gradient norm, at which bits are compared."""


class EF21MuonBytes(Recipe):
    """EF21-Muon: least gradient norm so far, over steps and over the bits sent both ways."""

    name = "ef21-muon-bytes"
    paper = "arXiv:2510.00643"
    status = "re-derived"
    see = (
        "In steps nothing beats sending everything; in bytes the natural compressor and the eight largest "
        "entries reach a tenth of the first gradient norm with less."
    )
    panels = (1, 2)
    ratio = 0.85

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Runs without noise, the scale of the radii tuned for each compressor; medians of random ones."""
        steps, repeats = (2000, 16) if full else (100, 4)
        problem = workers(seed)
        tables: dict[str, np.ndarray] = {"step": table(range(steps + 1))}
        chosen = []
        for i, compressor in enumerate(COMPRESSORS.values()):
            bits, norms, scale = tuned(compressor, problem, steps, repeats, seed)
            tables |= {f"bits{i}": bits, f"norm{i}": norms}
            chosen.append(scale)
        facts = {"names": list(COMPRESSORS), "scales": chosen, "workers": WORKERS, "level": LEVEL}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: over steps. Right: over bits; a grey line at the level."""
        left, right = figure.subplots(1, 2, sharey=True)
        names = numbers.facts["names"]
        for i, (name, look) in enumerate(zip(names, looks(len(names)), strict=True)):
            norm = numbers[f"norm{i}"]
            curve(left, numbers["step"], norm, look, name)
            curve(right, numbers[f"bits{i}"] / 8e3, norm, look)
        for ax in (left, right):
            ax.axhline(numbers.facts["level"], color="0.6", linewidth=0.6, zorder=0)
            ax.set(yscale="log")
            if ax.get_subplotspec().is_first_col():
                ax.set_ylabel(r"least $\sum_i\, g_i$ / first")
        left.set(xlabel="step $k$")
        right.set(xscale="log", xlabel="kilobytes sent")
        key(left, ncols=3)


def workers(seed: int) -> MatrixSum:
    """Quadratics of two matrices, one for each worker, which disagree: random Hessians and linear terms."""
    generator = torch.Generator().manual_seed(seed)
    d = sum(m * n for m, n in SHAPES)
    hessians = tuple(tuple(_hessian(m, generator) for _ in range(WORKERS)) for m, _ in SHAPES)
    linear = torch.randn(WORKERS, d, dtype=torch.float64, generator=generator)
    return MatrixSum(
        hessians,
        tuple(n for _, n in SHAPES),
        linear=tuple(map(tuple, linear.tolist())),
        start=(0.0,) * d,
    )


def _hessian(m: int, generator: torch.Generator) -> tuple[tuple[float, ...], ...]:
    """Symmetric, positive definite, of size about 1; few binary digits, so exactly symmetric."""
    a = torch.randn(m, m, dtype=torch.float64, generator=generator) / math.sqrt(m)
    q = a @ a.T + 0.05 * torch.eye(m, dtype=torch.float64)
    return tuple(map(tuple, ((q + q.T) * 512).round().div(1024).tolist()))


def tuned(
    compressor: Compressor, problem: MatrixSum, steps: int, repeats: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Bits until each step, least sum_i g_i so far over the first, both (steps + 1,); the best scale."""
    scales = torch.tensor(SCALES, dtype=torch.float64).repeat_interleave(repeats)
    shape = len(scales), steps + 1, len(SHAPES)
    radii = (scales[:, None] / torch.arange(1, steps + 2, dtype=torch.float64).sqrt())[..., None].expand(
        shape
    )
    method = EF21Muon(1.0, 0.0, compressor, compressor, "frobenius")
    trace = run(
        method,
        problem,
        steps=steps,
        replicates=len(scales),
        seed=seed,
        record=("gradnorm_i",),
        schedule={"radius_i": radii},
    )
    sums = trace["gradnorm_i"].sum(-1)
    least = (sums / sums[:, :1]).cummin(1).values.reshape(len(SCALES), repeats, -1).median(1).values
    # the first to reach the level, else the lowest in the end
    reached = first_below(least.numpy(), LEVEL)
    best = int(reached.argmin()) if np.isfinite(reached).any() else int(least[:, -1].argmin())
    bits = trace.costs["bits"].reshape(len(SCALES), repeats, -1)[best].mean(0)
    return table(bits), table(least[best]), SCALES[best]


def bits_to(numbers: Numbers, level: float) -> dict[str, float]:
    """By compressor, the bits until the gradient norm is at most ``level`` of the first; inf if never."""
    found = {}
    for i, name in enumerate(numbers.facts["names"]):
        at = first_below(numbers[f"norm{i}"], level)
        found[name] = float(numbers[f"bits{i}"][int(at)]) if np.isfinite(at) else math.inf
    return found
