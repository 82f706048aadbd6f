"""Quantities made of derivatives, bounded from above on boxes to second order in their sides."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from flint import arb

from assumptions import Norm
from problems.symbolic.ball_arithmetic import INF, above, below, size
from problems.symbolic.derivatives import Cell, Derivatives, Tensors
from problems.symbolic.tensor_norms import direction, inner, largest_eigenvalue, tensor_norm


class Model(NamedTuple):
    """A convex function of the tensors that is >= q everywhere and equal to q at the centre.

    growth(e): a bound of value(A + E) - value(A) over all A, where no entry of E exceeds that of e.
    """

    value: Callable[[Tensors], arb]
    growth: Callable[[Tensors], arb]


class Quantity(Protocol):
    """q(x), a function of the derivatives of the given orders at x."""

    @property
    def orders(self) -> tuple[int, ...]:
        """Orders of the derivatives that q reads."""
        ...

    def value(self, tensors: Tensors) -> arb:
        """A ball around q for every point of the balls."""
        ...

    def model(self, centre: Tensors) -> Model:
        """The convex model at a point."""
        ...


@dataclass(frozen=True)
class Value:
    """sign times f."""

    sign: int
    orders: tuple[int, ...] = (0,)

    def value(self, tensors: Tensors) -> arb:
        """Linear."""
        return self.sign * tensors[0][0]

    def model(self, centre: Tensors) -> Model:
        """Itself."""
        del centre
        return Model(self.value, lambda e: e[0][0])


@dataclass(frozen=True)
class TensorNorm:
    """The norm of the derivative of an order, 1 to 3."""

    order: int
    norm: Norm

    @property
    def orders(self) -> tuple[int, ...]:
        """The one."""
        return (self.order,)

    def value(self, tensors: Tensors) -> arb:
        """A norm of the tensor; of larger entries it is larger."""
        return tensor_norm(tensors[0], self.order, self.norm)

    def model(self, centre: Tensors) -> Model:
        """Itself: a norm is convex, and at most the norm of the entries' absolute values."""
        del centre
        return Model(self.value, self.value)


@dataclass(frozen=True)
class Curvature:
    """sign times the smallest (-1) or largest (1) eigenvalue of the Hessian, over scale^2."""

    sign: int
    scale: float = 1.0
    orders: tuple[int, ...] = (2,)

    def value(self, tensors: Tensors) -> arb:
        """The largest eigenvalue of sign times H."""
        return largest_eigenvalue([self.sign * h for h in tensors[0]]) / arb(self.scale) ** 2

    def model(self, centre: Tensors) -> Model:
        """Itself; it grows by the norm of what is added, at most."""
        del centre
        # of entries >= 0 the norm is the largest eigenvalue
        return Model(self.value, lambda e: largest_eigenvalue(e[0]) / arb(self.scale) ** 2)


@dataclass(frozen=True)
class Excess:
    """|H| - L1 |grad f|_*: what is left for L0."""

    norm: Norm
    L1: float
    orders: tuple[int, ...] = (1, 2)

    def value(self, tensors: Tensors) -> arb:
        """The difference of two norms."""
        return tensor_norm(tensors[1], 2, self.norm) - arb(self.L1) * tensor_norm(tensors[0], 1, self.norm)

    def model(self, centre: Tensors) -> Model:
        """|grad f|_* >= <u, grad f> with |u| <= 1, nearly equal at the centre."""
        u = direction(centre[0], self.norm)
        L1 = arb(self.L1)

        def value(tensors: Tensors) -> arb:
            return tensor_norm(tensors[1], 2, self.norm) - L1 * inner(u, tensors[0])

        def growth(e: Tensors) -> arb:
            return tensor_norm(e[1], 2, self.norm) + L1 * inner([abs(w) for w in u], e[0])

        return Model(value, growth)


