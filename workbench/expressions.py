"""Evaluate a claim on recorded numbers: values, and sizes for rounding.

Arrays are ``(batch, K + 1, *axes)``: the step axis is 1, the named axes of ``_j`` and ``_i`` follow.
"""

import math
from collections.abc import Callable, Mapping

import sympy as sp
import torch
from sympy.logic.boolalg import Boolean, BooleanFalse, BooleanTrue
from torch import Tensor

from assumptions.base import EPS
from workbench.claims import Claim, Recurrence, axes_of, free_symbols
from workbench.operations import SUPPORTED, apply
from workbench.symbols import (
    OVER_CLIENTS,
    OVER_LAYERS,
    OVER_STEPS,
    avg,
    best,
    client_mean,
    first,
    layer_sum,
    product,
    total,
)

_ARITHMETIC = (sp.Add, sp.Mul, sp.Pow)
_AXES = {"i": "layer", "j": "client"}


def require_evaluable(side: Claim, axes: str = "") -> None:
    """ValueError, before any run, for what is not supported or an axis left over. axes: see ``Evaluator``."""
    names = {s.name for s in free_symbols(side)}
    ones = {n: torch.ones((1, 1) + (1,) * len(axes_of(n)), dtype=torch.float64) for n in names}
    Evaluator(ones, 1)(side, axes)


