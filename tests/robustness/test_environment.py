"""What the environment says or has: the width of the output, and memory for what is recorded."""

import os

import pytest

from workbench.cli.output import console
from workbench.walk import require_room


@pytest.mark.parametrize(
    ("said", "width"),
    [
        ("abc", 80),
        ("", 80),
        ("0", 80),
        ("-3", 80),
        ("1.5", 80),
        ("\u00b2", 80),
        ("9" * 5000, 80),
        ("132", 132),
    ],
    ids=["a word", "empty", "zero", "negative", "a fraction", "a superscript", "too long", "a width"],
)
def test_columns_that_are_no_positive_integer_count_as_not_said(monkeypatch, said, width):
    monkeypatch.setenv("COLUMNS", said)
    assert console().width == width
    assert console(100).width == max(width, 100)


def test_recorded_steps_must_fit_into_memory_and_others_cost_none(monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 1000}.__getitem__)
    require_room(10**17, 10**15, numbers=1)
    require_room(1000, 1, numbers=1)
    for steps, every, numbers in ((10**17, 10**12, 1), (1000, 1, 1000), (10_000, 1, 1)):
        with pytest.raises(ValueError, match=rf"steps={steps} with every={every} records .* a larger every"):
            require_room(steps, every, numbers)
