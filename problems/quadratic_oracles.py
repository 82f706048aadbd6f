"""The oracles of a convex quadratic, from its eigendecomposition and its Hessian."""

import math
from abc import abstractmethod
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from assumptions import (
    EUCLIDEAN,
    PL,
    AffineGradient,
    Certificate,
    Convex,
    Lp,
    Norm,
    Smooth,
    StronglyConvex,
    Weighted,
)
from assumptions.base import EPS
from assumptions.guards import require_points
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.box_quadratic import box_displacement
from problems.lp_form import lp_form
from problems.oracle_guards import positive_step, require_euclidean
from problems.spectrum import Spectrum, quadratic_ball_step, quadratic_nearest, quadratic_prox
from problems.spread import evenly_weighted

MAX = Lp(math.inf)


class QuadraticOracles(BallOracle):
    """f(x) = (x - c)' H (x - c) / 2 + f_star, H positive semidefinite, c = ``x_star``.

    A subclass gives ``_spectrum`` (H by its eigenvectors, without weights), ``_hessian`` (H), ``x_star``
    and ``f_star``. Balls of l_2 and l_inf norms, weighted or not, are minimised over exactly; in l_2
    the largest weight may be 1e4 times the smallest (``spread``), or any multiple where H is diagonal.
    """

    f_star: float
    x_star: Tensor

    @property
    @abstractmethod
    def _spectrum(self) -> Spectrum:
        """The eigendecomposition of H; no weights."""

    @property
    @abstractmethod
    def _hessian(self) -> Tensor:
        """H, (d, d), symmetric."""

    def _facts(self, low: float, high: float, bounds: str) -> tuple[Certificate, ...]:
        """What eigenvalues of H that are 0 or between ``low`` and ``high`` prove; ``bounds``: why they are.

        In l_inf, |y|_2 >= |y|_inf keeps strong convexity.
        """
        facts = [
            Certificate(Convex(), proof="the Hessian H is positive semidefinite"),
            Certificate(AffineGradient(), proof="the gradient is H (x - c)"),
            Certificate(Smooth(high), proof=f"|H y| <= (largest eigenvalue) |y|; {bounds}"),
            Certificate(PL(low), proof=f"|H y|^2 >= (smallest nonzero eigenvalue) y'Hy = 2 mu gap; {bounds}"),
        ]
        if self.unique_star:
            strong = f"y'Hy >= mu |y|^2; {bounds}"
            facts += [Certificate(StronglyConvex(low, norm), proof=strong) for norm in (EUCLIDEAN, MAX)]
        return tuple(facts)

    @cached_property
    def _weighted(self) -> dict[Weighted, Spectrum]:
        """Spectra in the coordinates of weighted norms, made when first asked for."""
        return {}

    @property
    def unique_star(self) -> bool:
        """True if no eigenvalue is 0."""
        return not self._spectrum.flat

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True for l_2 and l_inf, weighted or not; in l_2 for weights as the class says."""
        if not (isinstance(norm, Lp | Weighted) and norm.p in (2, math.inf) and norm.fits(self.d)):
            return False
        return isinstance(norm, Lp) or norm.p != 2 or evenly_weighted(norm) or self._spectrum.basis is None

    def gap(self, x: Tensor) -> Tensor:
        """sum a_i y_i^2 / 2 with y = V' (x - c), free of cancellation. x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        spectrum = self._spectrum.to(x)
        y = spectrum.coefficients(x - self.x_star.to(x))
        return (spectrum.eigenvalues * y.square()).sum(dim=-1) / 2

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap itself; in a rotated basis with a kernel also what roundings of x do, (*batch,).

        A move by EPS |x|, of x or in the rotation, has a part outside the kernel, where the gap may be far
        smaller: it changes by at most |H y| EPS |x| + lambda_max (EPS |x|)^2 / 2, y = x - x_star.
        """
        spectrum = self._spectrum
        if spectrum.basis is None or not spectrum.flat:
            return gap.abs()
        star = self.x_star.to(x)
        size = EUCLIDEAN.norm(x) + EUCLIDEAN.norm(star)
        slope = EUCLIDEAN.norm(self.hvp(x, x - star))
        return gap.abs() + slope * size + EPS * float(spectrum.eigenvalues.max()) * size.square()

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.gap(x) + self.f_star

    def grad(self, x: Tensor) -> Tensor:
        """H (x - c). Shapes (*batch, d)."""
        require_points(x, self.d)
        return self.hvp(x, x - self.x_star.to(x))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """H v. Shapes (*batch, d)."""
        require_points(x, self.d)
        return self._spectrum.to(v).times(v)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Projection on c + ker H. Shapes (*batch, d). ValueError for a norm without ``offers_dist``."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        return quadratic_nearest(x, self.x_star.to(x), self._spectrum.to(x))

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """(I + stepsize H)^(-1) (x + stepsize H c). Shapes (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        return quadratic_prox(x, self.x_star.to(x), self._spectrum.to(x), step)

    def conjugate(self, g: Tensor) -> Tensor:
        """<g, c> + g' H^+ g / 2 - f_star on the range of H, inf elsewhere. g: (*batch, d). Returns (*batch,).

        What rounding of H can turn, 10 d EPS max a / (smallest nonzero a) of g, counts as in the range.
        """
        require_points(g, self.d, "g")
        spectrum = self._spectrum.to(g)
        a, y = spectrum.eigenvalues, spectrum.coefficients(g)
        value = (g * self.x_star.to(g)).sum(dim=-1) - self.f_star
        value = value + torch.where(a > 0, y.square() / torch.where(a > 0, a, 1.0), 0.0).sum(dim=-1) / 2
        turned = 10 * self.d * EPS * float(a.max() / a[a > 0].min())
        outside = torch.where(a > 0, 0.0, y).norm(dim=-1) > turned * g.norm(dim=-1)
        return torch.where(outside, torch.inf, value)

    def conic(self, z: Any, cp: Any) -> Any:
        """|sqrt(diag(a)) V' (z - c)|^2 / 2 + f_star as an expression of cvxpy."""
        a, basis, _, _ = self._spectrum
        root = torch.diag(a.sqrt()) if basis is None else a.sqrt().unsqueeze(-1) * basis.mT
        return cp.sum_squares(root[a > 0].numpy() @ (z - self.x_star.numpy())) / 2 + self.f_star

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Euclidean: the secular equation. Largest entry: a quadratic program over a box."""
        if isinstance(norm, Lp | Weighted) and norm.p == 2:
            plain = self._spectrum.to(x)
            spectrum = self._spectrum_in(norm).to(x) if isinstance(norm, Weighted) else plain
            return quadratic_ball_step(x, self.x_star.to(x), plain, spectrum, t, norm)
        return self._box_step(x, t, norm)

    def _spectrum_in(self, norm: Weighted) -> Spectrum:
        if norm not in self._weighted:
            self._weighted[norm] = self._spectrum.weighted(norm.of(self.x_star))
        return self._weighted[norm]

    def _box_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """The minimiser nearest to x in the Euclidean norm where the box holds it, else a KKT point."""
        spectrum, center = self._spectrum.to(x), self.x_star.to(x)
        radius = t / lp_form(norm, x).v
        a, basis, _, flat = spectrum
        y = x - center
        if basis is None:
            step = torch.where(a > 0, torch.minimum(torch.maximum(-y, -radius), radius), 0.0)
            arrived = (a == 0) | (y.abs() <= radius)
            point = torch.where(a > 0, torch.where(arrived, center, x + step), x)
            return BallStep.of(x, t, norm, step, a * torch.where(arrived, 0.0, y + step), point)
        to_star = spectrum.rotated(torch.where(a > 0, spectrum.coefficients(y), 0.0)) if flat else y
        inside = (to_star.abs() <= radius).all(dim=-1, keepdim=True)
        rest = torch.where(inside, 0.0, to_star)  # 0 is solved at no cost
        step = torch.where(inside, -to_star, box_displacement(self._hessian.to(x), rest, radius, flat))
        slope = torch.where(inside, 0.0, (rest + step) @ self._hessian.to(x))
        point = torch.where(inside, quadratic_nearest(x, center, spectrum), x + step)
        return BallStep.of(x, t, norm, step, slope, point)
