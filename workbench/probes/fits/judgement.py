"""What a fit of (L0, L1) along a path is worth, layer by layer: a verdict, and what it rests on.

A ratio |G' - G| / |dX| is smoothness only if the change of the gradient grows with the step. Noise,
rounding and gradients that flip from step to step change by c |G| whatever the step is; the ratio is then
c |G| / t, and a fit returns L0 = 0, L1 = c/t, with 1/L1 near the step length that was used: by
construction. The verdicts exclude these in turn.

No exception is made for L1 = 0: at one step length t, a constant ratio L cannot be told from the constant
change L t of a loss with kinks, so that needs several radii just as much.
"""

import math
from dataclasses import dataclass

import numpy as np

from workbench.probes.fits.asymmetric import Array
from workbench.probes.fits.findings import Finding, Judgement
from workbench.probes.fits.influence import Influence
from workbench.probes.fits.layer_path import LayerPath
from workbench.probes.fits.notes import notes
from workbench.probes.fits.prediction import no_prediction
from workbench.probes.fits.trends import FACTOR, known_median, scale_slope, shortest_step, step_slope

VERDICTS = ("identified", "poorly identified", "noise", "oscillation", "c over t")
IDENTIFIED, POORLY, NOISE, OSCILLATION, C_OVER_T = VERDICTS

MIN_POINTS = 8
"""Steps: with fewer, two parameters, their blocks and folds leave nothing to resample."""
SQRT2_MARGIN = 0.1
"""|change| / |G'| this near sqrt 2 is noise: G and G' of one length, independent; others hit it rarely."""
NOISE_SHARE = math.sqrt(0.5)
"""Noise over ratio. Squares add: here what both halves agree on is as large as what they do not."""
ROUNDING_SHARE = 0.1
"""Rounding over ratio, an estimate of its size only, so one digit is kept between them."""
FLIP = 1.5
"""|change| / |G| with <G, G'> < 0: more than half of G is reversed. Uncorrelated gradients give sqrt 2."""
C_OVER_T_SLOPE = -0.5
"""Half way from the slope 0 of a smooth loss to the -1 of a constant over t."""
RADIUS_WIDTH = 2.0
"""Upper over lower limit of the suggested radius: steps within a factor 2 of the best one are usable."""
GRADNORM_FACTOR = 1.3
"""Largest over smallest g: below, L1 g varies by less than its scatter, and looks like L0."""
SHARE_WIDTH = 0.5
"""Of the interval of L1 g / (L0 + L1 g): wider, neither part is known to be the larger one."""
DRIFT_SLOPE = 1 / 3
"""Up or down: from scale 1/8 to 1 a factor 2, that of ``RADIUS_WIDTH``. (e^u - 1) / u, u = 1 at scale 1, has
0.26; a gradient with a jump at every one of many kinks, met at random, has -1/2 in Euclidean norms."""
EXCEEDED = 0.2
"""Share of held-out steps above the envelope: less than one block of four. Chance reaches it to n = 12."""
LIMITS = (RADIUS_WIDTH, SHARE_WIDTH)
"""One step that changes the fit by more, as ``Influence`` has it, decides it."""


@dataclass(frozen=True)
class Evidence:
    """What the fit knows at the median gradient norm g.

    smoothness, smoothness_interval  L0_seen + L1_seen g, units of L0, and its 95 % interval
    share_interval                   95 % interval of L1_seen g / (L0_seen + L1_seen g)
    exceeded                         share of held-out steps above the envelope
    L1                               L1_seen
    influence                        of the step that changes the fit most; None for too few steps
    adversarial                      largest ratio of an ascent over L0_seen + L1_seen g at its step, or nan
    relative_error, held_out_error   mean ((L - fit) / L)^2, of the steps fitted and of blocks held out
    """

    gradnorm: float
    smoothness: float
    smoothness_interval: tuple[float, float]
    share_interval: tuple[float, float]
    exceeded: float
    L1: float
    influence: Influence | None = None
    adversarial: float = math.nan
    relative_error: float = math.nan
    held_out_error: float = math.nan


