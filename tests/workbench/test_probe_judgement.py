"""Verdicts on layers: each on data that have it, and not on data that nearly have it."""

import math

import numpy as np
import pytest
import xarray as xr

from tests.workbench.probe_results import probe_result, straight
from workbench.probes.fits.findings import summary
from workbench.probes.fits.fit import fit_smoothness
from workbench.probes.fits.judgement import VERDICTS
from workbench.probes.fits.layer_path import layer_paths
from workbench.probes.fits.prediction import held_out_error, no_prediction, relative_error
from workbench.probes.fits.trends import scale_slope, slope, step_slope

STEPS = np.geomspace(0.01, 0.03, 40)[np.random.default_rng(5).permutation(40)]


def judged(result):
    (fit,) = fit_smoothness(result)
    assert fit.verdict in VERDICTS
    return fit.verdict, fit.reason


def changing_by(c, batch="fixed", t=0.01, **more):
    """A gradient that changes by c of its norm, which varies, at every step of length t."""
    g = straight()[0]
    return probe_result(g, c * g / t, t=t, batch=batch, **more)


def test_a_smooth_layer_is_identified():
    verdict, reason = judged(probe_result(*straight()))
    assert verdict == "identified"
    assert "s^0.00" in reason
    assert "0% of 40 held-out steps" in reason


@pytest.mark.parametrize(("share", "verdict"), [(0.05, "poorly identified"), (0.5, "identified")])
def test_a_fit_that_predicts_worse_than_0_is_not_identified(share, verdict):
    """Every tenth ratio is far below the line: (1 / 0.05 - 1)^2 / 10 = 36, (1 / 0.5 - 1)^2 / 10 = 0.1.

    The line is known well all the same, as four steps of forty hardly move it.
    """
    g, L = straight()
    L[::10] *= share
    (fit,) = fit_smoothness(probe_result(g, L))
    assert fit.verdict == verdict
    assert (fit.relative_error > 1) == (verdict != "identified")
    assert [finding.kind for finding in fit.findings] == ["prediction"] * (verdict != "identified")
    assert ("one that says 0 everywhere by 1" in fit.reason) == (verdict != "identified")


def test_what_is_right_where_it_was_fitted_and_wrong_elsewhere_predicts_nothing():
    """The last quarter of the ratios is 10 times lower: held out, it has the line of the others."""
    g = np.full(40, 1.0)
    assert relative_error(np.ones(40), np.ones(40)) == 0.0
    L = np.where(np.arange(40) < 30, 10.0, 1.0)
    assert held_out_error(g, L, 5.0, 0.0) == pytest.approx(81 / 4, rel=0.1)
    assert math.isnan(held_out_error(g[:1], L[:1], 5.0, 0.0))


@pytest.mark.parametrize(
    ("ratio", "error"),
    [(0.0, math.inf), (math.nan, math.inf), (1e-310, math.inf), (1e-200, math.inf)],
    ids=str,
)
def test_a_ratio_that_no_line_can_meet_is_missed_by_any(ratio, error):
    """One row is enough: 0 and what is almost 0, as nan, which is no number that a line could meet."""
    assert relative_error(np.ones(40), np.append(np.ones(39), ratio)) == error


def test_a_ratio_of_0_is_met_by_0():
    assert relative_error(np.zeros(2), np.zeros(2)) == 0.0


@pytest.mark.parametrize(
    ("own", "held_out", "found"),
    [
        (1.0, 1.0, 0),
        (1.1, 0.5, 1),
        (0.5, 1.1, 1),
        (math.inf, 0.1, 1),
        (math.nan, 2.0, 1),
        (math.nan, math.nan, 0),
    ],
)
def test_the_larger_error_counts(own, held_out, found):
    assert len(no_prediction(own, held_out)) == found


@pytest.mark.parametrize(
    ("c", "named"), [(1.33, True), (1.414, True), (1.5, True), (1.3, False), (1.53, False)]
)
def test_different_batches_near_sqrt_2_are_noise(c, named):
    verdict, reason = judged(changing_by(c, "different"))
    assert verdict == ("noise" if named else "poorly identified")
    assert (f"changes by {c:.3f} of its norm, near the sqrt 2" in reason) == named
    assert named or "different mini-batches mix curvature and noise" in reason


@pytest.mark.parametrize("batch", ["fixed", "training", "pair"])
def test_sqrt_2_on_one_batch_is_no_noise(batch):
    assert judged(changing_by(math.sqrt(2), batch))[0] == "identified"


