"""Steps of random methods as chains: the outcomes are those that the methods make."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from problems import Composite, Problem, Quadratic, QuadraticSum, WeightedL1
from workbench.methods import PAGE, SAGA, SGD, SPPM, LooplessSVRG, PointSAGA, ProxSkip
from workbench.methods.base import Method
from workbench.verify.enumeration import listed
from workbench.worst_case.step_chain import STEPS


class Term:
    """A term of a problem that plays ``Oracles`` on tensors."""

    def __init__(self, problem: Any, j: int) -> None:
        self.problem, self.j = problem, torch.tensor(j)

    def gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.problem.part_grad(x, self.j), self.problem.part_value(x, self.j)

    def prox(self, x: Tensor, stepsize: Any) -> tuple[Tensor, Tensor, Tensor]:
        y = self.problem.batch_prox(x, self.j[None], float(stepsize))
        return y, (x - y) / float(stepsize), self.problem.part_value(y, self.j)


class Part:
    """The smooth part (psi None) or the proximal part of a composite problem."""

    def __init__(self, smooth: Problem, psi: Any) -> None:
        self.smooth, self.psi = smooth, psi

    def gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.smooth.grad(x), self.smooth.value(x)

    def prox(self, x: Tensor, stepsize: Any) -> tuple[Tensor, Tensor, Tensor]:
        y = self.psi.prox(x, float(stepsize))
        return y, (x - y) / float(stepsize), self.psi.value(y)


ROUND = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -3.0)))
SMOOTH, PSI = Quadratic((1.0, 4.0), center=(2.0, 0.125), seed=None), WeightedL1((1.0, 1.0))
SPLIT = Composite(SMOOTH, None, (PSI,), (1.0, 0.0), ((1.0, 0.5),))
X, OTHER = torch.tensor([0.5, -1.0]).double(), torch.tensor([2.0, 0.25]).double()
TABLE = torch.tensor([[1.0, 0.5], [-2.0, 0.0], [0.25, 3.0]]).double()

METHODS: dict[str, tuple[Method, dict[str, Tensor]]] = {
    "sgd": (SGD(0.3, 2), {"x": X}),
    "sppm": (SPPM(0.3), {"x": X}),
    "saga": (SAGA(0.3), {"x": X, "table": TABLE}),
    "point-saga": (PointSAGA(0.3, 2), {"x": X, "G": TABLE}),
    "l-svrg": (LooplessSVRG(0.3, 0.25, 2), {"x": X, "snapshot": OTHER}),
    "page": (PAGE(0.3, 0.25, 2), {"x": X, "g": OTHER}),
    "proxskip": (ProxSkip(0.3, 0.25), {"x": X, "h": OTHER}),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_outcomes_are_those_of_the_method(name: str):
    method, fields = METHODS[name]
    problem = SPLIT if name == "proxskip" else ROUND
    terms = (
        [Part(SMOOTH, None), Part(SMOOTH, PSI)] if name == "proxskip" else [Term(ROUND, j) for j in range(3)]
    )
    draws, weights = listed(method.draws(problem))
    state = method.init(problem, X, SimpleNamespace())._replace(**fields)
    if name == "l-svrg":
        state = state._replace(full=problem.grad(fields["snapshot"]))
    whole = type(state)(*(part.expand(len(weights), *part.shape) for part in state))
    new = method.step(problem, whole, SimpleNamespace(**draws))
    theirs = [
        (p, *(getattr(new, f)[i].flatten().tolist() for f in fields)) for i, p in enumerate(weights.tolist())
    ]
    options = {n: getattr(method, n) for n in ("stepsize", "p", "minibatch") if hasattr(method, n)}
    split = {n: list(part) if part.dim() == 2 else part for n, part in fields.items()}
    ours = [
        (float(p), *(_flat(made[f]) for f in fields))
        for p, made in STEPS[type(method)](terms, split, options)
    ]
    assert len(ours) == len(theirs)
    for mine, its in zip(sorted(ours), sorted(theirs), strict=True):
        assert mine[0] == pytest.approx(its[0], abs=1e-15)
        for a, b in zip(mine[1:], its[1:], strict=True):
            assert a == pytest.approx(b, abs=1e-12)


def _flat(part: Any) -> list[float]:
    return torch.stack(part).flatten().tolist() if isinstance(part, list) else part.tolist()
