"""The stochastic gradient of a problem: a minibatch of its terms, or its gradient with noise."""

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from problems.base import Problem
from workbench.draws import NoiseDraw, Space, Subset


def require_minibatch(n: int, minibatch: int) -> None:
    """ValueError unless ``minibatch`` is an integer in 1..n, n the number of terms that it is drawn from."""
    if isinstance(minibatch, bool) or not isinstance(minibatch, int) or not 1 <= minibatch <= n:
        raise ValueError(f"minibatch must be an integer in 1..{n}, the terms of the sum, got {minibatch!r}")


def minibatch_draws(problem: Problem, minibatch: int) -> Mapping[str, Space]:
    """Indices ``j`` of terms, without replacement; nothing where all terms are taken. ValueError as above."""
    require_minibatch(problem.n_terms, minibatch)
    return {} if minibatch == problem.n_terms else {"j": Subset(problem.n_terms, minibatch)}


def gradient_draws(problem: Problem, minibatch: int) -> Mapping[str, Space]:
    """Draws of one stochastic gradient: of the noise of a problem that has one, else of its terms.

    minibatch: draws of the noise, an integer >= 1; or of terms, at most n_terms. ValueError otherwise.
    """
    if not problem.offers("noise"):
        return minibatch_draws(problem, minibatch)
    require_dimension(minibatch=minibatch)
    return {"noise": NoiseDraw(problem.noise, problem.d, minibatch)}  # pyright: ignore[reportAttributeAccessIssue]


def minibatch_grad(problem: Problem, x: Tensor, draw: SimpleNamespace) -> Tensor:
    """The mean gradient of the terms drawn by ``minibatch_draws``, grad f if all are. Shapes (*batch, d)."""
    return problem.batch_grad(x, draw.j) if hasattr(draw, "j") else problem.grad(x)


def stochastic_grad(problem: Problem, x: Tensor, draw: SimpleNamespace) -> Tensor:
    """What ``gradient_draws`` drew: the gradient plus the mean noise, or ``minibatch_grad``. (*batch, d)."""
    if not hasattr(draw, "noise"):
        return minibatch_grad(problem, x, draw)
    u = draw.noise
    noise = problem.noise.draw(u, x.unsqueeze(-2).expand(*u.shape[:-1], x.shape[-1]))  # pyright: ignore[reportAttributeAccessIssue]
    return problem.grad(x) + noise.mean(dim=-2)


def gradient_cost(problem: Problem, minibatch: int) -> int:
    """Gradients of terms that one stochastic gradient takes; one with noise is one of the whole sum."""
    return minibatch * (problem.n_terms if problem.offers("noise") else 1)


def grad_where(problem: Problem, x: Tensor, where: Tensor, otherwise: Tensor) -> Tensor:
    """grad f(x) in the rows where ``where``, else ``otherwise``; computed in those rows alone.

    x, otherwise: (*batch, d). where: bool, (*batch,). Returns (*batch, d).
    """
    if bool(where.all()):
        return problem.grad(x)
    if not bool(where.any()):
        return otherwise.clone()
    return otherwise.index_put((where,), problem.grad(x[where]))


def no_steps(x: Tensor) -> Tensor:
    """Steps taken so far, 0 at the start; int64 (*batch,). x: (*batch, d)."""
    return torch.zeros(x.shape[:-1], dtype=torch.int64, device=x.device)


def no_noise(problem: Problem) -> str:
    """Why a method that takes gradients of terms does not fit a problem; "" if it does."""
    return "its gradients come with noise, not as those of terms" if problem.offers("noise") else ""
