"""Convexity of the terms that are used through their proximal steps."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.composite.inequality import PartsInequality, term_graph
from assumptions.inequality import EntryInequality, Sides
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class ConvexTerms(PartsInequality, EntryInequality):
    """<u - v, p - q> >= 0 for all p, q, u in dh_j(p), v in dh_j(q) and all terms h_j of f + g + sum_j h_j.

    No constants. Every pair is p = prox(x), u = x - p, stepsize 1. Written with size = |u - v| |p - q| as
    size - <u - v, p - q> <= size.
    """

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every term, (*batch, n). x, y: (*batch, d)."""
        graph = term_graph(problem, *points)
        inner = (graph.point * graph.slope).sum(dim=-1)
        p, u, r = EUCLIDEAN.norm(graph.point), EUCLIDEAN.norm(graph.slope), graph.rounding
        with torch.no_grad():
            resolution = r * (p + u + r) + ROUNDINGS * p * u
        return Sides(p * u - inner, p * u, resolution)
