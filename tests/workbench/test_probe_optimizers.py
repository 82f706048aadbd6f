"""Optimizers of tasks: every one trains, on all that needs a gradient."""

import pytest

from workbench.probes.networks import GPTSize
from workbench.probes.tasks import TASKS, Task
from workbench.probes.training.optimizers import OPTIMIZERS, blocks, make_optimizer

SMALL = {
    "gpt": {"size": GPTSize(2, 2, 16, 16), "data": "pydoc", "rows": 8, "fixed_rows": 6},
    "cnn": {"size": (4, 6), "data": "digits", "rows": 8, "fixed_rows": 20},
    "mlp": {"size": (16,), "rows": 16, "fixed_rows": 20},
}


def made(kind: str, **changed) -> Task:
    return TASKS[kind](0, **(SMALL[kind] | changed))


def trained(task: Task, name: str, steps: int) -> tuple[float, float]:
    """Loss at the probe rows before and after."""
    optimizer = make_optimizer(name, task)
    losses = [float(task.loss(task.model, task.fixed).detach())]
    for step in range(steps):
        optimizer.zero_grad()
        task.loss(task.model, task.batch(step)).backward()
        optimizer.step()
    losses.append(float(task.loss(task.model, task.fixed).detach()))
    return losses[0], losses[1]


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_trains_the_perceptron(name: str):
    task = TASKS["mlp"]()
    before, after = trained(task, name, 80)
    assert after < before / 3
    assert task.evaluate(task.model)["accuracy"] > 0.8


@pytest.mark.parametrize("kind", ["gpt", "cnn"])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_lowers_the_loss_of_the_other_networks(kind: str, name: str):
    task = made(kind)
    before, after = trained(task, name, 10)
    assert after < before


def test_blocks_are_numbered_in_the_order_of_the_network():
    task = made("gpt", tied=False, gains=True)
    found = blocks([name for name, _ in task.model.named_parameters()])
    assert (found["wte.weight"], found["norm.weight"], found["head.weight"]) == (0, 3, 4)
    assert {found[name] for name in found if name.startswith("h.1.")} == {2}
    optimizer = make_optimizer("drop-muon", task, seed=5)
    layers = {id(p): group["layer"] for group in optimizer.param_groups for p in group["params"]}
    assert {name: layers[id(p)] for name, p in task.model.named_parameters()} == found


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_optimizers_have_what_needs_a_gradient_and_their_rate(name: str):
    task = made("cnn")
    optimizer = make_optimizer(name, task, lr=0.125)
    assert {group["lr"] for group in optimizer.param_groups} == {0.125}
    given = [p for group in optimizer.param_groups for p in group["params"]]
    assert {id(p) for p in given} == {id(p) for p in task.model.parameters() if p.requires_grad}
    assert {group["lr"] for group in make_optimizer(name, task).param_groups} == {task.rates[name]}


def test_optimizers_that_do_not_fit_are_refused():
    task = made("mlp")
    with pytest.raises(
        ValueError, match="optimizer must be one of scion, muon, gluon, drop-muon, adamw, sgd"
    ):
        make_optimizer("lion", task)
    with pytest.raises(ValueError, match="lr must be finite and > 0, got 0"):
        make_optimizer("sgd", task, lr=0)
    with pytest.raises(ValueError, match="seed must be an integer"):
        make_optimizer("drop-muon", task, seed=0.5)
    rated = Task(**{**vars(task), "rates": {"sgd": 0.1}})
    with pytest.raises(ValueError, match=r"task 'mlp' has no rate for 'adamw', only for \['sgd'\]"):
        make_optimizer("adamw", rated)
