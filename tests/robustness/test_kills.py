"""Ended at a random moment, by a kill or by Ctrl-C, and started again: the result is that of one run."""

import pytest

from tests.robustness.victims import VICTIMS, prepare, result, survives

SEEDS = {"verify": (1, 2, 3), "verify, 2 workers": (4, 5), "probe": (6, 7, 8), "figure": (9, 10)}
"""Ten moments."""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Name of a victim -> its result in one go, computed when it is first asked for."""
    known: dict[str, dict[str, object]] = {}

    def found(name: str) -> dict[str, object]:
        if name not in known:
            folder = prepare(tmp_path_factory.mktemp("whole"))
            VICTIMS[name].finish(folder)
            known[name] = result(folder)
            assert known[name]
        return known[name]

    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [(n, s) for n, seeds in SEEDS.items() for s in seeds])
def test_nothing_is_lost_and_nothing_changes(name, seed, uninterrupted, tmp_path):
    why, _ = survives(VICTIMS[name], tmp_path / "victim", seed, uninterrupted(name))
    assert why == ""


def test_ten_moments_are_drawn():
    assert sum(map(len, SEEDS.values())) == 10
    assert set(SEEDS) == set(VICTIMS)
