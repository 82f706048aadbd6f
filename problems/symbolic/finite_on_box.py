"""Proof that a formula and its derivatives have no pole on a box."""

from functools import lru_cache

from problems.symbolic.derivatives import Cell, derivatives_of

HALVINGS = 40
"""Of a side, before a part of the box where f is not seen to be finite is given up."""
PARTS = 20_000
"""Boxes spent."""


@lru_cache(maxsize=256)
def require_finite_on(expr: str, box: Cell) -> None:
    """ValueError naming a part of the box where f, its gradient or its Hessian is not seen to be finite.

    The box is halved until the balls of all entries are finite on each part: then f is twice continuously
    differentiable there, since every function of a formula is analytic where its ball is finite, up to
    roots at 0, where one of the derivatives is not finite.
    """
    f = derivatives_of(expr, len(box))
    open_cells, parts = [(box, 0)], 0
    while open_cells:
        cell, depth = open_cells.pop()
        parts += 1
        if all(entry.is_finite() for tensor in f.on(cell, (0, 1, 2)) for entry in tensor):
            continue
        if depth >= HALVINGS * len(box) or parts > PARTS:
            raise ValueError(
                f"box must hold no point where f, its gradient or its Hessian is infinite or not real; "
                f"{expr!r} is not seen to be finite on the part {cell!r}"
            )
        k = depth % len(box)
        low, high = cell[k]
        middle = low + (high - low) / 2
        for side in ((low, middle), (middle, high)):
            open_cells.append(((*cell[:k], side, *cell[k + 1 :]), depth + 1))
