"""What ``workbench probe`` shows: what is trained and measured; losses and fits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray

from workbench.cli.output import console, plain, print_table
from workbench.cli.probe_fits import print_fits
from workbench.probes.fits.fit import LayerFit
from workbench.probes.result import DATA, MANIFEST
from workbench.probes.training.checkpoint import LOSSES
from workbench.probes.training.checkpoint import NAME as CHECKPOINT

ROWS = 16
"""More layers than these are joined where they differ by a number in their name."""


def print_begin(manifest: Mapping[str, Any], result: xarray.Dataset, cost: str = "", began: int = 0) -> None:
    """What is trained, the norm of each layer, what the probe costs."""
    out = console()
    out.print("\n".join(f"{name:<10} {text}" for name, text in _said(manifest, began)), soft_wrap=True)
    out.print()
    table = zip(*(result[name].values.astype(str) for name in ("layer", "shape", "norm")), strict=True)
    print_table(("layer", "shape", "norm"), joined([(str(a), str(b), str(c)) for a, b, c in table]))
    out.print(f"\nmeasured: {manifest['estimator']}")
    if cost:
        out.print(f"\n{cost}")
    out.print()


def _said(manifest: Mapping[str, Any], began: int) -> Iterator[tuple[str, str]]:
    """Names and texts; a result that another program saved has fewer."""
    about = manifest.get("about", {})
    size = f", size {about['size']}" if about.get("size") is not None else ""
    network = manifest.get("network", manifest["model"])
    # what a task of the user's own says about itself may be of any type
    parameters = about.get("parameters", manifest["parameters"])
    counted = f"{parameters:,}" if isinstance(parameters, int) else str(parameters)
    yield "network", f"{network}{size}, {counted} parameters"
    if digest := about.get("sha256", about.get("file_sha256")):
        note = f" ({about['data_note']})" if about.get("data_note") else ""
        yield "data", f"{about.get('data', about.get('task'))}, sha256 {str(digest)[:12]}{note}"
    if "setting" in manifest:
        rates = [rate for name, rate in manifest["setting"].items() if re.match(r"lr( of group|$)", name)]
        yield "optimizer", ", lr ".join([manifest["optimizer"], *rates])
        steps = manifest["steps"]
        went = ", all done before" if began == steps else f", going on from step {began}" if began else ""
        yield "training", f"{steps} steps{went}; seed {manifest['seed']}, {manifest['device']}"
    yield "probe", f"every {manifest['every']} steps, level {manifest['level']}, batch {manifest['batch']}"


def joined(rows: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """As they are if few; else those that differ by numbers in their names as one, and how many."""
    if len(rows) <= ROWS:
        return list(rows)
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name, shape, norm in rows:
        groups.setdefault((re.sub(r"\d+", "*", name), shape, norm), []).append(name)
    return [
        (names[0] if len(names) == 1 else f"{pattern} ({len(names)})", shape, norm)
        for (pattern, shape, norm), names in groups.items()
    ]


def print_end(
    manifest: Mapping[str, Any], fits: Sequence[LayerFit], folder: Path, reasons: bool = False
) -> None:
    """Losses, the fit of each layer with its verdict, what kept it from being better, the files."""
    out = console()
    for line in _course(manifest):
        out.print(line)
    if not fits:
        out.print("\nnothing was probed, so there is nothing to fit")
    else:
        print_fits(out, fits, reasons)
    names = [name for name in (DATA, MANIFEST, LOSSES, CHECKPOINT) if (folder / name).exists()]
    out.print(f"\n{folder}: {', '.join(names)}", soft_wrap=True)


def _course(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Losses and what is odd, a line each."""
    taken, steps = manifest.get("steps_taken", 0), manifest.get("steps", 0)
    if "loss_first" in manifest:
        first, last = (float(manifest[name]) for name in ("loss_first", "loss_last"))
        yield f"loss {first:.4g} at step 0, {last:.4g} at the last; {taken} of {steps} steps taken"
    held_out = manifest.get("evaluation", {})
    if held_out:
        yield "not trained on: " + ", ".join(f"{name} {float(value):.4g}" for name, value in held_out.items())
    if manifest.get("ended"):
        yield f"diverged: {manifest['ended']}"
    elif taken < steps:
        yield "the training is not done: the command that began it goes on"
    if manifest.get("stopped"):
        yield f"the probe stopped: {manifest['stopped']}"


def document(manifest: Mapping[str, Any], fits: Sequence[LayerFit], folder: Path) -> dict[str, Any]:
    """As JSON: where it is, what was done, the fits."""
    return {"folder": str(folder), "manifest": plain(dict(manifest)), "fits": [fit.to_json() for fit in fits]}
