"""What theorems say of methods with error feedback: how far models and estimates lag behind."""

from collections.abc import Mapping

from torch import Tensor

from assumptions.layerwise.rounding import reach_i
from assumptions.rounding import ROUNDINGS, gradient_noise
from workbench.quantity import Quantity, Reading


def _rho(r: Reading) -> Tensor:
    layers = r.problem.layers
    rho = [norm.rho(size) for norm, size in zip(layers.norms, layers.sizes, strict=True)]
    return r.x.new_tensor(rho)


def _drift_error(r: Reading, value: Tensor) -> Tensor:
    """x and w are sums of the same numbers, each known to ``x_error``."""
    sizes = ROUNDINGS * r.problem.layers.norm_i(r.state.w)
    return ROUNDINGS * value + sizes + 2 * r.x_error[..., None] * r.x.new_tensor(reach_i(r.problem.layers))


def _mean_dual(r: Reading, vectors: Tensor) -> Tensor:
    """mean_j |v_j|_{i*}. vectors: (batch, K + 1, n, d). Returns (batch, K + 1, n_layers)."""
    return r.problem.layers.dual_i(vectors).mean(dim=-2)


def _lag_error(r: Reading, value: Tensor) -> Tensor:
    """Roundings of the vectors that are subtracted."""
    size = (r.state.m.norm(dim=-1) + r.state.g.norm(dim=-1)).mean(dim=-1, keepdim=True)
    return ROUNDINGS * (value + size * _rho(r))


def _stale(r: Reading) -> Tensor:
    return _mean_dual(r, r.problem.part_grads(r.state.w) - r.state.m)


def _stale_error(r: Reading, value: Tensor) -> Tensor:
    """The same, and rounding inside the gradients: of a term at most n times that of the mean."""
    noise = r.problem.n_terms * gradient_noise(r.problem, r.state.w)[..., None]
    size = (r.state.m.norm(dim=-1) + r.problem.part_grads(r.state.w).norm(dim=-1)).mean(dim=-1, keepdim=True)
    return ROUNDINGS * (value + size * _rho(r)) + 4 * noise * _rho(r)


def _lag(r: Reading) -> Tensor:
    return _mean_dual(r, r.state.g - r.state.m)


FEEDBACK_QUANTITIES: Mapping[str, Quantity] = {
    "drift_i": Quantity(
        "distance of the shared model from the iterate, in the norms of the layers",
        r"\|X_i^k - W_i^k\|_i",
        lambda r: r.problem.layers.norm_i(r.x - r.state.w),
        _drift_error,
        lambda r, _: r.problem.layers.norm_i(r.x),
        unit="x",
        nonnegative=True,
    ),
    "lag_i": Quantity(
        "how far what the server knows of the momenta is from them, in dual norms, the mean over the workers",
        r"\frac{1}{n} \sum_j \|G_{ij}^k - M_{ij}^k\|_{i*}",
        _lag,
        _lag_error,
        unit="f / x",
        nonnegative=True,
    ),
    "stale_i": Quantity(
        "how far the momenta are from the next gradients without noise, in dual norms; mean over the workers",
        r"\frac{1}{n} \sum_j \|\nabla_i f_j(W^k) - M_{ij}^k\|_{i*}",
        _stale,
        _stale_error,
        needs=("part_grads",),
        unit="f / x",
        nonnegative=True,
    ),
}
"""At step k: G and M are those of the last step, with gradients at the model before W."""