class Evaluator:
    """Values of an expression on recorded arrays.

    ``env`` maps symbol names to tensors (batch or 1, K + 1 or 1, *axes). With ``magnitude`` the
    numbers are sizes, not values: the expression with all signs made plus, so that
    ``eps * size`` bounds what rounding can do to it. ``unseen`` is the index of an event that did not
    happen within the run: inf, or K + 1 for the earliest that it can still be.
    """

    def __init__(
        self,
        env: Mapping[str, Tensor],
        steps: int,
        magnitude: Mapping[str, Tensor] | None = None,
        unseen: float = math.inf,
    ):
        self.env = env
        self.steps = steps
        self.sizes = magnitude
        self.unseen = unseen

    def __call__(self, side: Claim, axes: str = "") -> Tensor:
        """The side at every k, (batch or 1, K + 1 or 1, *axes).

        ``axes`` are those of a hyperparameter whose rule this is (``axes_of`` its name); a claim has none.
        """
        if isinstance(side, Recurrence):
            return self._recurrence(side)
        evaluate = self._value if self.sizes is None else self._size
        return evaluate(sp.sympify(side), axes)

    # -- values ---------------------------------------------------------------------------------

    def _look_up(self, name: str, axes: str, table: Mapping[str, Tensor]) -> Tensor:
        x = table[name]
        own = axes_of(name)
        if x.dim() != 2 + len(own):
            shape = ", ".join(["batch", "K + 1", *(f"{_AXES[a]}s" for a in own)])
            raise ValueError(
                f"{name} must have shape ({shape}), got {tuple(x.shape)}; "
                "names ending in _i have a layer axis, in _j a client axis, in _ji both"
            )
        if not set(own) <= set(axes):
            left = " and a ".join(_AXES[a] for a in own if a not in axes)
            raise ValueError(f"{name} has a {left} axis: reduce over it first")
        for position, axis in enumerate(axes):
            if axis not in own:
                x = x.unsqueeze(2 + position)
        return x

    def _value(self, e: sp.Basic, axes: str) -> Tensor:
        if isinstance(e, sp.Symbol):
            return self._look_up(e.name, axes, self.env)
        if isinstance(e, _ARITHMETIC) and not e.is_number:  # most of what is asked
            return apply(e, [self._value(a, axes) for a in e.args])
        if isinstance(e, BooleanTrue | BooleanFalse):
            return torch.full((1, 1) + (1,) * len(axes), bool(e))
        if e.is_number:
            return torch.full((1, 1) + (1,) * len(axes), float(e), dtype=torch.float64)  # pyright: ignore[reportArgumentType]
        if isinstance(e, OVER_STEPS):
            return self._over_steps(e, self._whole(self._value(e.args[0], axes)))
        if isinstance(e, OVER_LAYERS + OVER_CLIENTS):
            return self._over_axis(e, self._value, axes)
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e, [self._value(a.args[0], axes) for a in e.args], axes)
        if not isinstance(e, SUPPORTED):
            known = ", ".join(sorted(kind.__name__ for kind in SUPPORTED))
            raise ValueError(
                f"{type(e).__name__} in {e} is not supported in a claim; {known}, Piecewise "
                "and the reductions of workbench are"
            )
        return apply(e, [self._value(a, axes) for a in e.args])

    def _piecewise(self, e: sp.Piecewise, values: list[Tensor], axes: str) -> Tensor:
        result = values[-1].new_full((1, 1) + (1,) * len(axes), torch.nan)
        for value, pair in zip(reversed(values), reversed(e.args), strict=True):
            result = torch.where(self._value(pair.args[1], axes), value, result)
        return result

    def _over_axis(self, e: sp.Basic, inner: Callable[[sp.Basic, str], Tensor], axes: str) -> Tensor:
        """Reduce over layers (last) or clients (first); in a reduction over the same axis, a constant."""
        axis = "i" if isinstance(e, OVER_LAYERS) else "j"
        if not any(axis in axes_of(s.name) for s in e.args[0].free_symbols):  # pyright: ignore[reportAttributeAccessIssue]
            raise ValueError(f"nothing in {e} has a {_AXES[axis]} axis")
        others = axes.replace(axis, "")
        position = 2 if axis == "j" else -1
        x = inner(e.args[0], "j" + others if axis == "j" else others + "i")
        if isinstance(e, layer_sum):
            x = x.sum(position)
        elif isinstance(e, client_mean):
            x = x.mean(position)
        else:
            x = x.amax(position)
        return x.unsqueeze(position) if axis in axes else x

    def _whole(self, x: Tensor) -> Tensor:
        return x.expand(x.shape[0], self.steps + 1, *x.shape[2:])

    def _over_steps(self, e: sp.Basic, x: Tensor) -> Tensor:
        """Entry k reduces entries j < k; entry 0 is undefined (nan)."""
        along = (1, -1, *([1] * (x.dim() - 2)))
        if isinstance(e, first):
            index = torch.arange(self.steps + 1, dtype=torch.float64)
            return torch.where(x, index.reshape(along), self.unseen).amin(1, keepdim=True)
        past = x[:, :-1]
        count = torch.arange(1, self.steps + 1, dtype=x.dtype).reshape(along)
        if isinstance(e, total):
            reduced = past.cumsum(1)
        elif isinstance(e, avg):
            reduced = past.cumsum(1) / count
        elif isinstance(e, best):
            reduced = past.cummin(1).values
        else:
            reduced = past.cumprod(1)
        return torch.cat([torch.full_like(x[:, :1], torch.nan), reduced], 1)

    def _recurrence(self, r: Recurrence) -> Tensor:
        """The recursion's variables carry their sizes with them, if sizes are asked for."""
        batch = max([x.shape[0] for x in self.env.values()] or [1])
        now: dict[str, Tensor] = {}
        size: dict[str, Tensor] = {}
        rows = []
        for k in range(self.steps + 1):
            at = max(k - 1, 0)
            env = {**_entry(self.env, at), **now}
            rules = r.update if k else r.start
            if self.sizes is not None:
                sizes = Evaluator(env, 0, {**_entry(self.sizes, at), **size})
                size = {name: sizes(e).expand(batch, 1) for name, e in rules.items()}
            now = {name: Evaluator(env, 0)(e).expand(batch, 1) for name, e in rules.items()}
            rows.append(now[r.value] if self.sizes is None else size[r.value])
        return torch.cat(rows, 1)

    # -- sizes ----------------------------------------------------------------------------------

    def _size(self, e: sp.Basic, axes: str) -> Tensor:
        assert self.sizes is not None
        if isinstance(e, sp.Symbol):
            return self._look_up(e.name, axes, self.sizes)
        if isinstance(e, Boolean | first) or e.is_number:
            return self._value(e, axes).to(torch.float64).abs()
        if isinstance(e, product):
            factor = self._whole(self._value(e.args[0], axes)).abs()
            size = self._whole(self._size(e.args[0], axes))
            factor = torch.maximum(factor, EPS * size)
            reduced = factor[:, :-1].cumprod(1) * (1 + (size / factor)[:, :-1].cumsum(1))
            return torch.cat([torch.full_like(size[:, :1], torch.nan), reduced], 1)
        if isinstance(e, best):
            return self._size_of_best(e, axes)
        if isinstance(e, OVER_STEPS):
            return self._over_steps(e, self._whole(self._size(e.args[0], axes)))
        if isinstance(e, OVER_LAYERS + OVER_CLIENTS):
            return self._over_axis(e, self._size, axes)
        if isinstance(e, sp.Piecewise):
            return self._piecewise(e, [self._size(a.args[0], axes) for a in e.args], axes)
        if isinstance(e, sp.Pow):
            return self._size_of_power(e, axes)
        if isinstance(e, sp.Mul):
            return self._size_of_product(e, axes)
        if isinstance(e, sp.Add | sp.Max | sp.Min | sp.Abs):
            args = [self._size(a, axes) for a in e.args]
            larger = sp.Max(*e.args, evaluate=False) if isinstance(e, sp.Max | sp.Min) else e
            return apply(larger, args)
        value = self._value(e, axes).abs()
        inner = self._size(e.args[0], axes)
        if isinstance(e, sp.exp):
            return value * (1 + inner)
        if isinstance(e, sp.log):
            return value + inner / self._value(e.args[0], axes).abs()
        return value + inner

    def _size_of_best(self, e: sp.Basic, axes: str) -> Tensor:
        """The size of the entry that is the smallest: the smallest size may belong to another."""
        value, size = self._value(e.args[0], axes), self._size(e.args[0], axes)
        value, size = (self._whole(x) for x in torch.broadcast_tensors(value, size))
        chosen = size.gather(1, value[:, :-1].cummin(1).indices)
        return torch.cat([torch.full_like(size[:, :1], torch.nan), chosen], 1)

    def _size_of_product(self, e: sp.Mul, axes: str) -> Tensor:
        """What a factor's size exceeds its value by counts times the others.

        |prod v| + sum_i (size_i - |v_i|) prod_{j != i} |v_j|: the product of the sizes to first order.
        """
        values = [self._value(a, axes).abs() for a in e.args]
        total_size = apply(e, values)
        for i, a in enumerate(e.args):
            beyond = (self._size(a, axes) - values[i]).clamp(min=0)
            total_size = total_size + apply(e, [*values[:i], beyond, *values[i + 1 :]])
        return total_size

    def _size_of_power(self, e: sp.Pow, axes: str) -> Tensor:
        """Exponents count as exact; a quantity in one is moved by its resolution elsewhere."""
        base, exponent = e.args
        size = self._size(base, axes)
        if exponent.is_Integer and exponent.is_positive:
            return size ** int(exponent)  # pyright: ignore[reportArgumentType]
        value = self._value(base, axes).abs()
        power = self._value(exponent, axes)
        # the error of b^e is |b|^(e-1) |e| times that of b; near 0 a root turns an error t into t^e
        slope = value ** (power - 1) * size * power.abs()
        slope = torch.where(power == 0, 1.0, slope)
        root = (power > 0) & (power < 1)
        slope = torch.where(root, torch.minimum(slope, (EPS * size) ** power / EPS), slope)
        return torch.maximum(slope, value**power)


def _entry(table: Mapping[str, Tensor], k: int) -> dict[str, Tensor]:
    return {name: x[:, k : k + 1] if x.shape[1] > 1 else x for name, x in table.items()}