def test_noise_is_measured_by_the_later_gradient_and_flips_by_the_earlier_one():
    before = 1.2 * straight()[0]
    assert judged(changing_by(math.sqrt(2), "different", gradnorm=before))[0] == "noise"
    assert judged(changing_by(1.7, cosine=-0.5, gradnorm=before))[0] == "identified"
    assert judged(changing_by(1.9, cosine=-0.5, gradnorm=before))[0] == "oscillation"


def test_different_batches_are_never_identified():
    verdict, reason = judged(probe_result(*straight(), batch="different"))
    assert verdict == "poorly identified"
    assert reason == "gradients at different mini-batches mix curvature and noise"


@pytest.mark.parametrize(("noise", "verdict"), [(0.69, "identified"), (0.73, "noise")])
def test_halves_that_disagree_as_much_as_they_agree_are_noise(noise, verdict):
    found, reason = judged(probe_result(*straight(), noise=noise))
    assert found == verdict
    assert (f"noise of the ratio at {noise:.2f} of it" in reason) == (verdict == "noise")


def test_unknown_noise_is_no_noise():
    assert judged(probe_result(*straight(), noise=np.nan))[0] == "identified"


@pytest.mark.parametrize(("resolution", "verdict"), [(0.09, "identified"), (0.11, "noise")])
def test_ratios_near_rounding_are_noise(resolution, verdict):
    found, reason = judged(probe_result(*straight(), resolution=resolution))
    assert found == verdict
    assert ("rounding alone may make 0.11 of the ratio" in reason) == (verdict == "noise")


def test_ratios_of_zero_are_rounding():
    g = straight()[0]
    result = probe_result(g, 0 * g)
    result["ratio_resolution"] += 1e-9
    assert judged(result)[0] == "noise"


@pytest.mark.parametrize(
    ("c", "cosine", "verdict"),
    [
        (1.6, -0.3, "oscillation"),
        (1.9, -0.9, "oscillation"),
        (1.45, -0.3, "identified"),
        (1.6, 0.1, "identified"),
        (1.6, np.nan, "identified"),
    ],
)
def test_gradients_that_flip_oscillate(c, cosine, verdict):
    found, reason = judged(changing_by(c, cosine=cosine))
    assert found == verdict
    assert (f"cosine {cosine:.2f}, change {c:.2f}" in reason) == (verdict == "oscillation")


@pytest.mark.parametrize(
    ("power", "verdict"),
    [
        (-1, "c over t"),
        (-0.55, "c over t"),
        (-0.45, "poorly identified"),
        (0, "identified"),
        (0.3, "identified"),
    ],
)
def test_ratios_that_fall_with_the_radius_are_c_over_t(power, verdict):
    found, reason = judged(probe_result(*straight(), power=power))
    assert found == verdict
    assert f"s^{power:.2f}" in reason


@pytest.mark.parametrize(
    ("power", "verdict"),
    [(-0.36, "poorly identified"), (-0.3, "identified"), (0.3, "identified"), (0.36, "poorly identified")],
)
def test_ratios_that_drift_with_the_radius_are_no_constant(power, verdict):
    """By a factor 2 over the scales from 1/8 to 1, and by more."""
    found, reason = judged(probe_result(*straight(), power=power))
    assert found == verdict
    assert ("so that it is no constant at these lengths" in reason) == (verdict != "identified")


@pytest.mark.parametrize(("smallest", "verdict"), [(0.09, "identified"), (0.12, "poorly identified")])
def test_steps_beyond_1_over_L1_at_all_scales_say_nothing(smallest, verdict):
    """L1 = 3 and steps of 3."""
    found, reason = judged(probe_result(*straight(), t=3.0, scales=(smallest, 0.5, 1.0)))
    assert found == verdict
    assert (f"the shortest steps, of {3 * smallest:.3g}, are" in reason) == (verdict != "identified")


def test_longer_steps_do_not_count_where_there_are_shorter_ones():
    """A gradient that saturates beyond the step; with scales from 1 on there is nothing else."""
    both = (0.5, 1.0, 2.0, 4.0, 8.0)
    short, long = probe_result(*straight(), scales=both), probe_result(*straight(), scales=(1.0, 2.0, 4.0))
    s = xr.apply_ufunc(lambda scale: 1 / np.maximum(scale, 1), short["scale"])
    assert judged(short.assign(ratio_scaled=short["ratio_scaled"] * s))[0] == "identified"
    assert judged(long.assign(ratio_scaled=long["ratio_scaled"] / long["scale"]))[0] == "c over t"


@pytest.mark.parametrize(
    ("power", "verdict"), [(-1, "c over t"), (-0.6, "c over t"), (-0.3, "identified"), (0, "identified")]
)
def test_without_radii_steps_that_vary_tell(power, verdict):
    g, L = straight()
    found, reason = judged(probe_result(g, L * (STEPS / 0.01) ** power, t=STEPS, scales=None))
    assert found == verdict
    assert "t^" in reason


