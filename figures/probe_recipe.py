"""Recipes that draw the result of a probe: one of their own training, or one that was saved."""

from abc import abstractmethod
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import torch
import xarray

from figures.numbers import Numbers, NumbersError
from figures.recipe import Recipe
from workbench.probes.fits.layer_path import layer_paths
from workbench.probes.result import DATA, MANIFEST, QUANTITIES, load
from workbench.probes.tasks import gpt_task, mlp_task
from workbench.probes.training.optimizers import make_optimizer
from workbench.probes.training.train import train_with_probe

RATE = 0.03
"""Of the quick training: long steps, at which the ratio varies as much as the gradient norm."""


class ProbeRecipe(Recipe):
    """A figure drawn from the result of one probe: its own training, or one that was saved.

    needs: quantities of the result, of ``workbench.probes.result.QUANTITIES``.
    """

    needs: ClassVar[tuple[str, ...]] = ("ratio", "gradnorm", "gradnorm_next", "step_length")

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Quick: a perceptron on digits, 160 steps of Scion. full: a GPT of 0.8 M parameters, 500 steps."""
        return self.of_probe(probed(full, seed), full, seed)

    @classmethod
    def from_saved(cls, path: Path) -> Numbers:
        """The probe in a folder that ``workbench probe`` wrote, or as every recipe does.

        In a folder with both, the probe counts. NumbersError, or ValueError of ``load``, for a file or a
        folder that holds neither.
        """
        folder = path.parent if path.name in (DATA, MANIFEST) else path
        own = f"{cls.name}.json"
        if folder != path or (folder / DATA).exists():
            return cls().of_probe(load(folder))
        if folder.is_dir() and not (folder / own).exists():
            raise NumbersError(
                f"{folder} holds neither {own}, the numbers of the figure, nor {DATA}, a probe that "
                f"`workbench probe` saved"
            )
        return super().from_saved(path)

    def of_probe(self, result: xarray.Dataset, full: bool = False, seed: int = 0) -> Numbers:
        """The numbers of any probe, as ``workbench.probes.load`` reads it.

        ``result.sel(layer=[...])`` chooses layers. NumbersError for a result without what the figure needs,
        or without a layer that moved.
        """
        missing = [name for name in self.needs if name not in result]
        if missing:
            levels = sorted({QUANTITIES[name].level for name in missing})
            raise NumbersError(
                f"{self.name} needs {', '.join(missing)}, of level {', '.join(levels)}; the probe was taken "
                f"at level {result.attrs.get('level', '?')}: probe again with --level {','.join(levels)}"
            )
        if not any(path.n for path in layer_paths(result)):
            raise NumbersError(
                f"{self.name} needs steps at which a layer moved; the probe has {result.sizes['probe']} "
                f"steps, and none of its layers moved"
            )
        return self.numbers(result, full, seed)

    @abstractmethod
    def numbers(self, result: xarray.Dataset, full: bool, seed: int) -> Numbers:
        """The same, of a result that has what is needed."""


@cache
def probed(full: bool, seed: int) -> xarray.Dataset:
    """A training with a probe of level radii at fixed rows, in float64 where it is quick."""
    options: dict[str, Any] = {"level": "radii", "seed": seed}
    if full:
        task = gpt_task(seed)
        scion = make_optimizer("scion", task, seed=seed)
        return train_with_probe(task, scion, steps=500, every=10, **options).result
    task = mlp_task(seed, rows=128, fixed_rows=768)
    task.model.double()
    scion = make_optimizer("scion", task, RATE, seed)
    return train_with_probe(task, scion, steps=160, every=4, dtype=torch.float64, **options).result
