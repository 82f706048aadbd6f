"""A memory of walks changes nothing but the time: same runs, other hyperparameters never mixed up."""

import dataclasses

import pytest
import torch

from assumptions import Lp
from problems import Huber, WeightedL1
from workbench import run
from workbench.methods import BPM, GradientDescent, Subgradient
from workbench.walk import Memory

L1 = WeightedL1((1.0, 0.3), start=(4.0, -3.0))


@dataclasses.dataclass(frozen=True)
class Counting(WeightedL1):
    """Counts its ball steps."""

    def _ball_step(self, x, t, norm):
        CALLS.append(x.shape)
        return super()._ball_step(x, t, norm)


CALLS: list = []


def test_a_walk_is_made_once():
    problem, memory = Counting((1.0, 0.3), start=(4.0, -3.0)), Memory()
    CALLS.clear()
    first = run(BPM(0.5), problem, steps=5, record=("gap",), memory=memory)
    second = run(BPM(0.5), problem, steps=5, record=("dist", "moved"), memory=memory)
    assert len(CALLS) == 5
    assert torch.equal(run(BPM(0.5), problem, steps=5)["dist"], second["dist"])
    assert first.costs["prox_calls"].tolist() == second.costs["prox_calls"].tolist()


@pytest.mark.parametrize(
    ("method", "problem", "options"),
    [
        (BPM(0.4), L1, {}),
        (BPM(torch.tensor([[0.5]]).double()), L1, {}),
        (BPM(0.5, Lp(1.0)), L1, {}),
        (Subgradient(0.5), L1, {}),
        (BPM(0.5), WeightedL1((1.0, 0.4), start=(4.0, -3.0)), {}),
        (BPM(0.5), L1, {"steps": 6}),
        (BPM(0.5), L1, {"x0": torch.tensor([4.0, -2.0]).double()}),
        (BPM(0.5), L1, {"replicates": 2}),
        (BPM(0.5), L1, {"schedule": {"radius": lambda k: 0.5 / (k + 1)}}),
        (GradientDescent(0.5), Huber(), {}),
    ],
    ids=["radius", "column", "norm", "method", "problem", "steps", "start", "rows", "rule", "both"],
)
def test_what_differs_is_not_remembered(method, problem, options):
    memory = Memory()
    run(BPM(0.5), L1, steps=5, memory=memory)
    options = {"steps": 5, "keep_state": True, **options}
    found = run(method, problem, memory=memory, **options)
    alone = run(method, problem, **options)
    assert torch.equal(found.x, alone.x)
    assert found.costs.keys() == alone.costs.keys()


def test_the_oldest_walks_go_first():
    problem, memory = Counting((1.0, 0.3), start=(4.0, -3.0)), Memory(limit=1)
    CALLS.clear()
    for radius in (0.5, 0.25, 0.25, 0.5):
        run(BPM(radius), problem, steps=5, memory=memory)
    assert len(CALLS) == 15
