"""What a probe saw of one layer, step by step, as arrays."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from workbench.probes.fits.asymmetric import Array

BATCHES = ("fixed", "training", "different", "pair")
"""On which rows the two gradients of a step were taken."""

_NEEDED = ("gradnorm", "gradnorm_next", "ratio", "step_length")
_OPTIONAL = (
    *("cosine", "ratio_noise", "ratio_resolution"),
    *("ratio_adversarial", "coupling_sum", "hvp_residual"),
)


@dataclass(frozen=True)
class LayerPath:
    """Steps at which a layer moved and all of its lengths are finite and not in doubt, in order.

    In doubt is what has the ratio_resolution inf: p.grad was read, and was another gradient elsewhere.

    step                                         (n,), of the training; 0, 1, ... where that is not known
    gradnorm, gradnorm_next, ratio, step_length  (n,)
    cosine, ratio_noise, ratio_resolution,
    ratio_adversarial, coupling_sum,
    hvp_residual                                 (n,), nan where they were not measured
    scales, ratio_scaled                         (n_scales,) and (n, n_scales), nan alike
    """

    layer: str
    batch: str
    step: Array
    gradnorm: Array
    gradnorm_next: Array
    ratio: Array
    step_length: Array
    cosine: Array
    ratio_noise: Array
    ratio_resolution: Array
    ratio_adversarial: Array
    coupling_sum: Array
    hvp_residual: Array
    scales: Array
    ratio_scaled: Array

    @property
    def n(self) -> int:
        """Number of steps."""
        return len(self.ratio)


def layer_paths(result: xr.Dataset) -> tuple[LayerPath, ...]:
    """One per layer of a probe's result.

    TypeError unless it is a Dataset. ValueError naming what ``result`` lacks: a quantity, the coordinate
    "layer", or the attribute "batch".
    """
    if not isinstance(result, xr.Dataset):
        raise TypeError(f"result must be an xarray.Dataset of a probe, got {type(result).__name__}")
    missing = [name for name in _NEEDED if name not in result]
    missing += ["layer"] if "layer" not in result.coords else []
    if missing:
        raise ValueError(f"result must be that of a probe, and lacks {', '.join(missing)}")
    if result.attrs.get("batch") not in BATCHES:
        raise ValueError(
            f"result.attrs['batch'] must be one of {', '.join(BATCHES)}, got {result.attrs.get('batch')!r}"
        )
    return tuple(_path(result.isel(layer=i)) for i in range(result.sizes["layer"]))


def _path(seen: xr.Dataset) -> LayerPath:
    needed = {name: seen[name].to_numpy().astype(float) for name in _NEEDED}
    keep = np.logical_and.reduce([np.isfinite(values) for values in needed.values()])
    optional = {
        name: seen[name].to_numpy().astype(float) if name in seen else np.full(keep.shape, np.nan)
        for name in _OPTIONAL
    }
    keep &= ~np.isinf(optional["ratio_resolution"])
    scaled = "ratio_scaled" in seen
    step = seen["step"].to_numpy() if "step" in seen.coords else np.arange(len(keep))
    return LayerPath(
        layer=str(seen["layer"].item()),
        batch=seen.attrs["batch"],
        step=step[keep],
        scales=seen["scale"].to_numpy().astype(float) if scaled else np.empty(0),
        ratio_scaled=_by_scale(seen)[keep] if scaled else np.empty((keep.sum(), 0)),
        **{name: values[keep] for name, values in (needed | optional).items()},
    )


def _by_scale(seen: xr.Dataset) -> Array:
    return seen["ratio_scaled"].transpose("probe", "scale").to_numpy().astype(float)
