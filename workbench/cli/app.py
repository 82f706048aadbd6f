"""Commands and their arguments; the work is done in the modules that ``dispatch`` lists."""

from pathlib import Path
from typing import Annotated

import typer

from workbench import __version__
from workbench.catalogue import CATALOGUE
from workbench.cli.dispatch import dispatch

_SIZE = ", ".join(
    f"{len(CATALOGUE[kind])} {kind}" for kind in ("theorems", "methods", "problems", "assumptions")
)

app = typer.Typer(
    name="workbench",
    help=f"Verify convergence theorems on problems with certified constants: {_SIZE}.",
    epilog="Exit status: 0 as expected, 1 not as expected, 2 wrong use.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
UserFile = Annotated[
    Path | None, typer.Option("--file", help="A file with objects of yours.", metavar="MINE.PY")
]


def main() -> None:
    """Entry point of ``workbench``."""
    app(prog_name="workbench")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


@app.command("list")
def _list(
    kind: Annotated[str, typer.Argument(help="; ".join(CATALOGUE))],
    json: Json = False,
) -> None:
    """List papers, theorems, methods, their options, problems, assumptions, counterexamples or figures."""
    dispatch("list", kind=kind, json=json)


@app.command("show")
def _show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A theorem, method, problem, assumption, counterexample, figure or paper."
        ),
    ],
    file: UserFile = None,
    json: Json = False,
) -> None:
    """Show a theorem in full (statement, LaTeX, instances, mutants, proof), or another object."""
    dispatch("show", name=name, file=file, json=json)


@app.command("verify")
def _verify(
    selectors: Annotated[
        list[str] | None,
        typer.Argument(metavar="SELECTOR", help="Ids or globs, as 'bpm/*'; default: all."),
    ] = None,
    file: UserFile = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Only the false variants (they always run as well).")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="One instance per family, 50 steps.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The long list of instances, 500 steps.")] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write all records; '-': only these.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of records and witnesses.")] = Path("results"),
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of starts and draws.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Redo what is already in the folder.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Processes for the work; 1, or -1: all cores."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="Share it on a Dask cluster instead."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be run.")] = False,
    not_applicable: Annotated[
        bool, typer.Option("--not-applicable", help="List where theorems do not apply, and why.")
    ] = False,
) -> None:
    """Verify theorems on every problem that satisfies their assumptions."""
    dispatch(
        "verify",
        selectors=selectors or [],
        file=file,
        mutants=mutants,
        quick=quick,
        full=full,
        json=json,
        out=out,
        seed=seed,
        fresh=fresh,
        jobs=jobs,
        scheduler=scheduler,
        dry_run=dry_run,
        not_applicable=not_applicable,
    )


@app.command("run")
def _run(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="As 'BPM(radius=0.5)'.")],
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="As 'Huber(L=2.0, d=4)'.")],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Number of steps.")] = 100,
    replicates: Annotated[
        int | None, typer.Option("--replicates", min=1, help="Runs with draws of their own.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the draws.")] = 0,
    x0: Annotated[
        str | None,
        typer.Option("--x0", metavar="X,X,...", help="Start; several, one a replicate: '1,2;3,4'."),
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", metavar="NAME,NAME", help="Quantities; default: what is known.")
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Record every N-th step.")] = 1,
    norm: Annotated[
        str | None,
        typer.Option("--norm", metavar="NORM", help="Measure in this norm; default: the method's."),
    ] = None,
    file: UserFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Keep the whole run, as .npz or .csv.")
    ] = None,
    iterates: Annotated[
        bool,
        typer.Option("--iterates", help="Keep the iterates too, in an .npz: `check --along` reads them."),
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="NAME<=X",
            help="Also show the first recorded step with, say, 'gap<=1e-6', and what was spent before it.",
        ),
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write it as JSON; '-': only this.")
    ] = None,
) -> None:
    """Run a method on a problem and show what it measured, step by step."""
    dispatch(
        "run",
        method=method,
        problem=problem,
        steps=steps,
        replicates=replicates,
        seed=seed,
        x0=x0,
        record=record,
        every=every,
        norm=norm,
        file=file,
        out=out,
        iterates=iterates,
        until=until,
        json=json,
    )


