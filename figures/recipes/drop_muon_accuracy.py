"""Drop-Muon on a network: training accuracy over steps, and over the multiplications that they cost."""

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from figures.drawing import band
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import key, over_cost
from figures.recipes.drop_muon_cost import progressive
from figures.style import looks
from workbench.layer_laws import LayerLaw
from workbench.optim import DropMuon
from workbench.probes.batches import moved
from workbench.probes.tasks import Task, cnn_task, mlp_task
from workbench.probes.tasks.images import HeldOutImages
from workbench.probes.training.optimizers import make_optimizer

DEPTHS = (0.0, 0.5, 1.0)
"""Of the laws p_i = (i / b)^depth: layer i of b is updated with that probability; at 0 all are, always."""
POINTS = 41
"""Of the axis of costs, from 0 to the budget."""


class Setting(NamedTuple):
    """steps: of all layers, whose cost is the budget of each run. rates: of which the best counts."""

    network: str
    steps: int
    rates: tuple[float, ...]
    replicates: int


QUICK, FULL = Setting("mlp", 25, (0.02, 0.04), 3), Setting("cnn", 150, (0.015, 0.03, 0.06), 5)


Prices = dict[tuple[int, ...], float]
"""Layers that a step moves -> multiplications."""


class Run(NamedTuple):
    """cost: (n + 1,) multiplications until each step. accuracy: (n + 1,) on fixed rows to train on."""

    cost: NDArray[np.float64]
    accuracy: NDArray[np.float64]


class DropMuonAccuracy(Recipe):
    """Drop-Muon on a network: accuracy over steps and over cost, for laws that choose the layers."""

    name = "drop-muon-accuracy"
    paper = "arXiv:2510.02239"
    status = "re-derived"
    see = (
        "A step of some of the layers gains less than one of all of them, and costs less: counted in "
        "multiplications, the laws are closer than in steps."
    )
    panels = (1, 2)
    ratio = 0.9

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Every law with the same budget of multiplications, and the best of its rates.

        Quick: a perceptron with three hidden layers on digits. full: a convolutional network on the images
        that are there. Cost: multiplications of forward passes, of backward ones down to the first chosen
        layer, and of the orthogonalisation, as torch counts them.
        """
        setting = FULL if full else QUICK
        task = task_of(setting.network, seed)
        blocks = n_blocks(task)
        grid = np.linspace(0, setting.steps * whole_cost(setting, blocks, seed), POINTS)
        tables, rates = {"cost": table(grid)}, []
        for i, depth in enumerate(DEPTHS):
            rate, runs = best_of(setting, progressive(depth, blocks), grid, seed)
            shortest = min(len(run.accuracy) for run in runs)
            per_step = [run.cost[-1] / (len(run.cost) - 1) for run in runs]
            tables[f"accuracy{i}"] = table([run.accuracy[:shortest] for run in runs])
            tables[f"paid{i}"] = np.concatenate([paid(run, grid) for run in runs])
            tables[f"step_cost{i}"] = table([np.mean(per_step)])
            rates.append(rate)
        said = ("task", "data", "widths", "rows", "fixed_rows", "parameters")
        facts = {
            **{"depths": list(DEPTHS), "rates": rates, "swept": list(setting.rates), "blocks": blocks},
            **{name: task.about[name] for name in said},
        }
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Medians and bands over the replicates: left over steps, right over cost."""
        left, right = figure.subplots(1, 2, sharey=True)
        unit = 1e9
        for i, (depth, look) in enumerate(zip(numbers.facts["depths"], looks(len(DEPTHS)), strict=True)):
            power = {1.0: "i/b", 0.5: r"\sqrt{i/b}"}.get(depth, f"(i/b)^{{{depth:g}}}")
            name = "all layers" if depth == 0 else f"$p_i = {power}$"
            rows = numbers[f"accuracy{i}"]
            band(left, np.arange(rows.shape[1]), rows, look, name)
            band(right, numbers["cost"] / unit, numbers[f"paid{i}"], look, name)
        left.set(xlabel="step $k$", ylabel="training accuracy", ylim=(0, 1.02))
        right.set(xlabel="multiplications ($10^9$)", ylabel="training accuracy")
        for ax in (left, right):
            key(ax, ncols=3, handlelength=1.4)


def task_of(network: str, seed: int) -> Task:
    """The network and its data; small ones in float64."""
    if network == "cnn":
        return cnn_task(seed)
    task = mlp_task(seed, size=(64,) * 3, rows=256, fixed_rows=512)
    task.model.double()
    return task


def n_blocks(task: Task) -> int:
    """Layers of Drop-Muon."""
    return len({group["layer"] for group in make_optimizer("drop-muon", task).param_groups})


def whole_cost(setting: Setting, blocks: int, seed: int) -> float:
    """Multiplications of a step of all layers."""
    return float(trained(setting.network, progressive(0.0, blocks), setting.rates[0], 1.0, seed).cost[-1])


def best_of(setting: Setting, law: LayerLaw, grid: NDArray[np.float64], seed: int) -> tuple[float, list[Run]]:
    """The rate with the best accuracy, a mean over costs and replicates, and its runs."""
    prices: Prices = {}
    swept = [
        [trained(setting.network, law, rate, grid[-1], seed + r, prices) for r in range(setting.replicates)]
        for rate in setting.rates
    ]
    chosen = int(np.argmax([np.mean([paid(run, grid) for run in runs]) for runs in swept]))
    return setting.rates[chosen], swept[chosen]


def paid(run: Run, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Accuracy of the last step that each cost pays for, (1, points)."""
    return over_cost(run.cost[None], run.accuracy[None], grid)


def trained(
    network: str, law: LayerLaw, rate: float, budget: float, seed: int, prices: Prices | None = None
) -> Run:
    """Steps until they have cost the budget; gradients of the drawn layers alone are computed.

    prices: of sets of layers, as far as they were counted before.
    """
    prices = {} if prices is None else prices
    task = task_of(network, seed)
    groups = make_optimizer("drop-muon", task, rate).param_groups
    optimizer = DropMuon(groups, law, rate, seed=seed)
    right = HeldOutImages(task.fixed)
    cost, accuracy = [0.0], [right(task.model)["accuracy"]]
    task.model.train()
    while cost[-1] < budget:
        layers = optimizer.next_layers()
        if layers in prices:
            _step(task, optimizer, len(cost) - 1)
        else:
            with FlopCounterMode(display=False) as counter:
                _step(task, optimizer, len(cost) - 1)
            prices[layers] = counter.get_total_flops() / 2
        cost.append(cost[-1] + prices[layers])
        accuracy.append(right(task.model)["accuracy"])
    return Run(table(cost), table(accuracy))


def _step(task: Task, optimizer: DropMuon, k: int) -> None:
    """One step on batch k."""
    optimizer.zero_grad()
    drawn = optimizer.chosen()
    parameters = [p for p in task.model.parameters() if p.requires_grad and drawn(p)]
    batch = moved(task.batch(k), parameters[0].device, parameters[0].dtype)
    gradients = torch.autograd.grad(task.loss(task.model, batch), parameters)
    for p, gradient in zip(parameters, gradients, strict=True):
        p.grad = gradient
    optimizer.step()
