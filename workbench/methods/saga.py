"""SAGA."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

from torch import Tensor

from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.draws import Space, Subset
from workbench.methods.base import Method, ones
from workbench.methods.stochastic_gradient import no_noise, no_steps
from workbench.methods.term_error import table_error
from workbench.quantity import Quantity


class Table(NamedTuple):
    """Iterate, (*batch, d); a gradient per term, (*batch, n, d); steps taken so far, int64 (*batch,)."""

    x: Tensor
    table: Tensor
    steps: Tensor


@dataclass(frozen=True)
class SAGA(Method):
    """x_next = x - stepsize (grad f_j(x) - t_j + mean_i t_i), then t_j = grad f_j(x); j uniform.

    The table t holds at first the gradients of the terms at x0. table_error: its distance from those at the
    minimiser, (mean_j |t_j - grad f_j(x_star)|^2)^(1/2).

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). ValueError otherwise.
    Source: Defazio, Bach and Lacoste-Julien (2014), arXiv:1407.0202.
    """

    stepsize: Number
    free: ClassVar[tuple[str, ...]] = ("x", "table")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "table_error": table_error(lambda r: r.state.table)
    }
    source: ClassVar[str] = "arXiv:1407.0202"

    def __post_init__(self) -> None:
        """Guard the stepsize."""
        require_positive(stepsize=self.stepsize)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms are sampled, not noise."""
        return no_noise(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The term, (*batch, 1)."""
        return {"j": Subset(problem.n_terms, 1)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Table:
        """The gradients of all terms at x0, (*batch, d), paid for by the first step."""
        del draw
        return Table(x0, problem.part_grads(x0), no_steps(x0))

    def step(self, problem: Problem, state: Table, draw: SimpleNamespace) -> Table:
        """state.x: (*batch, d)."""
        x, table = state.x, state.table
        row = draw.j.unsqueeze(-1).expand(*draw.j.shape, x.shape[-1])
        fresh = problem.batch_grad(x, draw.j)
        old = table.gather(-2, row).squeeze(-2)
        x_next = x - self.stepsize * (fresh - old + table.mean(dim=-2))
        return Table(x_next, table.scatter(-2, row, fresh.unsqueeze(-2)), state.steps + 1)

    def cost(self, problem: Problem, state: Table, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One gradient of a term; all of them for the table in step 0."""
        del draw
        return {"grad_calls": ones(state.x) + problem.n_terms * (state.steps == 0)}
