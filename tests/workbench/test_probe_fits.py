"""Fits of layers: what each number is, of which steps, in which units, and what is refused."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.workbench.probe_results import probe_result, straight
from workbench.probes.fits.asymmetric import fit_asymmetric
from workbench.probes.fits.envelope import exceeded, fit_envelope
from workbench.probes.fits.fit import COLUMNS, fit_smoothness, fit_table


def test_a_layer_on_a_line():
    g, L = straight(scatter=0.02)
    (fit,) = fit_smoothness(probe_result(g, L, t=0.05))
    assert (fit.layer, fit.n, fit.verdict) == ("hidden", 40, "identified")
    assert fit.L0_interval[0] < fit.L0_seen < fit.L0_interval[1]
    assert fit.L1_interval[0] < fit.L1_seen < fit.L1_interval[1]
    assert (fit.L0_seen, fit.L1_seen) == (pytest.approx(2, abs=0.2), pytest.approx(3, abs=0.1))
    assert fit.L0_envelope + fit.L1_envelope * 3 == pytest.approx(11, rel=0.03)
    assert fit.relative_error < 0.02**2
    assert 0 < fit.above < 0.5
    middle = np.median(g)
    assert fit.radius_suggested == pytest.approx(middle / (fit.L0_seen + fit.L1_seen * middle))
    assert fit.radius_interval[0] <= fit.radius_suggested <= fit.radius_interval[1]
    assert fit.radius_used == 0.05
    assert fit.used_over_suggested == pytest.approx(0.05 / fit.radius_suggested)


def test_error_and_above_are_those_of_the_definition():
    g, L = straight(scatter=0.3)
    (fit,) = fit_smoothness(probe_result(g, L))
    line = fit.L0_seen + fit.L1_seen * g
    assert (fit.L0_seen, fit.L1_seen) == fit_asymmetric(g, L)
    assert fit.relative_error == pytest.approx((((L - line) / L) ** 2).mean())
    assert fit.above == (line < L).mean()


def test_the_line_is_read_at_the_later_point_and_the_envelope_at_the_smaller_norm():
    g, L = straight()
    before = g * np.where(np.arange(len(g)) % 2, 0.5, 3.0)
    (fit,) = fit_smoothness(probe_result(g, L, gradnorm=before))
    assert (fit.L0_seen, fit.L1_seen) == fit_asymmetric(g, L)
    assert (fit.L0_envelope, fit.L1_envelope) == fit_envelope(np.minimum(g, before), L)
    assert fit.exceeded == exceeded(np.minimum(g, before), L) != exceeded(g, L)
    middle = np.median(before)
    assert fit.radius_suggested == pytest.approx(middle / (fit.L0_seen + fit.L1_seen * middle))


def test_same_seed_same_numbers_and_no_layer_depends_on_another():
    one, two = (probe_result(*straight(seed=i, scatter=0.2), layer=f"layer {i}") for i in range(2))
    both = xr.concat([one, two], "layer")
    first = fit_smoothness(both, seed=-3)
    assert first == fit_smoothness(both, seed=-3)
    assert first[1:] == fit_smoothness(two, seed=-3)
    other = fit_smoothness(both, seed=1)
    assert other[0].L0_seen == first[0].L0_seen
    assert other[0].L0_interval != first[0].L0_interval


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """95 % of 60 is 57; of moving blocks and 40 points somewhat less, and by chance 45 almost surely."""
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        g = 1 + 4 * rng.random(40)
        L = 2 + 3 * g + rng.standard_normal(40)
        (fit,) = fit_smoothness(probe_result(g, L), penalty=0.0)
        held += fit.L1_interval[0] <= 3 <= fit.L1_interval[1]
    assert 45 <= held < 60


def test_neighbouring_steps_that_are_alike_count_for_less():
    """The same points: off the line by waves along the path, then in no order."""
    g, L = straight(60, scatter=0)
    L = L * (1 + 0.2 * np.sin(np.arange(60) / 3))
    order = np.random.default_rng(0).permutation(60)
    paths = (probe_result(g, L), probe_result(g[order], L[order]))
    waves, none = (fit_smoothness(path, resamples=1000)[0].radius_interval for path in paths)
    assert waves[1] - waves[0] > 1.2 * (none[1] - none[0])


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_points_have_no_intervals(n):
    (fit,) = fit_smoothness(probe_result(*straight(n)))
    assert np.isnan([*fit.L0_interval, *fit.L1_interval, *fit.radius_interval, fit.exceeded]).all()
    assert math.isfinite(fit.L0_seen + fit.radius_suggested + fit.L0_envelope)
    assert (fit.verdict, fit.n) == ("poorly identified", n)
    assert f"{n} probed steps, at least 8" in fit.reason


def test_steps_in_which_a_layer_rests_do_not_count():
    g, L = straight()
    holes = L.copy()
    holes[::4] = np.nan
    (fit,) = fit_smoothness(probe_result(g, holes))
    keep = np.isfinite(holes)
    (alone,) = fit_smoothness(probe_result(g[keep], L[keep]))
    assert fit.n == 30
    assert fit == alone
    (never,) = fit_smoothness(probe_result(g, np.nan * L))
    assert (never.n, never.verdict) == (0, "poorly identified")
    assert math.isnan(never.L0_seen)
    assert "no probed step" in never.reason


def test_a_gradient_that_never_changes_allows_any_radius():
    (fit,) = fit_smoothness(probe_result(np.ones(10), np.zeros(10)))
    assert (fit.L0_seen, fit.L1_seen, fit.relative_error) == (0, 0, 0)
    assert fit.radius_suggested == math.inf
    assert fit.used_over_suggested == 0
    assert fit.to_json()["radius_suggested"] == "inf"
    (still,) = fit_smoothness(probe_result(np.zeros(10), np.ones(10)))
    assert still.radius_suggested == 0
    assert math.isnan(still.used_over_suggested)


def test_optional_quantities_may_be_absent():
    full = probe_result(*straight(), t=np.geomspace(0.01, 0.1, 40))
    bare = full[["gradnorm", "gradnorm_next", "ratio", "step_length"]]
    (fit,) = fit_smoothness(bare)
    assert fit.verdict == "identified"
    assert replace(fit, reason="") == replace(fit_smoothness(full)[0], reason="")


def test_the_table_has_a_cell_for_every_column():
    fits = fit_smoothness(probe_result(*straight())) + fit_smoothness(probe_result(*straight(3)))
    rows = fit_table(fits)
    assert [len(row) for row in rows] == [len(COLUMNS)] * 2
    assert all(isinstance(cell, str) for row in rows for cell in row)
    named = dict(zip(COLUMNS, rows[0], strict=True))
    low, high = fits[0].L1_interval
    assert named["L1_seen"] == f"{fits[0].L1_seen:.3g} ({low:.3g}, {high:.3g})"
    assert named["verdict"] == "identified"
    assert dict(zip(COLUMNS, rows[1], strict=True))["exceeded"] == "nan"


def test_fits_go_through_json():
    (fit,) = fit_smoothness(probe_result(*straight(3)))
    read = json.loads(json.dumps(fit.to_json(), allow_nan=False))
    assert read["L0_interval"] == ["nan", "nan"]
    assert read["L0_seen"] == fit.L0_seen
    assert read.keys() == fit.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"penalty": -1.0}, "penalty must be finite and >= 0, got -1.0"),
        ({"penalty": math.nan}, "penalty"),
        ({"lower": math.inf}, "lower"),
        ({"resamples": 39}, "resamples must be an integer >= 40, got 39"),
        ({"resamples": 50.0}, "resamples"),
        ({"seed": 0.5}, "seed"),
    ],
    ids=str,
)
def test_bad_options_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_smoothness(probe_result(*straight()), **arguments)


def test_what_is_no_result_is_refused():
    result = probe_result(*straight())
    with pytest.raises(TypeError, match=r"result must be an xarray\.Dataset"):
        fit_smoothness({"ratio": 1})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="lacks ratio, step_length"):
        fit_smoothness(result.drop_vars(["ratio", "step_length"]))
    with pytest.raises(ValueError, match="lacks layer"):
        fit_smoothness(result.drop_vars("layer"))
    with pytest.raises(ValueError, match=r"attrs\['batch'\] must be one of fixed, .* got 'some'"):
        fit_smoothness(result.assign_attrs(batch="some"))