def judge(path: LayerPath, evidence: Evidence) -> Judgement:
    """The first that applies, with its numbers, then what no verdict depends on.

    Too few steps for any other, "poorly identified"; "noise"; "oscillation"; "c over t"; "poorly
    identified", with all that is missing; "identified". What was not measured, nan, shows no fault; only
    against c over t there must be evidence.
    """
    verdict, findings = _verdict(path, evidence)
    beside = notes(path, evidence.adversarial)
    said = [finding.text for finding in (*findings, *beside)]
    if verdict == IDENTIFIED:
        said.insert(0, _identified(path, evidence))
    return Judgement(verdict, "; ".join(said), (*findings, *beside))


def _verdict(path: LayerPath, evidence: Evidence) -> tuple[str, list[Finding]]:
    if path.n < MIN_POINTS:
        moved = f"in {path.n} probed steps" if path.n else "in no probed step"
        text = f"the layer moved {moved}, at least {MIN_POINTS} are needed"
        return POORLY, [Finding("few steps", path.n, text)]
    for verdict, finding in (
        (NOISE, _noise(path)),
        (OSCILLATION, _oscillation(path)),
        (C_OVER_T, _c_over_t(path)),
    ):
        if finding:
            return verdict, [finding]
    return (POORLY, missing) if (missing := _missing(path, evidence)) else (IDENTIFIED, [])


def _identified(path: LayerPath, evidence: Evidence) -> str:
    return (
        f"{_trend(path)[1]}, the suggested radius is known within a factor "
        f"{_width(evidence.smoothness_interval):.3g}, and {evidence.exceeded:.0%} of {path.n} held-out steps "
        "exceed the envelope of the others"
    )


