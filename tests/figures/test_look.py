"""The checker of drawings finds what is wrong."""

import pytest
from matplotlib.figure import Figure

from tests.figures.look import cut_texts, empty_panels, faults, hidden_curves, overlapping_texts


def panel():
    figure = Figure(figsize=(4, 3), layout="constrained")
    ax = figure.subplots()
    ax.plot([0, 1, 2], [1, 3, 2], label="a")
    ax.set(xlabel="x", ylabel="y")
    return figure, ax


def test_a_good_figure_has_no_faults():
    figure, _ = panel()
    assert faults(figure) == []


def test_a_cut_label_is_found():
    figure = Figure(figsize=(4, 3))
    ax = figure.add_axes((0.02, 0.2, 0.9, 0.7))
    ax.plot([0, 1])
    ax.set_ylabel("a label")
    figure.draw_without_rendering()
    assert any("a label" in said for said in cut_texts(figure))


def test_overlapping_texts_are_found():
    figure, ax = panel()
    ax.text(1, 2, "one text")
    ax.text(1.05, 2, "another")
    figure.draw_without_rendering()
    assert overlapping_texts(figure) == ["'one text' overlaps 'another'"]


def test_crowded_ticks_are_found():
    figure, ax = panel()
    ax.set_xticks([0, 0.01, 0.02], ["zero", "little", "more"])
    figure.draw_without_rendering()
    assert overlapping_texts(figure)


@pytest.mark.parametrize("values", [[], [float("nan")] * 3, [50, 60, 70]], ids=["none", "nan", "outside"])
def test_an_empty_panel_is_found(values):
    figure = Figure()
    ax = figure.subplots()
    ax.plot(range(len(values)), values)
    ax.set_ylim(0, 1)
    figure.draw_without_rendering()
    assert empty_panels(figure) == ["panel 0 is empty"]


def test_a_figure_without_panels_is_empty():
    assert empty_panels(Figure()) == ["there is no panel"]


def test_a_curve_under_the_legend_is_found():
    figure = Figure(figsize=(4, 3))
    ax = figure.subplots()
    ax.plot([0.05, 0.6], [0.92, 0.92], label="a curve with quite a long name")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.legend(loc="upper left")
    figure.draw_without_rendering()
    assert hidden_curves(figure)


def test_ticks_beyond_the_end_of_a_logarithmic_axis_are_not_drawn():
    figure, ax = panel()
    ax.set(yscale="log", ylim=(2e-12, 1e3))
    ax.set_yticks([1e-30, 1e-12, 1.0])
    assert faults(figure) == []
