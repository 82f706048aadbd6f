"""What a run leaves behind: quantities and cumulative costs over steps; saved without pickle."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from assumptions import Norm
from problems.base import Problem
from workbench.methods.base import Method

FORMAT = "workbench-trace-1"

_GROUPS = ("quantities", "resolutions", "cancelled", "costs")


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """A run. Entry k of every quantity is its value at step k.

    method, problem, norm, seed, steps   what was run: the objects, or their texts where it was loaded
    k            recorded steps, (n,)
    quantities   name -> (replicates, n, *axes)
    resolutions  name -> rounding error of each entry, same shape
    cancelled    name -> size of the numbers subtracted in each entry, same shape
    costs        unit -> cumulative cost before step k, (replicates, n)
    diverged_at  first non-finite step of each replicate, -1 if none
    x            iterates (replicates, n, d) if asked for
    scheduled    hyperparameters that a schedule gave, whose values the method does not hold
    """

    method: Method | str
    problem: Problem | str
    steps: int
    seed: int
    norm: Norm | str
    k: Tensor
    quantities: dict[str, Tensor]
    resolutions: dict[str, Tensor]
    cancelled: dict[str, Tensor]
    costs: dict[str, Tensor]
    diverged_at: Tensor
    x: Tensor | None = None
    scheduled: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: what was run, and what was recorded."""
        names = ", ".join(sorted({**self.quantities, **self.costs}))
        rows = len(self.diverged_at)
        return f"Trace({self.method} on {self.problem}, {rows} replicates, {self.steps} steps: {names})"

    def __getitem__(self, name: str) -> Tensor:
        """A quantity or a cost by name."""
        table = {**self.costs, **self.quantities}
        if name not in table:
            raise KeyError(f"{name!r} was not recorded; recorded: {', '.join(sorted(table))}")
        return table[name]

    def first(self, name: str, below: float = 1e-6) -> Tensor:
        """First recorded step at which a quantity or cost is at most ``below``, inf if there is none.

        (replicates,), whole numbers as floats. ValueError where ``name`` has several numbers at a step,
        KeyError where it was not recorded.
        """
        values = self[name]
        if values.dim() != 2:
            raise ValueError(f"{name!r} has {values.shape[2:].numel()} numbers at each step, not one")
        small = values <= below
        k = self.k[small.int().argmax(dim=1)].to(torch.float64)
        return torch.where(small.any(dim=1), k, torch.inf)

    def spent(self, unit: str, first: Tensor) -> Tensor:
        """What each replicate spent before a step, as ``first`` gives it; inf where that is inf.

        unit: of ``costs``, or "passes", gradients of terms by their number. first and result: (replicates,).
        ValueError for a unit or a step that was not recorded, and for passes of a saved run, which has no
        problem.
        """
        if unit == "passes":
            if isinstance(self.problem, str):
                raise ValueError("passes need the problem, of which a saved run has the name only")
            return self.spent("grad_calls", first) / self.problem.n_terms
        if unit not in self.costs:
            raise ValueError(
                f"unit must be one of {', '.join(sorted({*self.costs, 'passes'}))}, got {unit!r}"
            )
        finite = first.isfinite()
        place = torch.searchsorted(self.k, torch.where(finite, first, 0).long()).clamp(max=len(self.k) - 1)
        if not bool((~finite | (self.k[place] == first)).all()):
            raise ValueError(f"first must hold recorded steps or inf, got {first.tolist()!r}")
        return torch.where(finite, self.costs[unit].gather(1, place[:, None])[:, 0], torch.inf)

    @classmethod
    def joined(cls, parts: Sequence["Trace"], **common: Any) -> "Trace":
        """Blocks of replicates as one trace."""

        def joined(name: str) -> dict[str, Tensor]:
            tables = [getattr(part, name) for part in parts]
            return {key: torch.cat([table[key] for table in tables]) for key in tables[0]}

        # a block that never spent a unit of cost has no table of it
        units = dict.fromkeys(unit for part in parts for unit in part.costs)
        costs = {u: [p.costs.get(u, torch.zeros_like(p.costs["seconds"])) for p in parts] for u in units}
        iterates = [part.x for part in parts if part.x is not None]
        return cls(
            **common,
            k=parts[0].k,
            quantities=joined("quantities"),
            resolutions=joined("resolutions"),
            cancelled=joined("cancelled"),
            costs={unit: torch.cat(tables) for unit, tables in costs.items()},
            diverged_at=torch.cat([part.diverged_at for part in parts]),
            x=torch.cat(iterates) if iterates else None,
        )

    def save(self, path: str | Path) -> Path:
        """One .npz file: arrays, and a JSON header that says what was run. Returns its path.

        ``.npz`` is added to the name where it is missing.
        """
        path = Path(path)
        path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
        header = {
            "format": FORMAT,
            "method": str(self.method),
            "problem": str(self.problem),
            "norm": str(self.norm),
            "steps": self.steps,
            "seed": self.seed,
            "scheduled": list(self.scheduled),
            "torch": torch.__version__,
            "numpy": np.__version__,
        }
        arrays: dict[str, Any] = {"header": np.array(json.dumps(header)), "k": self.k.numpy()}
        arrays["diverged_at"] = self.diverged_at.numpy()
        for group in _GROUPS:
            for name, table in getattr(self, group).items():
                arrays[f"{group}.{name}"] = table.cpu().numpy()
        if self.x is not None:
            arrays["x"] = self.x.cpu().numpy()
        np.savez_compressed(path, **arrays)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Trace":
        """Read what ``save`` wrote; method, problem and norm come back as their specifications.

        Nothing is executed. ValueError for a file that is not a trace.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            header = json.loads(str(arrays.pop("header")))
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']!r}, not {FORMAT!r}")
            groups: dict[str, dict[str, Tensor]] = {g: {} for g in _GROUPS}
            for name in [n for n in arrays if "." in n]:
                group, key = name.split(".", 1)
                groups[group][key] = torch.from_numpy(arrays[name])
            return cls(
                header["method"],
                header["problem"],
                header["steps"],
                header["seed"],
                header["norm"],
                torch.from_numpy(arrays["k"]),
                **groups,
                diverged_at=torch.from_numpy(arrays["diverged_at"]),
                x=torch.from_numpy(arrays["x"]) if "x" in arrays else None,
                scheduled=tuple(map(str, header.get("scheduled", ()))),
            )
        except OSError as error:
            raise ValueError(f"{path} is not a saved trace: {error.strerror or error}") from None
        except (EOFError, KeyError, TypeError, ValueError, BadZipFile, zlib.error):
            made = "it was not written by Trace.save or `workbench run --out RUN.npz`, or is damaged"
            raise ValueError(f"{path} is not a saved trace: {made}") from None

    def to_xarray(self) -> Any:
        """The quantities and costs as an xarray dataset."""
        import xarray  # half a second, which no run needs

        variables = {}
        for name, table in {**self.quantities, **self.costs}.items():
            axes = ["replicate", "k", *[f"{name}_axis{i}" for i in range(table.dim() - 2)]]
            variables[name] = (axes, table.cpu().numpy())
        attributes = {"method": str(self.method), "problem": str(self.problem), "seed": self.seed}
        return xarray.Dataset(variables, coords={"k": self.k.numpy()}, attrs=attributes)
