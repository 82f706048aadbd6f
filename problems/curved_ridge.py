"""Ridges h(<a, x> - b) with a second derivative, and those whose h is a link."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from assumptions import Certificate
from problems.link_facts import link_facts
from problems.links import LINKS
from problems.ridge import Ridge


class CurvedRidge(Ridge):
    """A ridge whose h is twice continuously differentiable: the Hessian is h''(<a, x> - b) a a'."""

    @abstractmethod
    def _curvature(self, s: Tensor) -> Tensor:
        """h''(s). Shapes as s."""

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """h''(<a, x> - b) <a, v> a. Shapes (*batch, d)."""
        a = self._a.to(x)
        return a * (self._curvature(self._inner(x)) * (a * v).sum(dim=-1)).unsqueeze(-1)


class LinkRidge(CurvedRidge):
    """A ridge whose h is the convex link of the name ``link``; constants follow from those of the link."""

    link: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What the bounds of h' and h'' prove."""
        return link_facts(LINKS[self.link], self.a)

    def _h(self, s: Tensor) -> Tensor:
        return LINKS[self.link].h(s)

    def _slope(self, s: Tensor) -> Tensor:
        return LINKS[self.link].slope(s)

    def _curvature(self, s: Tensor) -> Tensor:
        return LINKS[self.link].curvature(s)