def _over(values: Array, by: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return values / by


def _noise(path: LayerPath) -> Finding | None:
    change = known_median(_over(path.ratio * path.step_length, path.gradnorm_next))
    if path.batch == "different" and abs(change - math.sqrt(2)) < SQRT2_MARGIN:
        text = (
            "at different mini-batches the gradient changes by "
            f"{change:.3f} of its norm, near the sqrt 2 = 1.414 that noise alone gives at any step length"
        )
        return Finding("sqrt 2", change, text)
    halves = known_median(_over(path.ratio_noise, path.ratio))
    if halves > NOISE_SHARE:
        text = f"the halves of the batch put the noise of the ratio at {halves:.2f} of it"
        return Finding("halves differ", halves, text)
    rounding = known_median(_over(path.ratio_resolution, path.ratio))
    if math.isinf(rounding):
        text = "most ratios are 0, so that smoothness, if there is any, is below what rounding lets be seen"
        return Finding("rounding", rounding, text)
    if rounding > ROUNDING_SHARE:
        text = f"rounding alone may make {rounding:.2g} of the ratio; a wider dtype or longer steps would do"
        return Finding("rounding", rounding, text)
    return None


def _oscillation(path: LayerPath) -> Finding | None:
    cosine = known_median(path.cosine)
    change = known_median(_over(path.ratio * path.step_length, path.gradnorm))
    if not (cosine < 0 and change > FLIP):
        return None
    text = (
        f"gradients flip from step to step (cosine {cosine:.2f}, change {change:.2f} of the norm), "
        "so the ratio follows the step length that was used"
    )
    return Finding("flips", change, text)


def _c_over_t(path: LayerPath) -> Finding | None:
    exponent, trend = _trend(path)
    found = Finding("c over t", exponent, f"{trend}, near a constant over it")
    return found if exponent < C_OVER_T_SLOPE else None


def _trend(path: LayerPath) -> tuple[float, str]:
    """The ratio as a power of the step length, and that in words; (nan, "") where nothing tells."""
    by_scale = scale_slope(path)
    if not math.isnan(by_scale):
        return by_scale, f"over multiples s of a step the ratio goes like s^{by_scale:z.2f}"
    by_step, factor = step_slope(path)
    if not factor > FACTOR:
        return math.nan, ""
    return by_step, (
        f"steps vary by a factor {factor:.2f} at equal gradient norms, and the ratio goes like "
        f"t^{by_step:z.2f} with their length t"
    )


def _missing(path: LayerPath, evidence: Evidence) -> list[Finding]:
    """What keeps the fit from being identified."""
    found = _of_steps(path, evidence)
    if evidence.influence and _decides(evidence.influence):
        found.append(_one_step(path, evidence.influence))
    width = _width(evidence.smoothness_interval)
    smallest, largest = path.gradnorm_next.min(), path.gradnorm_next.max()
    low, high = evidence.share_interval
    if not largest >= GRADNORM_FACTOR * smallest:
        factor = largest / smallest if smallest > 0 else 1.0
        text = f"gradnorm varies by a factor {factor:.3g} only, {_sum_alone(evidence)}"
        found.append(Finding("L0 or L1", width, text))
    elif not high - low <= SHARE_WIDTH:
        text = f"L1 g is anywhere from {low:.2f} to {high:.2f} of L0 + L1 g, {_sum_alone(evidence)}"
        found.append(Finding("L0 or L1", width, text))
    if not width <= RADIUS_WIDTH:
        text = f"the suggested radius is known within a factor {width:.3g} only"
        found.append(Finding("radius", width, text))
    if not evidence.exceeded <= EXCEEDED:
        text = f"{evidence.exceeded:.0%} of held-out steps exceed the envelope of the others"
        found.append(Finding("exceeded", evidence.exceeded, text))
    return found + no_prediction(evidence.relative_error, evidence.held_out_error)


def _of_steps(path: LayerPath, evidence: Evidence) -> list[Finding]:
    """What is wrong with the steps at which the ratios were taken."""
    found = []
    if path.batch == "different":
        text = "gradients at different mini-batches mix curvature and noise"
        found.append(Finding("mini-batches", math.nan, text))
    exponent, trend = _trend(path)
    if math.isnan(exponent):
        factor = step_slope(path)[1]
        text = (
            f"steps vary by a factor {factor:.2f} at equal gradient norms, so the fit cannot be told from "
            "a constant over the step length; level radii would tell"
        )
        found.append(Finding("one length", factor, text))
    if abs(exponent) > DRIFT_SLOPE:
        found.append(Finding("drifts", exponent, f"{trend}, so that it is no constant at these lengths"))
    shortest = shortest_step(path)
    if shortest * evidence.L1 > 1:
        text = (
            f"the shortest steps, of {shortest:.3g}, are {shortest * evidence.L1:.3g} times 1/L1, and beyond "
            "1/L1 the model says nothing; smaller scales would tell"
        )
        found.append(Finding("long steps", shortest * evidence.L1, text))
    return found


def _decides(influence: Influence) -> bool:
    return influence.factor > LIMITS[0] or influence.share > LIMITS[1]


def _one_step(path: LayerPath, influence: Influence) -> Finding:
    step = path.step[influence.step]
    text = f"one step decides: without step {step} L0 is {influence.L0:.3g} and L1 {influence.L1:.3g}"
    return Finding("one step", influence.factor, text)


def _sum_alone(evidence: Evidence) -> str:
    low, high = evidence.smoothness_interval
    return (
        f"so L0 and L1 trade off, and only their sum is seen: L0 + L1 g = {evidence.smoothness:.4g} "
        f"({low:.4g}, {high:.4g}) at g = {evidence.gradnorm:.4g}"
    )


def _width(interval: tuple[float, float]) -> float:
    """Upper over lower limit; 1 where they are equal, as 0 and 0 or inf and inf."""
    low, high = interval
    if low == high:
        return 1.0
    return high / low if low > 0 else math.inf if high > 0 else math.nan