@app.command("check")
def _check(
    assumption: Annotated[
        str, typer.Argument(metavar="ASSUMPTION", help="As 'Smooth(L=2.0)'; 'Smooth' alone: as certified.")
    ],
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="As 'Huber(L=2.0, d=4)'.")],
    estimate: Annotated[
        bool, typer.Option("--estimate", help="The constants that samples need, with the front of pairs.")
    ] = False,
    refute: Annotated[bool, typer.Option("--refute", help="Search for a violation.")] = False,
    certify: Annotated[
        bool, typer.Option("--certify", help="Prove it by ball arithmetic (SymbolicProblem).")
    ] = False,
    along: Annotated[
        Path | None, typer.Option("--along", metavar="TRACE", help="At each step of a saved run.")
    ] = None,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Sampled tuples of points; 10000, fewer for terms.")
    ] = None,
    grid: Annotated[
        int | None, typer.Option("--grid", min=1, help="Instead: an even grid with so many numbers per axis.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option("--budget", min=1, help="Evaluations of a search; 20000, fewer for terms.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32, help="Seed of samples and searches.")] = 0,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="As 'Ball(center=(0.0,), radius=1.0)'.")
    ] = None,
    norm: Annotated[str | None, typer.Option("--norm", metavar="NORM", help="As 'Lp(p=1.0)'.")] = None,
    file: UserFile = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write it as JSON; '-': only this.")
    ] = None,
) -> None:
    """Does a problem satisfy an assumption? Check, estimate, search for a violation, prove.

    A class alone, such as Smooth, means each statement of it that is certified; with --estimate its constants
    are estimated, with --certify the best one is enclosed. Exit status 1 if something was refuted, or could
    not be told for nan or an overflow.
    """
    dispatch(
        "check",
        assumption=assumption,
        problem=problem,
        estimate=estimate,
        refute=refute,
        certify=certify,
        along=along,
        points=points,
        grid=grid,
        budget=budget,
        seed=seed,
        region=region,
        norm=norm,
        file=file,
        json=json,
    )


@app.command("table")
def _table(
    problem: Annotated[
        list[str] | None, typer.Option("--problem", metavar="GLOB", help="Problems or families; repeat it.")
    ] = None,
    assumption: Annotated[
        list[str] | None, typer.Option("--assumption", metavar="GLOB", help="Assumptions; repeat it.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="All instances, not one of each family.")] = False,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Evaluations of each search.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32, help="Seed of samples and searches.")] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", help="Processes that share the work; -1: all cores.")
    ] = 1,
    file: UserFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.MD", help="Also write it as Markdown.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write all cells; '-': only these.")
    ] = None,
) -> None:
    """Every problem against every assumption: certified, not refuted, refuted."""
    dispatch(
        "table",
        problem=problem,
        assumption=assumption,
        full=full,
        budget=budget,
        seed=seed,
        jobs=jobs,
        file=file,
        out=out,
        json=json,
    )


@app.command("probe")
def _probe(
    network: Annotated[
        str,
        typer.Argument(metavar="NETWORK", help="gpt, cnn, mlp, a task of yours 'path.py:make', or a result."),
    ],
    optimizer: Annotated[
        str | None, typer.Option("--optimizer", help="scion, muon, gluon, drop-muon, adamw or sgd; scion.")
    ] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate; the task has its own.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps of the training.")] = None,
    every: Annotated[int | None, typer.Option("--every", min=1, help="Probe every N-th step.")] = None,
    level: Annotated[
        str | None,
        typer.Option(
            "--level", metavar="NAME,NAME", help="pair, radii, coupling, hvp, adversarial, lmo; radii,lmo."
        ),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", help="fixed, training, or different, which measures noise; fixed."),
    ] = None,
    norms: Annotated[
        str | None,
        typer.Option("--norms", help="scion, muon, euclidean or optimizer; the optimizer's if it has norms."),
    ] = None,
    size: Annotated[str | None, typer.Option("--size", help="Of the network, as 0.8M for gpt.")] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="NAME|PATH", help="Text or images; a small set.")
    ] = None,
    tokens: Annotated[str | None, typer.Option("--tokens", help="chars or bytes, for gpt.")] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=1, help="Rows of a training batch.")] = None,
    fixed_rows: Annotated[
        int | None, typer.Option("--fixed-rows", min=1, help="Rows of the fixed set that is probed at.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu or cuda; auto.")] = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="Of the probe's gradients: float32 or float64; float32.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of weights, batches, draws; 0.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Default: results/probe-NETWORK-OPTIMIZER.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Write over what is in the folder.")] = False,
    save_every: Annotated[
        float | None,
        typer.Option("--save-every", min=0.0, metavar="SECONDS", help="Between checkpoints; 60."),
    ] = None,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Why a verdict is what it is, layer by layer, in sentences.")
    ] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write it as JSON; '-': only this.")
    ] = None,
) -> None:
    """Train a network and measure its smoothness, layer by layer, along the way.

    The same command goes on where it was stopped; `workbench probe FOLDER` shows a result again. Numbers are
    the same bit by bit, stopped or not, on a CPU with the same number of threads (OMP_NUM_THREADS). Exit
    status 0 also where the training diverged, which is a result.
    """
    dispatch(
        "probe",
        network=network,
        optimizer=optimizer,
        lr=lr,
        steps=steps,
        every=every,
        level=level,
        batch=batch,
        norms=norms,
        size=size,
        data=data,
        tokens=tokens,
        rows=rows,
        fixed_rows=fixed_rows,
        device=device,
        dtype=dtype,
        seed=seed,
        out=out,
        fresh=fresh,
        save_every=save_every,
        reasons=reasons,
        json=json,
    )


