"""Results of probes made from arrays: what the fits and verdicts are tested on."""

from typing import Any

import numpy as np
import xarray as xr


def probe_result(
    g,
    L,
    *,
    t: Any = 0.01,
    gradnorm=None,
    batch="fixed",
    cosine=0.9,
    noise=0.0,
    resolution=0.0,
    power=0.0,
    scales=(0.125, 0.25, 0.5, 1.0, 2.0),
    layer="hidden",
):
    """One layer: ratios L at norms g; noise and resolution as shares of L, ratio_scaled ~ s^power."""
    g, L = np.asarray(g, float), np.asarray(L, float)
    whole = np.ones_like(L)
    columns = {
        "step_length": t * whole,
        "gradnorm": g if gradnorm is None else np.asarray(gradnorm, float),
        "gradnorm_next": g,
        "ratio": L,
        "cosine": cosine * whole,
        "ratio_noise": noise * L,
        "ratio_resolution": resolution * L,
    }
    data: dict[str, Any] = {name: (("probe", "layer"), values[:, None]) for name, values in columns.items()}
    coords: dict[str, Any] = {"step": ("probe", np.arange(len(L))), "layer": [layer]}
    if scales is not None:
        s = np.asarray(scales, float)
        data["ratio_scaled"] = (("probe", "layer", "scale"), (L[:, None] * s**power)[:, None, :])
        coords["scale"] = s
    return xr.Dataset(data, coords=coords, attrs={"format": "workbench-probe-1", "batch": batch})


def straight(n=40, L0=2.0, L1=3.0, scatter=0.01, seed=0):
    """Gradient norms in [1, 5] in random order, and L0 + L1 g up to a relative scatter."""
    rng = np.random.default_rng(seed)
    g = 1 + 4 * rng.random(n)
    return g, (L0 + L1 * g) * (1 + scatter * rng.uniform(-1, 1, n))
