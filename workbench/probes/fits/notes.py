"""What a fit is not, by levels that were asked for: a bound, one layer's own, that of a smooth loss."""

from workbench.probes.fits.findings import Finding
from workbench.probes.fits.layer_path import LayerPath
from workbench.probes.fits.trends import known_median

CANCEL = 2.0
"""``coupling_sum``: half of what single blocks change does not show when all of them move."""
KINKS = 0.1
"""``hvp_residual``; of a smooth loss five nodes leave rounding."""


def notes(path: LayerPath, adversarial: float) -> list[Finding]:
    """What no verdict depends on. adversarial: of ``LayerFit``; nan says nothing, as do paths of nan."""
    found = []
    if adversarial > 1:
        text = (
            f"an ascent in the ball of a step found {adversarial:.3g} times the ratio that the fit allows, "
            "so the fit is no certificate"
        )
        found.append(Finding("ascent", adversarial, text))
    alone = known_median(path.coupling_sum)
    if alone > CANCEL:
        text = (
            f"blocks of layers that move alone change the gradient {alone:.3g} times as much in sum as all "
            "together: they cancel, and the ratio is that of the joint step"
        )
        found.append(Finding("blocks cancel", alone, text))
    left = known_median(path.hvp_residual)
    if left > KINKS:
        text = (
            f"Hessian products along the step leave {left:.2g} of the change of the gradient: it crosses "
            "kinks, is too long for the nodes, or rounding shows"
        )
        found.append(Finding("kinks", left, text))
    return found
