"""``workbench calibrate``: how often the statistics err."""

import dataclasses

from workbench.cli.output import console, plain, print_table, write_json, wrong_use
from workbench.cli.progress import progress
from workbench.cli.targets import require_targets
from workbench.verify.calibration import Calibration, calibrate
from workbench.verify.pool import require_jobs


def main(studies: int, replicates: int, seed: int, jobs: int, json: str | None) -> int:
    """0 if no study refuted a true claim, else 1."""
    with wrong_use():
        jobs = require_jobs(jobs)
    require_targets({"--json": json})
    with progress() as tell:
        found = calibrate(studies, replicates, seed, jobs, tell)
    if json != "-":
        for each in found:
            _print(each)
    if json is not None:
        write_json({"seed": seed, "claims": [plain(dataclasses.asdict(each)) for each in found]}, json)
    return int(any(each.false for each in found))


def _print(c: Calibration) -> None:
    out = console()
    out.print(f"{c.name}: {c.claim}", soft_wrap=True)
    out.print(
        f"mean / bound = {c.ratio:.5f}, coefficient of variation {c.cv:.3g}; the true claim was refuted in "
        f"{c.false} of {c.studies} studies (at any time up to {c.replicates} replicates; largest e-value "
        f"10^{c.largest:.2f}, it takes 10^6)",
        soft_wrap=True,
    )
    shares = list(c.detected)
    columns = ["replicates", *(f"bound {100 * s:g} % too small" for s in shares)]
    rows = [[str(n), *(f"{100 * c.detected[s][i]:.1f} %" for s in shares)] for i, n in enumerate(c.at)]
    rows.append(["formula", *(_predicted(c.predicted[s]) for s in shares)])
    print_table(columns, rows, right=columns)
    out.print()


def _predicted(replicates: float) -> str:
    return f"{replicates:.0f} replicates" if replicates < float("inf") else "no variance"
