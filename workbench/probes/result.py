"""What a probe measured: a table of quantities, an xarray dataset, and one folder on disk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray
from torch import Tensor

from workbench.probes.layers import NetworkLayers
from workbench.whole_file import whole_file

FORMAT = "workbench-probe-1"
DATA, MANIFEST = "probe.nc", "manifest.json"

Row = Mapping[str, float | Tensor]
"""One probe: ``step``, and quantities by name, numbers or tensors of the axes after ``probe``."""


class ProbeFileError(ValueError):
    """The folder holds no result that can be read; says which file, why, and what would do."""


@dataclass(frozen=True)
class Quantity:
    """What a variable of a result is. level: the level of the probe that measures it."""

    dims: tuple[str, ...]
    long_name: str
    units: str
    formula: str
    level: str = "pair"

    @property
    def attrs(self) -> dict[str, str]:
        """What is written beside the numbers."""
        return {"long_name": self.long_name, "units": self.units, "formula": self.formula}


_PROBE, _LAYER = ("probe",), ("probe", "layer")
_LENGTH, _SLOPE, _CURVE = "length", "loss / length", "loss / length^2"

QUANTITIES = {
    "loss": Quantity(_PROBE, "loss before the step", "loss", "f(X); nan where p.grad was read"),
    "loss_next": Quantity(_PROBE, "loss after the step", "loss", "f(X')"),
    "seconds": Quantity(_PROBE, "time that the probe took", "s", "wall clock"),
    "step_length": Quantity(_LAYER, "length of the step", _LENGTH, "|dX_i|_i, dX = X' - X"),
    "gradnorm": Quantity(_LAYER, "dual norm of the gradient before the step", _SLOPE, "|G_i|_{i*}"),
    "gradnorm_next": Quantity(_LAYER, "dual norm of the gradient after the step", _SLOPE, "|G'_i|_{i*}"),
    "ratio": Quantity(_LAYER, "smoothness seen along the step", _CURVE, "|G'_i - G_i|_{i*} / |dX_i|_i"),
    "noise": Quantity(
        _LAYER, "noise of the gradient", _SLOPE, "|G_i^A - G_i^B|_{i*} / 2 at X, A and B: halves of the set"
    ),
    "ratio_noise": Quantity(
        _LAYER, "noise of the ratio", _CURVE, "|D_i^A - D_i^B|_{i*} / (2 |dX_i|_i), D = G' - G of each half"
    ),
    "ratio_resolution": Quantity(
        _LAYER,
        "what rounding may make of the ratio, and what p.grad misses where it is read",
        _CURVE,
        "eps rho_i (4 l_i + l) / |dX_i|_i, l_i = |G_i|_2 + |G'_i|_2, l of all layers; what p.grad missed, "
        "inf where it was read and proved to be another gradient at other steps",
    ),
    "cosine": Quantity(_LAYER, "cosine of both gradients", "1", "<G_i, G'_i> / (|G_i|_2 |G'_i|_2)"),
    "curvature": Quantity(_LAYER, "curvature along the step", _CURVE, "<G'_i - G_i, dX_i> / |dX_i|_i^2"),
    "step_length_2": Quantity(_LAYER, "Euclidean length of the step", _LENGTH, "|dX_i|_2"),
    "gradnorm_2": Quantity(_LAYER, "Euclidean norm of the gradient before the step", _SLOPE, "|G_i|_2"),
    "gradnorm_next_2": Quantity(_LAYER, "Euclidean norm of the gradient after the step", _SLOPE, "|G'_i|_2"),
    "ratio_2": Quantity(_LAYER, "Euclidean smoothness seen", _CURVE, "|G'_i - G_i|_2 / |dX_i|_2"),
    "ratio_scaled": Quantity(
        (*_LAYER, "scale"),
        "smoothness seen along a multiple of the step",
        _CURVE,
        "|G_i(X + s dX) - G_i(X)|_{i*} / (s |dX_i|_i)",
        "radii",
    ),
    "coupling": Quantity(
        (*_LAYER, "moved"),
        "smoothness seen where one group of layers moves",
        _CURVE,
        "|G_i(X + dX_group) - G_i(X)|_{i*} / max_{j in group} |dX_j|_j",
        "coupling",
    ),
    "coupling_sum": Quantity(
        _LAYER,
        "changes by single groups over the joint one",
        "1",
        "sum over groups of |G_i(X + dX_group) - G_i(X)|_{i*} / |G'_i - G_i|_{i*}",
        "coupling",
    ),
    "hvp_curvature": Quantity(
        _LAYER,
        "mean curvature along the step by Hessian products",
        _CURVE,
        "mean over X..X' of <(H dX)_i, dX_i> / |dX_i|_i^2",
        "hvp",
    ),
    "hvp_residual": Quantity(
        _LAYER,
        "what Hessian products leave of the change",
        "1",
        "|D_i - sum_w w (H dX)_i|_{i*} / |D_i|_{i*}, D = G' - G",
        "hvp",
    ),
    "ratio_adversarial": Quantity(
        _LAYER,
        "largest smoothness found near X",
        _CURVE,
        "|G_i(X + D) - G_i(X)|_{i*} / |D_i|_i found with |D_i|_i <= |dX_i|_i",
        "adversarial",
    ),
    "lmo_a": Quantity(
        _LAYER, "part of the dual norm that directions reach", "1", "<G_i, D_i> / |G_i|_{i*}", "lmo"
    ),
    "lmo_b": Quantity(_LAYER, "length of the directions", "1", "|D_i|_i", "lmo"),
}


def dataset(
    rows: Sequence[Row],
    layers: NetworkLayers,
    attrs: Mapping[str, str | int | float],
    *,
    levels: Sequence[str] = (),
    scales: Sequence[float] = (),
    moved: Sequence[str] = (),
) -> xarray.Dataset:
    """Rows as a dataset, in float64: quantities of level "pair", of ``levels``, and those that rows hold.

    What a row lacks is nan. scales, moved: coordinates of the axes of the same name.
    """
    sizes = {"probe": len(rows), "layer": len(layers.layers), "scale": len(scales), "moved": len(moved)}
    wanted = {"pair", *levels}
    variables = {}
    for name, quantity in QUANTITIES.items():
        if quantity.level in wanted or any(name in row for row in rows):
            table = torch.full([sizes[dim] for dim in quantity.dims], torch.nan, dtype=torch.float64)
            for k, row in enumerate(rows):
                if name in row:
                    table[k] = torch.as_tensor(row[name], dtype=torch.float64)
            variables[name] = (quantity.dims, table.numpy(), quantity.attrs)
    used = {dim for dims, *_ in variables.values() for dim in dims}
    coords = {
        "step": ("probe", np.array([int(row["step"]) for row in rows], dtype=np.int64)),
        "layer": list(layers.names),
        "shape": ("layer", [shape for _, shape, _ in layers.table()]),
        "norm": ("layer", [norm for *_, norm in layers.table()]),
        "size": ("layer", np.array([int(np.prod(la.layout.shape)) for la in layers.layers], dtype=np.int64)),
        **({"scale": np.array(scales, dtype=np.float64)} if "scale" in used else {}),
        **({"moved": list(moved)} if "moved" in used else {}),
    }
    return xarray.Dataset(variables, coords=coords, attrs={"format": FORMAT, **attrs})


def save(dataset: xarray.Dataset, folder: str | Path, manifest: Mapping[str, Any] | None = None) -> Path:
    """FOLDER/probe.nc (NetCDF-3, 64-bit offsets) and FOLDER/manifest.json, each replaced whole.

    The manifest holds the attributes of the dataset, the table of layers, and what is given besides. Returns
    the folder, made if it is not there. ProbeFileError if it cannot be written.
    """
    folder = Path(folder)
    table = [
        {"name": str(name), "shape": str(shape), "norm": str(norm)}
        for name, shape, norm in zip(
            dataset["layer"].values, dataset["shape"].values, dataset["norm"].values, strict=True
        )
    ]
    content = {**dataset.attrs, **(manifest or {}), "probes": dataset.sizes["probe"], "layers": table}
    text = json.dumps(content, indent=2, default=_plain) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / MANIFEST) as said, whole_file(folder / DATA) as data:  # data moved first
            dataset.to_netcdf(data, engine="scipy", format="NETCDF3_64BIT")
            said.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProbeFileError(
            f"the result cannot be written to {folder}: {error.strerror or error}; name another folder"
        ) from None
    return folder


def load(folder: str | Path) -> xarray.Dataset:
    """The dataset of a folder that ``save`` wrote, in memory. ProbeFileError if it is not such a folder."""
    load_manifest(folder)
    path = Path(folder) / DATA
    try:
        with xarray.open_dataset(path, engine="scipy") as stored:
            found = stored.load()
    except FileNotFoundError:
        raise ProbeFileError(
            f"{path} is not there; a result is a folder with {DATA} and {MANIFEST}"
        ) from None
    except Exception as error:  # a flipped byte makes the reader raise nearly anything
        raise ProbeFileError(f"{path} cannot be read, it is damaged ({_first(error)})") from None
    _require_format(path, found.attrs.get("format"))
    whole = {name: found[name].astype(np.int64) for name in ("step", "size") if name in found.coords}
    words = {name: found[name].astype(str) for name in ("layer", "shape", "norm", "moved") if name in found}
    return found.assign_coords({**whole, **words})


def load_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a folder that ``save`` wrote. ProbeFileError if it is not such a folder."""
    path = Path(folder) / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProbeFileError(
            f"{path} is not there; a result is a folder with {DATA} and {MANIFEST}"
        ) from None
    except (OSError, ValueError) as error:
        raise ProbeFileError(f"{path} cannot be read, it is damaged ({_first(error)})") from None
    _require_format(path, content.get("format") if isinstance(content, dict) else None)
    return content


def _require_format(path: Path, found: object) -> None:
    if found != FORMAT:
        raise ProbeFileError(f"{path} has the format {found!r}, and {FORMAT!r} can be read")


def _plain(value: Any) -> Any:
    """Numbers of numpy as those of Python."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"the manifest can hold text, numbers, lists and dicts, got {value!r}")


def _first(error: Exception) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__
