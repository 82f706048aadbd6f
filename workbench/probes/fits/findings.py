"""What is found about the fit of a layer: a kind, which layers share, a number and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

KINDS = {
    "few steps": "moved in {} probed steps; 8 or more are needed",
    "sqrt 2": "at different mini-batches the gradient changes by {} of its norm; noise alone gives 1.414",
    "halves differ": "the halves of the set put the noise of the ratio at {} of it",
    "rounding": "rounding alone may make {} of the ratio",
    "flips": "gradients flip from step to step, by {} of their norm",
    "c over t": "the ratio goes like the length of the step to the power {}",
    "mini-batches": "gradients at different mini-batches mix curvature and noise",
    "one length": "steps vary by a factor {} at equal gradient norms; level radii would tell more",
    "drifts": "the ratio goes like the length of the step to the power {}: it is no constant",
    "long steps": "the shortest steps are {} times 1/L1; smaller scales would tell more",
    "one step": "without one step the fit is another one: L0 + L1 g changes by a factor {}, or its parts",
    "L0 or L1": "L0 and L1 trade off; their sum, L0 + L1 g, is known within a factor {}",
    "radius": "the suggested radius is known within a factor {} only",
    "exceeded": "a share {} of held-out steps exceeds the envelope of the others",
    "prediction": "the fit misses the ratios by a mean squared relative error of {}; predicting 0 has 1",
    "ascent": "no certificate: an ascent found up to {} times what the fit allows",
    "blocks cancel": "single blocks of layers change the gradient {} times as much as all together",
    "kinks": "Hessian products leave {} of the change: kinks, rounding, or too long steps",
}
"""What a kind says of some layers, {}: the range of the numbers. The last three change no verdict."""


@dataclass(frozen=True)
class Finding:
    """kind: of ``KINDS``. value: its number, nan where it has none. text: the sentence on this layer."""

    kind: str
    value: float
    text: str


@dataclass(frozen=True)
class Judgement:
    """Verdict, one of ``workbench.probes.judgement.VERDICTS``, what it rests on, and that as one text."""

    verdict: str
    reason: str
    findings: tuple[Finding, ...] = ()


def summary(kind: str, values: Sequence[float]) -> str:
    """The sentence of a kind with the range of its numbers."""
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return KINDS[kind].format(low if low == high else f"{low} to {high}")
