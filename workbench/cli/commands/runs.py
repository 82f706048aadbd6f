"""Runs and what they measured: of a method on a problem, of the training of a network."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.commands.options import DrawsSeed, JsonFile, UserFile, folder


def run(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="As 'BPM(radius=0.5)'.")],
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="As 'Huber(L=2.0, d=4)'.")],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Number of steps.")] = 100,
    replicates: Annotated[
        int | None, typer.Option("--replicates", min=1, help="Runs with draws of their own.")
    ] = None,
    seed: DrawsSeed = 0,
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
    json: JsonFile = None,
) -> None:
    """Run a method on a problem and show what it measured, step by step."""


def probe(
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
        Path | None,
        typer.Option(
            "--out", parser=folder, metavar="FOLDER", help="Default: results/probe-NETWORK-OPTIMIZER."
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Write over what is in the folder.")] = False,
    save_every: Annotated[
        float | None,
        typer.Option("--save-every", min=0.0, metavar="SECONDS", help="Between checkpoints; 60."),
    ] = None,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Why a verdict is what it is, layer by layer, in sentences.")
    ] = False,
    json: JsonFile = None,
) -> None:
    """Train a network and measure its smoothness, layer by layer, along the way.

    The same command goes on where it was stopped; `workbench probe FOLDER` shows a result again. Numbers are
    the same bit by bit, stopped or not, on a CPU with the same number of threads (OMP_NUM_THREADS). Exit
    status 0 also where the training diverged, which is a result.
    """