@dataclass(frozen=True)
class GapExcess:
    """2 mu (f - f_low) - |grad f|_*^2, f_low <= inf f."""

    norm: Norm
    mu: float
    f_low: float
    orders: tuple[int, ...] = (0, 1)

    def value(self, tensors: Tensors) -> arb:
        """At the given ball of values and gradients."""
        gap = tensors[0][0] - arb(self.f_low)
        return 2 * arb(self.mu) * gap - tensor_norm(tensors[1], 1, self.norm) ** 2

    def model(self, centre: Tensors) -> Model:
        """|g|_*^2 >= 2 t <u, g> - t^2 for |u| <= 1 and t near |g|_* at the centre."""
        u = direction(centre[1], self.norm)
        t = arb(tensor_norm(centre[1], 1, self.norm).mid())
        mu = arb(self.mu)

        def value(tensors: Tensors) -> arb:
            gap = tensors[0][0] - arb(self.f_low)
            return 2 * mu * gap - 2 * t * inner(u, tensors[1]) + t**2

        def growth(e: Tensors) -> arb:
            return 2 * mu * e[0][0] + 2 * t * inner([abs(w) for w in u], e[1])

        return Model(value, growth)


class Bound(NamedTuple):
    """On a box q <= ``upper``; q(``point``) >= ``lower``. ``weights``: what each side contributes."""

    upper: float
    lower: float
    point: tuple[float, ...]
    weights: tuple[float, ...]


def bound(f: Derivatives, q: Quantity, cell: Cell, enough: float = -INF, seen: float = -INF) -> Bound:
    """Bounds of q on a box, the better of two.

    Natural: q of the balls around its derivatives. Second order: with A the tensors and B their derivatives,
    A(c + s) = A(c) + sum_k s_k B_k(c) + E, and the entries of E are at most those of
    sum_k max |s_k| sup |B_k(X) - B_k(c)| (mean value theorem). The convex model is largest at a corner of the
    box, where s is an extreme point, and E adds its growth at most.

    enough: an upper bound as small as that is not improved. seen: a lower bound of sup q that is known.
    """
    orders = tuple(sorted({*q.orders, *(m + 1 for m in q.orders)}))
    wide = dict(zip(orders, f.on(cell, orders), strict=True))
    natural = above(q.value([wide[m] for m in q.orders]))
    centre = tuple(low + (high - low) / 2 for low, high in cell)
    if natural <= enough:
        return Bound(natural, -INF, centre, (0.0,) * f.d)
    thin = dict(zip(orders, f.at(centre, orders), strict=True))
    at_centre = [thin[m] for m in q.orders]
    model = q.model(at_centre)
    radius = [
        max(size(arb(a) - arb(c)), size(arb(b) - arb(c))) for (a, b), c in zip(cell, centre, strict=True)
    ]
    rest = [_remainder(wide[m + 1], thin[m + 1], radius) for m in q.orders]
    heights = []
    for corner in corners(cell):
        step = [arb(z) - arb(c) for z, c in zip(corner, centre, strict=True)]
        moved = [_moved(thin[m], thin[m + 1], step) for m in q.orders]
        heights.append((above(model.value(moved)), corner))
    top, corner = max(heights)
    upper = min(natural, above(arb(top) + model.growth(rest))) if top < INF else natural
    lower, point = below(q.value(at_centre)), centre
    if top > max(lower, seen):
        at_corner = below(q.value(f.at(corner, q.orders)))
        lower, point = max((lower, point), (at_corner, corner))
    return Bound(upper, lower, point, _weights(wide[q.orders[-1] + 1], radius, cell))


def corners(cell: Cell) -> list[tuple[float, ...]]:
    """All corners of a box."""
    result: list[tuple[float, ...]] = [()]
    for side in cell:
        result = [(*corner, end) for corner in result for end in side]
    return result


def _moved(a: list[arb], b: list[arb], step: list[arb]) -> list[arb]:
    """A + sum_k s_k B_k: the derivative of entry j in variable k is entry j + k of the next order."""
    return [a[j] + sum((s * b[j + k] for k, s in enumerate(step)), arb(0)) for j in range(len(a))]


def _remainder(wide: list[arb], thin: list[arb], radius: list[arb]) -> list[arb]:
    """Entries of sum_k r_k sup |B_k(X) - B_k(c)|."""
    change = [size(w - t) for w, t in zip(wide, thin, strict=True)]
    entries = len(wide) + 1 - len(radius)
    return [sum((r * change[j + k] for k, r in enumerate(radius)), arb(0)) for j in range(entries)]


def _weights(wide: list[arb], radius: list[arb], cell: Cell) -> tuple[float, ...]:
    """What each variable moves the tensor by, at most; its side where that is not finite."""
    entries = len(wide) + 1 - len(radius)
    weights = tuple(sum(above(r * size(wide[j + k])) for j in range(entries)) for k, r in enumerate(radius))
    return weights if sum(weights) < INF else tuple(high - low for low, high in cell)
