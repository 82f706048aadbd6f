"""Gradient and Hessian product of one number that torch has computed."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _WeightNorm
from torch.nn.utils.weight_norm import WeightNorm

Work = Callable[[Tensor, list[Tensor]], list[Tensor]]
"""(loss, parameters) -> what is wanted of them, without a graph."""

_NO_MEMORY = ("out of memory", "not enough memory", "DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED")


class NotTwiceDifferentiableError(RuntimeError):
    """A part of the loss has no second derivative in torch."""


def one_number(value: Any) -> Tensor:
    """What a loss returned, as a tensor without axes. TypeError, ValueError unless that is a number."""
    if not isinstance(value, Tensor):
        raise TypeError(f"loss must return a tensor with one number, got {value!r}")
    if value.numel() != 1:
        raise ValueError(
            f"loss must return one number, the mean over the rows, got shape {tuple(value.shape)}"
        )
    if not value.is_floating_point():
        raise TypeError(f"loss must return a real floating point number, got {value.dtype}")
    if not value.requires_grad:
        raise ValueError(
            "loss must depend on the parameters of the model it is given, through operations of torch that "
            "have gradients; got a number without one (from another model, under no_grad, or detached?)"
        )
    return value.reshape(())


def loss_and_gradient(value: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """The loss in float64, then its gradient, 0 for what it does not depend on."""
    grads = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
    return [value.detach().double(), *grads]


def hessian_product(value: Tensor, leaves: list[Tensor], v: Sequence[Tensor]) -> list[Tensor]:
    """Hessian times v. NotTwiceDifferentiableError if torch has no second derivative."""
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    # One that needs a gradient too: else a function that is differentiable once leaves no trace.
    one = torch.ones_like(value, requires_grad=True)
    try:
        grads = torch.autograd.grad(value, leaves, one, create_graph=True, **options)
        used = [(g, w.to(g)) for g, w in zip(grads, v, strict=True) if g.requires_grad]
        if not used:
            return [torch.zeros_like(leaf) for leaf in leaves]
        _require_no_stop([g for g, _ in used])
        return list(torch.autograd.grad([g for g, _ in used], leaves, [w for _, w in used], **options))
    except RuntimeError as error:
        if is_about_memory(error):
            raise
        raise NotTwiceDifferentiableError(
            f"the loss could not be differentiated twice, as Hessian products need: {error}"
        ) from error


def _require_no_stop(grads: Sequence[Tensor]) -> None:
    """RuntimeError where a function marked ``once_differentiable`` cuts the graph of the gradients.

    It leaves a node that raises when it is reached, but gradients of given tensors never go there.
    """
    seen: set[Any] = set()
    todo: list[Any] = [g.grad_fn for g in grads]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        if node.name() == "torch::autograd::Error":
            raise RuntimeError("a torch.autograd.Function in it is marked with @once_differentiable")
        seen.add(node)
        todo += [following for following, _ in node.next_functions]


def require_second_derivatives(model: nn.Module) -> None:
    """NotTwiceDifferentiableError for a module whose second derivative torch computes, and wrongly.

    That is weight normalisation, found false by torch.autograd.gradgradcheck in torch 2.13.
    """
    for path, part in model.named_modules():
        old = any(isinstance(hook, WeightNorm) for hook in part._forward_pre_hooks.values())
        if old or isinstance(part, _WeightNorm):
            raise NotTwiceDifferentiableError(
                f"{path!r} has weight normalisation, of which torch computes false second derivatives"
            )


def is_about_memory(error: RuntimeError) -> bool:
    """Whether torch found no memory, on any device."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(text in str(error) for text in _NO_MEMORY)
