"""How much the gradient of a layer changes when others move: groups of layers, one group at a time."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor

from workbench.probes.batches import Batch
from workbench.probes.ends import Ends, difference
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.layers import NetworkLayers, Point
from workbench.probes.levels.ratio import per_length

Groups = Mapping[str, tuple[int, ...]]
"""Indices of layers by the label of their group."""


def coupling(
    oracle: GradientOracle, layers: NetworkLayers, batch: Batch, ends: Ends, groups: Groups
) -> tuple[Tensor, Tensor]:
    """h_iJ = |G_i(X + dX_J) - G_i(X)|_{i*} / max {|dX_j|_j : j in J}, dX_J the step of the group J alone.

    Second, for every layer, sum_J |G_i(X + dX_J) - G_i(X)|_{i*} / |G_i(X + dX) - G_i(X)|_{i*}. On a quadratic
    the changes of the groups add up to the joint one, and by the triangle inequality this is >= 1 (up to
    rounding), with equality where one group alone reaches layer i or all changes are aligned; far above 1,
    groups cancel. On other functions it may be below 1: the change then comes from groups moving together.

    groups: every layer in exactly one. Returns (n_layers, n_groups), nan in the column of a group that did
    not move, and (n_layers,), nan where G_i does not change at all (inf where single groups change it). One
    gradient for each group that moved, none if all that moved is one group. ValueError for other groups.
    """
    _require_partition(groups, len(layers.names))
    lengths = layers.norm_i(ends.step)
    moved = (lengths > 0).tolist()
    columns, total = [], torch.zeros_like(lengths)
    for members in groups.values():
        active = {j for j in members if moved[j]}
        if not active:
            columns.append(torch.full_like(lengths, torch.nan))
            continue
        changes = layers.dual_i(_change(oracle, batch, ends, active, len(active) == sum(moved)))
        columns.append(per_length(changes, lengths[list(members)].max()))
        total = total + changes
    return torch.stack(columns, dim=-1), total / layers.dual_i(ends.change)


def _change(oracle: GradientOracle, batch: Batch, ends: Ends, active: set[int], all_moved: bool) -> Point:
    """G(X + dX_J) - G(X); the points hold the entries of the two ends, so that nothing is rounded."""
    if all_moved:
        return ends.change
    pairs = enumerate(zip(ends.x, ends.x_next, strict=True))
    there = oracle.evaluate(tuple(b if j in active else a for j, (a, b) in pairs), batch)
    return difference(there.gradient, ends.here.gradient)


def default_groups(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """By the name up to its first number, else by its first part.

    "blocks.3.attn.weight" is in "blocks.3", "wte.weight" in "wte". Groups in the order of their first layer.
    """
    groups: dict[str, tuple[int, ...]] = {}
    for i, name in enumerate(names):
        parts = name.split(".")
        last = next((k for k, part in enumerate(parts) if part.isdecimal()), 0)
        label = ".".join(parts[: last + 1])
        groups[label] = (*groups.get(label, ()), i)
    return groups


def groups_by_pattern(
    names: Sequence[str], patterns: Mapping[str, str | Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    """Groups of a user: label -> pattern of names, or several, such as {"attention": "*.attn.*"}.

    ValueError unless every pattern matches a layer and every layer is in exactly one group; TypeError for
    what is no mapping of patterns.
    """
    if not isinstance(patterns, Mapping):
        raise TypeError(f'groups must be a dict such as {{"attention": "*.attn.*"}}, got {patterns!r}')
    groups: dict[str, tuple[int, ...]] = {}
    for label, given in patterns.items():
        globs = (given,) if isinstance(given, str) else given
        if not isinstance(globs, Sequence) or not all(isinstance(glob, str) for glob in globs):
            raise TypeError(f"groups[{label!r}] must be a pattern of names or several, got {given!r}")
        for glob in globs:
            if not any(fnmatchcase(name, glob) for name in names):
                raise ValueError(f"groups[{label!r}] has {glob!r}, which matches no layer")
        found = (i for i, name in enumerate(names) if any(fnmatchcase(name, glob) for glob in globs))
        groups[label] = tuple(found)
    _require_partition(groups, len(names), names)
    return groups


def _require_partition(groups: Groups, n: int, names: Sequence[str] | None = None) -> None:
    """ValueError unless each of 0, ..., n - 1 is in one group, and no group is empty."""
    homes: dict[int, list[str]] = {i: [] for i in range(n)}
    for label, members in groups.items():
        if not members:
            raise ValueError(f"groups[{label!r}] must hold a layer or more, got none")
        for i in members:
            if i not in homes:
                raise ValueError(f"groups[{label!r}] must hold indices of the {n} layers, got {i!r}")
            homes[i].append(label)
    for i, labels in homes.items():
        if len(labels) != 1:
            where = " and ".join(map(repr, labels)) or "none"
            who = repr(names[i]) if names else str(i)
            raise ValueError(f"groups must hold every layer once, and layer {who} is in {where}")