def test_radii_outweigh_steps_that_vary():
    g, L = straight()
    assert judged(probe_result(g, L * 0.01 / STEPS, t=STEPS))[0] != "c over t"


@pytest.mark.parametrize("L0", [2.0, 0.0])
@pytest.mark.parametrize("L1", [3.0, 0.0])
def test_without_radii_steps_of_one_length_tell_nothing(L0, L1):
    """Whatever the fit: even a constant ratio may be a constant change over the one length."""
    g = straight()[0]
    L = L0 + L1 * g + 1e-3
    verdict, reason = judged(probe_result(g, L, scales=None))
    assert verdict == "poorly identified"
    assert "vary by a factor 1.00 at equal gradient norms" in reason
    assert "level radii would tell" in reason


def test_adaptive_radii_tell_nothing_either():
    """At t = g/L the change is g at every step, though t varies by more than 2."""
    g = straight()[0]
    verdict, reason = judged(probe_result(g, 2 + 0 * g, t=g / 2, scales=None))
    assert verdict == "poorly identified"
    assert "level radii" in reason


@pytest.mark.parametrize(("factor", "verdict"), [(1.9, "poorly identified"), (2.1, "identified")])
def test_steps_must_vary_by_a_factor_two(factor, verdict):
    g = np.tile(straight(20)[0], 2)
    t = 0.01 * np.repeat([1.0, factor], 20)
    assert judged(probe_result(g, 2 + 3 * g, t=t, scales=None))[0] == verdict


@pytest.mark.parametrize(("spread", "verdict"), [(1.25, "poorly identified"), (1.35, "identified")])
def test_gradient_norms_of_one_size_leave_the_sum_alone(spread, verdict):
    g = np.linspace(1, spread, 40)[np.random.default_rng(0).permutation(40)]
    found, reason = judged(probe_result(g, 2 + 3 * g))
    assert found == verdict
    middle = np.median(g)
    told = (
        f"L0 + L1 g = {2 + 3 * middle:.4g} ({2 + 3 * middle:.4g}, {2 + 3 * middle:.4g}) at g = {middle:.4g}"
    )
    assert (f"gradnorm varies by a factor {spread:.3g} only" in reason) == (verdict != "identified")
    assert (told in reason) == (verdict != "identified")


def test_scatter_that_hides_the_parts_leaves_the_sum_alone():
    rng = np.random.default_rng(1)
    g = np.linspace(1, 1.5, 40)[rng.permutation(40)]
    verdict, reason = judged(probe_result(g, (2 + 3 * g) * rng.uniform(0.7, 1.3, 40)))
    assert verdict == "poorly identified"
    assert "L1 g is anywhere from" in reason
    assert "suggested radius" not in reason


def test_scatter_that_hides_the_radius():
    rng = np.random.default_rng(1)
    g = 1 + 4 * rng.random(12)
    verdict, reason = judged(probe_result(g, g * rng.exponential(size=12) ** 3))
    assert verdict == "poorly identified"
    assert "the suggested radius is known within a factor" in reason


def test_a_ratio_that_goes_on_rising_exceeds_its_envelopes():
    """The last block of four is above the line of the others, in its whole length."""
    g = 1 + 4 * np.random.default_rng(0).random(100)
    rising = np.exp(0.01 * np.arange(100))
    verdict, reason = judged(probe_result(g, (0.1 + g) * rising))
    assert (verdict, reason) == (
        "poorly identified",
        "25% of held-out steps exceed the envelope of the others",
    )
    assert judged(probe_result(g, (0.1 + g) * rising[::-1]))[0] == "poorly identified"
    assert judged(probe_result(g, (0.1 + g) * rising.clip(rising[80])))[0] == "identified"


def test_all_that_is_missing_is_named():
    reason = judged(probe_result(np.ones(16), np.arange(1.0, 17.0) ** 3, scales=None, batch="different"))[1]
    for part in ("mix curvature", "level radii", "gradnorm varies", "suggested radius", "held-out"):
        assert part in reason


def test_order_of_verdicts():
    """One layer with every fault, cured one by one."""
    assert judged(changing_by(1.51, "different", cosine=-0.5, power=-1.0))[0] == "noise"
    assert judged(changing_by(1.6, "different", cosine=-0.5, power=-1.0))[0] == "oscillation"
    assert judged(changing_by(1.6, "different", cosine=0.5, power=-1.0))[0] == "c over t"
    assert judged(changing_by(1.6, batch="different"))[0] == "poorly identified"
    assert judged(changing_by(1.6))[0] == "identified"


