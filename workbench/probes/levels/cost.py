"""What each level costs, in gradients of the whole batch for every probe."""

from collections.abc import Sequence

PRODUCT = 3
"""Gradients that a Hessian product counts as: in a linear layer, a gradient takes 3 matrix products, and the
gradient of <G, V> 9. Measured on one core of a CPU: 2.6 for a small convolutional network, 2.8 for a
perceptron, 3.5 to 4.7 for small transformers, whose fused attention has no second derivative."""

LEVELS: dict[str, str] = {
    "pair": 'both ends of the step: 2 gradients, 1 with batch="training"',
    "radii": "steps of other lengths: 1 gradient for each scale other than 1",
    "coupling": "groups of layers moved alone: 1 gradient for each group",
    "hvp": f"Hessian products along the step: {PRODUCT} gradients for each node",
    "adversarial": f"search for the worst step: {PRODUCT + 1} gradients for each round",
    "lmo": "how inexact orthogonalised directions are: no gradient, the time of the orthogonaliser",
}
"""Levels of a probe and their cost. "pair" is always part of them."""


def require_levels(level: str | Sequence[str]) -> tuple[str, ...]:
    """Names in the order of ``LEVELS``, each once, "pair" first.

    level: names with commas between them, as "radii, coupling", or a sequence of names. ValueError for other
    names; TypeError for anything else.
    """
    names = level.split(",") if isinstance(level, str) else level
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"level must be a name or names among {', '.join(LEVELS)}, got {level!r}")
    asked = {"pair", *(name.strip() for name in names)}
    if unknown := sorted(asked - set(LEVELS)):
        raise ValueError(f"level must be among {', '.join(LEVELS)}, got {', '.join(map(repr, unknown))}")
    return tuple(name for name in LEVELS if name in asked)


def cost(
    level: str | Sequence[str],
    *,
    scales: Sequence[float],
    n_groups: int,
    nodes: int,
    rounds: int,
    pair: int = 2,
) -> dict[str, int]:
    """Gradients for every probe, level by level; Hessian products are counted as ``PRODUCT``.

    Arguments of levels that are not asked for do not count. pair: gradients of the two ends, less where they
    are read. An upper bound: groups that did not move cost nothing, and a search may end early. ValueError
    and TypeError as ``require_levels``.
    """
    gradients = {
        "pair": pair,
        "radii": sum(scale != 1 for scale in scales),
        "coupling": n_groups,
        "hvp": nodes * PRODUCT,
        "adversarial": rounds * (PRODUCT + 1),
        "lmo": 0,
    }
    return {name: gradients[name] for name in require_levels(level)}
