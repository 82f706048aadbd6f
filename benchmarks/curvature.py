"""What a smoothness probe costs beside curvature: Hessian products and the largest eigenvalue by curvlinops.

    python -m benchmarks.curvature [--size 0.1M] [--rows 8] [--repeats 5] [--json FILE]

A GPT after a few steps of training, one batch. A probe measures L_seen of every layer in the norms of the
optimizer, from gradients at two points; its cost is the extra time of steps with it. The largest eigenvalue
of the Hessian is by SciPy's ``eigsh`` (relative tolerance 1e-3, one start vector), on products by the oracle
of the workbench and on those by curvlinops, which is left out where it is not installed. The two quantities
differ: an eigenvalue is Euclidean and at one point. CPU times, one thread.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.probe_overhead import Training, overheads
from benchmarks.report import Row, Turns, begin, finish, one_thread, parser, positive, take_turns, timed
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.networks import GPT_SIZES

PEER = "curvlinops"
Product = Callable[[np.ndarray], np.ndarray]


class TokenLoss(nn.CrossEntropyLoss):
    """Mean over all tokens of a batch."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Logits (rows, tokens, vocabulary) and tokens (rows, tokens)."""
        return super().forward(input.flatten(0, 1), target.flatten())


def own_product(training: Training) -> Product:
    """v -> H v by the oracle, both flat float32 arrays."""
    oracle = GradientOracle(training.task.model, training.task.loss)
    point = oracle.point()
    sizes, shapes = [p.numel() for p in point], [p.shape for p in point]

    def product(v: np.ndarray) -> np.ndarray:
        flat = torch.from_numpy(np.asarray(v, dtype=np.float32).reshape(-1))
        parts = [part.reshape(shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)]
        found = oracle.hvp(point, type(point)(parts), training.task.fixed)
        return torch.cat([part.detach().reshape(-1) for part in found]).numpy()

    return product


def peer_product(training: Training) -> Product:
    """The same by curvlinops; its check that the loss is deterministic is done here."""
    curvlinops = importlib.import_module(PEER)
    model = training.task.model
    parameters = [p for p in model.parameters() if p.requires_grad]
    made = curvlinops.HessianLinearOperator(model, TokenLoss(), parameters, [training.task.fixed])
    return made.to_scipy().matvec


def largest(product: Product, d: int) -> float:
    """Eigenvalue of largest modulus, from the same start vector for all."""
    start = np.random.default_rng(0).standard_normal(d).astype(np.float32)
    operator: Any = LinearOperator((d, d), matvec=product, dtype=np.dtype(np.float32))  # pyright: ignore
    options: dict[str, Any] = {"k": 1, "which": "LM", "tol": 1e-3, "v0": start}
    return float(eigsh(operator, return_eigenvectors=False, **options)[0])


def measure(training: Training, every: int, repeats: int) -> dict[str, Any]:
    """Seconds of a step, of a probe, and of each way to see curvature, with the eigenvalues found."""
    extra = overheads(training, "training", every, repeats)
    probe = [
        share * step * every for share, step in zip(extra["overhead"], extra["step_seconds"], strict=True)
    ]
    d = sum(p.numel() for p in training.task.model.parameters() if p.requires_grad)
    ours, v = own_product(training), np.random.default_rng(1).standard_normal(d).astype(np.float32)
    ways: dict[str, Callable[[], Any]] = {
        "workbench: one Hessian product": lambda: ours(v),
        "workbench: largest eigenvalue": lambda: largest(ours, d),
    }
    with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no second derivative
        if importlib.util.find_spec(PEER):
            peer = peer_product(training)
            ways |= {
                f"{PEER}: operator made and checked": lambda: peer_product(training),
                f"{PEER}: one Hessian product": lambda: peer(v),
                f"{PEER}: largest eigenvalue": lambda: largest(peer, d),
            }
        found = take_turns(ways, repeats)
    return {
        "parameters": d,
        "step": extra["step_seconds"],
        "probe": probe,
        "ways": {name: turns.seconds for name, turns in found.items()},
        "eigenvalues": {n: turns.result for n, turns in found.items() if n.endswith("eigenvalue")},
        "product_difference": difference(found),
    }


def difference(found: Mapping[str, Turns[Any]]) -> float | None:
    """|a - b| / |a| for the two products, None without the peer."""
    products = [turns.result for name, turns in found.items() if name.endswith("product")]
    if len(products) < 2:
        return None
    return float(np.linalg.norm(products[0] - products[1]) / np.linalg.norm(products[0]))


def rows_of(numbers: Mapping[str, Any], rows: int) -> list[Row]:
    """One setting; the first row is the probe."""
    setting = f"GPT, {numbers['parameters']} parameters, {rows} rows: curvature"
    found = [timed(setting, "probe, L_seen of all layers", numbers["probe"], headline=True)]
    found.append(timed(setting, "a training step", numbers["step"]))
    for name, seconds in numbers["ways"].items():
        value = numbers["eigenvalues"].get(name)
        note = "" if value is None else f"eigenvalue {value:.4g}"
        if name == f"{PEER}: one Hessian product":
            note = f"differs from the workbench's by {numbers['product_difference']:.1e}, relatively"
        found.append(timed(setting, name, seconds, headline=name.startswith(PEER), note=note))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    read = parser(__doc__)
    read.add_argument("--size", default="0.1M", choices=GPT_SIZES)
    read.add_argument("--rows", type=positive, default=8, help="windows in a batch")
    read.add_argument("--every", type=positive, default=10, help="steps between two probes")
    read.add_argument("--repeats", type=positive, default=5)
    options = read.parse_args(arguments)
    machine = begin("curvlinops-for-pytorch")
    with one_thread():
        training = Training(options.size, options.rows)
        training.block(5)
        numbers = measure(training, options.every, options.repeats)
    rows = rows_of(numbers, options.rows)
    finish(options.json, machine, numbers, rows)


if __name__ == "__main__":
    main()
