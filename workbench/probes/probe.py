"""Smoothness along a training: a probe that listens to an optimizer and changes nothing."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
import xarray
from torch import Tensor, nn
from torch.optim import Optimizer

from assumptions.norms import Norm
from workbench.probes import manifest, result
from workbench.probes.batches import Batch, count_rows
from workbench.probes.gradients.oracle import GradientOracle, Loss
from workbench.probes.gradients.parts import PartsOracle
from workbench.probes.hooks import StepHooks, optimizers_of
from workbench.probes.layers import layers_for
from workbench.probes.levels import default_groups, groups_by_pattern, orthogonalisers
from workbench.probes.measure import Bench
from workbench.probes.options import ESTIMATORS, Options, kind_of
from workbench.probes.recorder import NotFiniteError, ProbeStoppedWarning, Recorder
from workbench.probes.sources import FixedSource, StepSource

__all__ = ["NotFiniteError", "ProbeStoppedWarning", "SmoothnessProbe"]


class SmoothnessProbe:
    """Smoothness of a network along its training, layer by layer, in the norms of the layers.

        with SmoothnessProbe(model, optimizer, loss=loss, batch=fixed, norms="scion", every=50) as probe:
            train()
        probe.result()

    Gradients are taken before and after a step of the optimizer, in a copy of the model; a probed run is bit
    by bit the unprobed one. Steps are counted from 0, and k is probed if k % every == 0; they are those of
    the optimizer: what a ``GradScaler`` skips is none, or, with fused optimizers, a row of nan. optimizer:
    one, or several that make up a step, as ``StepHooks`` says. The parameters that need a gradient when the
    probe is made are the layers.

    loss(model, batch): one number, the mean over the rows. batch: a fixed set, whose two halves tell the
    noise; "training": the mini-batch of the step, given to ``saw`` and not altered before the step ends,
    where p.grad is read for the first gradient if it proves to be that of the loss; "different": the
    published estimator, which MEASURES NOISE. norms, output: as ``layers_for``, "optimizer" for those of
    ``workbench.optim``. level: "pair" or names of ``levels.LEVELS``. dtype, chunk, mode, seed, group: as
    ``GradientOracle``. scales; nodes; rounds: of the levels radii; hvp; adversarial. groups: of layers for
    the level coupling, label -> patterns of names, by default blocks. announce: gets a text with norms and
    costs before the first step, and changes of plan later; None for silence.

    Where anything goes wrong in a step, as a loss that is nan or memory that runs out, the probe stops:
    ``stopped`` says why, a ``ProbeStoppedWarning`` is given, what was measured stays, and so does the
    training. Bad arguments raise ValueError or TypeError before anything is attached.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | Sequence[Optimizer],
        *,
        loss: Loss,
        batch: Batch | str,
        norms: str | Mapping[str, str | Norm] = "optimizer",
        every: int = 50,
        level: str | Sequence[str] = "pair",
        output: str | None = None,
        dtype: torch.dtype | None = None,
        chunk: int | None = None,
        mode: str | None = None,
        seed: int = 0,
        group: Any = None,
        scales: Sequence[float] = (0.125, 0.25, 0.5, 1.0, 2.0),
        groups: Mapping[str, str | Sequence[str]] | None = None,
        nodes: int = 5,
        rounds: int = 4,
        announce: Callable[[str], Any] | None = manifest.to_stderr,
    ) -> None:
        oracle = GradientOracle(model, loss, dtype=dtype, chunk=chunk, mode=mode, seed=seed, group=group)
        kind = kind_of(batch)
        options = Options(kind, every, level, scales, nodes, rounds, oracle.dtype, chunk, mode, seed)
        optimizers = optimizers_of(optimizer)
        self._bench = _bench(oracle, optimizers, options, norms, output, groups)
        parts = self._bench.oracle
        fixed = kind == "fixed"
        self._source = FixedSource(parts, batch) if fixed else StepSource(parts, self._bench.layers, kind)
        self._announce: Callable[[str], Any] = announce or (lambda _: None)
        self._recorder = Recorder(self._bench, self._source, self._announce)
        self._hooks = StepHooks(optimizers, self._recorder.opened, self._recorder.closed)

    # -- around a training --------------------------------------------------------------------------------

    def attach(self) -> Self:
        """Listen to the optimizers. RuntimeError if a probe listens to one of them already."""
        self._hooks.attach()
        try:
            self._announce(manifest.announcement(self._bench, self._source))
        except BaseException:
            self._hooks.detach()
            raise
        return self

    def detach(self) -> None:
        """Listen no longer; the measured rows stay, a step that is open is lost."""
        self._hooks.detach()
        self._recorder.lose()

    def __enter__(self) -> Self:
        return self.attach()

    def __exit__(self, *_: object) -> None:
        self.detach()

    @property
    def stopped(self) -> str:
        """Why the probe measures no longer; "" while it does."""
        return self._recorder.stopped

    @property
    def wants_batches(self) -> bool:
        """Whether ``saw`` must be called: not with a fixed set."""
        return isinstance(self._source, StepSource)

    def saw(self, batch: Batch) -> None:
        """The next step is taken on this batch; once for each micro-batch, before ``optimizer.step()``.

        With a fixed set it is not needed and does nothing. TypeError, ValueError for what is no batch.
        """
        if isinstance(self._source, StepSource):
            count_rows(batch)
            if self._hooks.attached and self._recorder.wants_batch:
                self._source.saw(batch)

    def forget(self) -> None:
        """The batches seen belong to a step that is not taken, as where a ``GradScaler`` skips it."""
        self._source.forget()

    def cost(self) -> str:
        """What a probe costs, in gradients, and as a share of the training."""
        return manifest.cost_text(self._bench, self._source)

    # -- what was measured --------------------------------------------------------------------------------

    def result(self) -> xarray.Dataset:
        """Rows so far, with everything that says what they are in ``attrs``. See ``result.QUANTITIES``."""
        return self._dataset(self._recorder.rows, self._bench.options.kind)

    def pair(
        self, state_a: Mapping[str, Tensor], state_b: Mapping[str, Tensor], *, step: int = 0
    ) -> xarray.Dataset:
        """One row from one point to another, given as ``state_dict()`` of the model, on the fixed set.

        Buffers, and parameters that need no gradient, are those of the model. step: what to call it.
        ValueError for names or shapes that do not fit, and without a fixed set; NotFiniteError for nan, inf.
        """
        if self.wants_batches:
            raise ValueError(
                f"pair needs a fixed set as batch, and this probe has {self._bench.options.kind!r}"
            )
        x, x_next = (manifest.point_in(self._bench, state) for state in (state_a, state_b))
        return self._dataset(self._recorder.between(x, x_next, step), "pair")

    def save(self, folder: str | Path) -> Path:
        """FOLDER/probe.nc and FOLDER/manifest.json; see ``result.save``. ProbeFileError if it fails."""
        return result.save(self.result(), folder, manifest.set_facts(self._source))

    def state_dict(self) -> dict[str, Any]:
        """Rows, counter and settings, in tensors, numbers and text: ``torch.load(weights_only=True)``."""
        setting = manifest.setting(self._bench, self._source)
        return {"format": result.FORMAT, "setting": setting, **self._recorder.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state_dict()``. ValueError for another network or setting, saying what differs."""
        manifest.require_same(state, manifest.setting(self._bench, self._source))
        self._recorder.load_state_dict(state)

    def _dataset(self, rows: Sequence[Mapping[str, Any]], kind: str) -> xarray.Dataset:
        bench = self._bench
        told = {"batch": kind, "estimator": ESTIMATORS[kind], "stopped": self.stopped}
        return result.dataset(
            rows,
            bench.layers,
            {**manifest.attributes(bench, self._source), **told},
            levels=bench.options.levels,
            scales=bench.options.scales,
            moved=tuple(bench.groups),
        )


def _bench(
    oracle: GradientOracle,
    optimizers: Sequence[Optimizer],
    options: Options,
    norms: str | Mapping[str, str | Norm],
    output: str | None,
    groups: Mapping[str, str | Sequence[str]] | None,
) -> Bench:
    """What is measured with. ValueError if no layer is held by an optimizer."""
    parts = PartsOracle(oracle)
    held = [group for optimizer in optimizers for group in optimizer.param_groups]
    layers = layers_for(parts.model, norms, output=output, groups=held)
    moving = {id(p) for group in held for p in group["params"]}
    if not any(id(p) in moving for p in parts.parameters):
        raise ValueError("optimizer holds no parameter of model that needs a gradient: nothing would move")
    names = layers.names
    labels = default_groups(names) if groups is None else groups_by_pattern(names, groups)
    how = orthogonalisers(layers, optimizers, dict(parts.model.named_parameters()))
    return Bench(parts, layers, options, labels, how)