def test_slopes():
    x = np.array([0.0, 1.0, 2.0])
    assert slope(x, 3 - 2 * x) == pytest.approx(-2)
    assert math.isnan(slope(np.ones(3), x))
    (path,) = layer_paths(probe_result(*straight(), scales=(0.5, 0.9, 1.0), power=-0.7))
    assert scale_slope(path) == pytest.approx(-0.7)
    (path,) = layer_paths(probe_result(*straight(), scales=(0.6, 0.9, 1.0, 1.1)))
    assert math.isnan(scale_slope(path))


def test_the_slope_over_steps_is_at_equal_gradient_norms():
    """Longer steps come with larger gradients here, and a genuine L1 is no power of t."""
    rng = np.random.default_rng(0)
    g = np.exp(rng.standard_normal(40))
    t = 0.01 * g * np.exp(0.5 * rng.standard_normal(40))
    (path,) = layer_paths(probe_result(g, 3 * g, t=t, scales=None))
    found, factor = step_slope(path)
    assert found == pytest.approx(0, abs=1e-12)
    assert 2 < factor < t.max() / t.min()
    (path,) = layer_paths(probe_result(g, 3 * g / t, t=t, scales=None))
    assert step_slope(path)[0] == pytest.approx(-1)


def kinds(result):
    """What is found, and the fit."""
    (fit,) = fit_smoothness(result)
    return [finding.kind for finding in fit.findings], fit


def with_level(name, values):
    result = probe_result(*straight(scatter=0.0))
    return result.assign({name: (("probe", "layer"), np.broadcast_to(values, 40)[:, None])})


@pytest.mark.parametrize(("factor", "named"), [(0.9, False), (2.5, True)])
def test_an_ascent_that_exceeds_the_fit_says_that_it_is_no_certificate(factor, named):
    L = straight(scatter=0.0)[1]
    found, fit = kinds(with_level("ratio_adversarial", np.where(np.arange(40) == 7, factor, 0.5) * L))
    assert fit.verdict == "identified"
    assert fit.adversarial == pytest.approx(factor, rel=1e-6)
    assert ("ascent" in found) == named
    assert ("2.5 times the ratio that the fit allows, so the fit is no certificate" in fit.reason) == named


def test_the_ascent_is_compared_at_the_gradient_where_it_begins():
    g, L = straight(scatter=0.0)
    result = probe_result(g, L, gradnorm=10 * g)
    ascent = (("probe", "layer"), L[:, None])
    (fit,) = fit_smoothness(result.assign(ratio_adversarial=ascent))
    assert fit.adversarial == pytest.approx((L / (2 + 30 * g)).max(), rel=1e-6)
    assert math.isnan(fit_smoothness(result)[0].adversarial)
    (fit,) = fit_smoothness(probe_result(g, 0 * g).assign(ratio_adversarial=ascent))
    assert fit.adversarial == math.inf


@pytest.mark.parametrize(
    ("name", "limit", "kind", "words"),
    [
        ("coupling_sum", 2.0, "blocks cancel", "2.2 times as much in sum as all together"),
        ("hvp_residual", 0.1, "kinks", "leave 0.11 of the change"),
    ],
)
def test_coupling_and_kinks_get_a_word_and_change_no_verdict(name, limit, kind, words):
    for share, named in ((0.9, False), (1.1, True)):
        found, fit = kinds(with_level(name, share * limit))
        assert fit.verdict == "identified"
        assert (found, words in fit.reason) == ([kind] * named, named)


def test_one_step_that_decides_is_named():
    """Gradients of one size and one large one: L1 is the slope to that step."""
    rng = np.random.default_rng(3)
    g = 0.1 * (1 + 0.5 * rng.random(40))
    L = 0.1 + 0.05 * rng.random(40)
    g[0], L[0] = 20.0, 100.0
    found, fit = kinds(probe_result(g, L).assign_coords(step=("probe", 10 * np.arange(40))))
    assert fit.verdict == "poorly identified"
    assert "one step" in found
    assert "without step 0 L0 is 0.1" in fit.reason
    g[0], L[0] = 0.12, 0.12
    assert "one step" not in kinds(probe_result(g, L))[0]


def test_every_finding_is_of_a_known_kind_and_the_sentences_make_the_reason():
    result = probe_result(np.ones(16), np.arange(1.0, 17.0) ** 3, scales=None, batch="different")
    found, fit = kinds(result)
    assert len(found) > 3
    assert fit.reason == "; ".join(finding.text for finding in fit.findings)
    for finding in fit.findings:
        assert "{" not in summary(finding.kind, [finding.value])
    assert "1.5 to 3" in summary("radius", [3.0, 1.5, 2.0])
    assert "factor 2 only" in summary("radius", [2.0])
