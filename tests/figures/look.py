"""What can be seen to be wrong with a drawn figure, without looking at pixels."""

from contextlib import nullcontext
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from figures.stacked import StackedFigure
from figures.style import styled

PIXELS = 1.0
"""Slack: a text may stand so far outside, or overlap another by so much."""
HIDDEN = 0.1
"""Share of the points of a curve that the texts of a legend may cover."""


def faults(figure: Figure) -> list[str]:
    """Everything found: texts that are cut or overlap, panels without data, curves under a legend."""
    with styled(figure.style) if isinstance(figure, StackedFigure) else nullcontext():
        figure.draw_without_rendering()
        found = [
            *cut_texts(figure),
            *overlapping_texts(figure),
            *empty_panels(figure),
            *hidden_curves(figure),
        ]
    return [f"{each} (figure of {figure.get_figwidth():g} inches)" for each in found]


def texts(figure: Figure) -> list[Text]:
    """Every text that is drawn: labels, titles, ticks within the limits, legends, annotations."""
    every = [t for t in figure.findobj(Text) if _shown(t)]
    ticks = {id(t): t for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for t in _all_tick_labels(axis)}
    drawn = [t for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for t in _drawn_tick_labels(ax, axis)]
    return [t for t in every if id(t) not in ticks] + [t for t in drawn if _shown(t)]


def cut_texts(figure: Figure) -> list[str]:
    """Texts that reach over the edge of the canvas."""
    edge = figure.bbox.padded(PIXELS)
    return [
        f"{t.get_text()!r} is cut: {_box(t).extents.round()}"
        for t in texts(figure)
        if not _inside(_box(t), edge)
    ]


def overlapping_texts(figure: Figure) -> list[str]:
    """Pairs of texts, one over the other."""
    boxes = [(t.get_text(), _box(t).padded(-PIXELS)) for t in texts(figure)]
    return [f"{a!r} overlaps {b!r}" for (a, one), (b, two) in combinations(boxes, 2) if _overlap(one, two)]


def empty_panels(figure: Figure) -> list[str]:
    """Axes in which nothing finite lies within the limits."""
    axes = [ax for ax in figure.axes if ax.axison]
    if not axes:
        return ["there is no panel"]
    return [f"panel {i} is empty" for i, ax in enumerate(axes) if not _has_data(ax)]


def hidden_curves(figure: Figure) -> list[str]:
    """Curves of which a legend's texts cover more than the share ``HIDDEN``."""
    found = []
    for i, ax in enumerate(figure.axes):
        legend = ax.get_legend()
        if legend is None:
            continue
        boxes = [_box(t) for t in legend.get_texts()]
        for line in ax.get_lines():
            points = _seen_points(ax, line)
            covered = np.zeros(len(points), dtype=bool)
            for box in boxes:
                covered |= ((points >= box.min) & (points <= box.max)).all(1)
            if len(points) and covered.mean() > HIDDEN:
                found.append(f"the legend of panel {i} covers {covered.mean():.0%} of {line.get_label()!r}")
    return found


def _shown(text: Text) -> bool:
    return bool(text.get_visible() and text.get_text().strip())


def _all_tick_labels(axis: Any) -> list[Text]:
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [label for tick in ticks for label in (tick.label1, tick.label2)]


def _drawn_tick_labels(ax: Axes, axis: Any) -> list[Text]:
    if not (ax.axison and ax.get_visible() and axis.get_visible()):
        return []
    scale = axis.get_transform().transform
    low, high = sorted(scale(np.asarray(axis.get_view_interval())))
    slack = 1e-9 * (high - low)
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    with np.errstate(invalid="ignore", divide="ignore"):
        at = scale(np.array([tick.get_loc() for tick in ticks]))
    inside = [tick for tick, x in zip(ticks, at, strict=True) if low - slack <= x <= high + slack]
    return [label for tick in inside for label in (tick.label1, tick.label2)]


def _box(text: Text) -> Bbox:
    return text.get_window_extent()


def _inside(box: Bbox, edge: Bbox) -> bool:
    return bool((box.min >= edge.min).all() and (box.max <= edge.max).all())


def _overlap(one: Bbox, two: Bbox) -> bool:
    return bool((np.minimum(one.max, two.max) > np.maximum(one.min, two.min)).all())


def _has_data(ax: Axes) -> bool:
    if ax.images or ax.collections or ax.patches or ax.containers:
        return True
    return any(len(_seen_points(ax, line)) for line in ax.get_lines())


def _seen_points(ax: Axes, line: Any, n: int = 400) -> np.ndarray:
    """Points along a curve within the axes, in pixels, evenly spread; (at most n, 2)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        corners = line.get_transform().transform(np.asarray(line.get_xydata(), dtype=float))
    corners = corners[np.isfinite(corners).all(1)]
    if len(corners) > 1:
        along = np.r_[0.0, np.hypot(*np.diff(corners, axis=0).T).cumsum()]
        at = np.linspace(0, along[-1], n)
        corners = np.stack([np.interp(at, along, corners[:, i]) for i in (0, 1)], axis=1)
    return corners[(corners >= ax.bbox.min).all(1) & (corners <= ax.bbox.max).all(1)]