@app.command("calibrate")
def _calibrate(
    studies: Annotated[int, typer.Option("--studies", min=1, help="Studies of each claim.")] = 1000,
    replicates: Annotated[int, typer.Option("--replicates", min=1, help="Runs of each study.")] = 4096,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the draws.")] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", help="Processes that share the work; -1: all cores.")
    ] = 1,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write it as JSON; '-': only this.")
    ] = None,
) -> None:
    """How often a true claim about a mean is refuted, and how soon a false one: many studies of exact claims.

    Exit status 1 if a study refuted a claim that is true.
    """
    dispatch("calibrate", studies=studies, replicates=replicates, seed=seed, jobs=jobs, json=json)


@app.command("replay")
def _replay(
    witness: Annotated[Path, typer.Argument(help="A witness file, or a record as JSON.")],
    json: Json = False,
) -> None:
    """Rerun exactly the case that refuted a claim, and show it."""
    dispatch("replay", witness=witness, json=json)


@app.command("falsify")
def _falsify(
    name: Annotated[str, typer.Argument(metavar="ID", help="A theorem.")],
    budget: Annotated[
        int,
        typer.Option("--budget", metavar="N", help="Evaluations: runs of the method, or states of a step."),
    ] = 20_000,
    drop: Annotated[
        str | None, typer.Option("--drop", metavar="ASSUMPTION", help="Search outside this assumption.")
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Search the false variants, without being told where they fail.")
    ] = False,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="The worst case over the whole class, proved, instead of a search."),
    ] = False,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="K", help="Length of the runs; --exact: of the chain.")
    ] = None,
    file: UserFile = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the search.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for what was found and its witness.")
    ] = None,
    json: Json = False,
) -> None:
    """Search the instance that comes closest to breaking a claim, or breaks it; --exact: the worst case."""
    dispatch(
        "falsify",
        name=name,
        budget=budget,
        drop=drop,
        mutants=mutants,
        exact=exact,
        steps=steps,
        file=file,
        seed=seed,
        out=out,
        json=json,
    )


@app.command("evidence")
def _evidence(
    selectors: Annotated[
        list[str] | None,
        typer.Argument(metavar="SELECTOR", help="Ids or globs, as 'bpm/*'; default: all."),
    ] = None,
    budget: Annotated[
        int, typer.Option("--budget", metavar="N", help="Evaluations of the search, for each theorem.")
    ] = 2_000,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.MD", help="Also write a page; beside it what is done."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the search.")] = 0,
    json: Json = False,
) -> None:
    """For each theorem: its bound, the best found by search, the exact worst case, the rate that follows."""
    dispatch("evidence", selectors=selectors or [], budget=budget, out=out, seed=seed, json=json)


@app.command("figure")
def _figure(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME|all", help="Figures or globs, as 'bpm-*'; or all.")
    ],
    style: Annotated[str, typer.Option("--style", help="neurips, icml, jmlr, siam or slides.")] = "neurips",
    width: Annotated[str, typer.Option("--width", help="One column or two.", metavar="one|two")] = "two",
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="SAVED", help="Draw these numbers, a NAME.json or a folder of them."),
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="pdf, png or svg; repeat it. Default: pdf and png.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Paper quality, minutes instead of seconds.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32, help="Seed of starts and draws.")] = 0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of what is written.")] = Path(
        "figures-out"
    ),
    gallery: Annotated[
        Path | None, typer.Option("--gallery", metavar="FILE.MD", help="Also write a page of the figures.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also say it as JSON; '-': only this.")
    ] = None,
) -> None:
    """Draw figures for a paper, and save the numbers behind them."""
    dispatch(
        "figure",
        names=names,
        style=style,
        width=width,
        data=data,
        formats=formats or [],
        full=full,
        seed=seed,
        out=out,
        gallery_file=gallery,
        json=json,
    )


@app.command("report")
def _report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `workbench verify` wrote.")],
    before: Annotated[
        Path | None, typer.Argument(metavar="DIR2", help="An earlier one: what has changed since?")
    ] = None,
    file: UserFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.HTML", help="The page; default: DIR/report.html.")
    ] = None,
    latex: Annotated[
        Path | None, typer.Option("--latex", metavar="FILE.TEX", help=r"Also write a table for \input.")
    ] = None,
    bibtex: Annotated[
        Path | None, typer.Option("--bibtex", metavar="FILE.BIB", help="Also write the papers as BibTeX.")
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="FILE|-", help="Also write the page's data; '-': only this on stdout."
        ),
    ] = None,
) -> None:
    """Write one HTML page to browse results: statements, verdicts, tightness, witnesses.

    It needs no network and opens from disk.
    """
    dispatch(
        "report",
        folder=folder,
        before=before,
        file=file,
        out=out,
        latex=latex,
        bibtex_file=bibtex,
        json=json,
    )


@app.command("new")
def _new(
    kind: Annotated[str, typer.Argument(help="theorem, problem or method")],
    name: Annotated[Path | None, typer.Argument(metavar="NAME.PY", help="Default: my_KIND.py")] = None,
) -> None:
    """Write a commented file of your own that runs as it is."""
    dispatch("new", kind=kind, name=name)


@app.command("info")
def _info(json: Json = False) -> None:
    """Show versions, extras, data found and the device."""
    dispatch("info", json=json)
