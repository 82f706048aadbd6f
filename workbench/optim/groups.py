"""Groups of parameters by the type of the layer, each with its norm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from assumptions.guards import require_positive
from workbench.optim.presets import PRESETS, layout

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_MATRICES = (nn.Linear, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)
_NORMS = (
    *(nn.LayerNorm, nn.RMSNorm, nn.GroupNorm),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
)


def groups_for(
    model: nn.Module,
    output: str | None = None,
    *,
    presets: Mapping[str, str] | None = None,
    radii: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """One group for each preset that the parameters of the model need, with names for errors.

    Matrices of linear, recurrent and attention layers: "hidden"; embeddings: "embedding"; convolutions:
    "conv", the transposed ones read with outputs first; biases, gains and everything of one axis or none:
    "bias". output: the name of the last layer, as in ``named_modules()``: its matrices are "output", and so
    is a weight that an embedding and a linear layer share. presets: by the name of a parameter, or of a
    module, with all that it contains, whose matrices they are; they come before everything else, the longest
    name first. radii: > 0, by the preset of a group, 1 elsewhere. Parameters that need no gradient are left
    out.

    ValueError for a name that the model does not have, a name or a radius that reaches no parameter, an
    unknown preset, one that does not fit, and for a matrix of another module, which needs a preset of its
    own; TypeError for an argument of another type.
    """
    _require_types(model, output, presets, radii)
    chosen = {**({} if output is None else {output: "output"}), **(presets or {})}
    radii = dict(radii or {})
    _require_names(model, output, chosen, radii)
    owners: dict[int, list[Owner]] = {}
    for path, module in model.named_modules():
        for own, p in module.named_parameters(path, recurse=False):
            owners.setdefault(id(p), []).append(Owner(own, path, module))
    groups: dict[tuple[str, bool | None], list[tuple[str, nn.Parameter]]] = {}
    reached: set[str] = set()
    for name, p in model.named_parameters():
        if p.requires_grad:
            key = _chosen(p, owners[id(p)], chosen)
            reached |= set() if key is None else {key}
            preset, transpose = _preset(name, p, owners[id(p)], None if key is None else chosen[key])
            layout(preset, tuple(p.shape), transpose, f"parameter {name!r}")
            groups.setdefault((preset, transpose), []).append((name, p))
    _require_reached(output, chosen, reached, radii, [preset for preset, _ in groups])
    return [
        {"params": params, "norm": preset, "transpose": transpose, "radius": radii.get(preset, 1.0)}
        for (preset, transpose), params in groups.items()
    ]


@dataclass(frozen=True)
class Owner:
    """A module that holds a parameter, under which name; several modules may share one."""

    name: str
    path: str
    module: nn.Module

    @property
    def transposed(self) -> bool:
        """Whether it holds its inputs first."""
        return isinstance(self.module, _TRANSPOSED)

    def is_vector(self, p: nn.Parameter) -> bool:
        """Biases and gains, whatever their shape."""
        bias = isinstance(self.module, nn.MultiheadAttention) and self.name.endswith(("bias_k", "bias_v"))
        return p.dim() < 2 or bias or isinstance(self.module, _NORMS)


def _chosen(p: nn.Parameter, owners: list[Owner], chosen: Mapping[str, str]) -> str | None:
    """The longest of the given names that covers a parameter: its own, or that of a module if a matrix."""
    covering = [owner.name for owner in owners if owner.name in chosen]
    if not covering and not owners[0].is_vector(p):
        covering = [
            key for owner in owners for key in chosen if not key or f"{owner.path}.".startswith(f"{key}.")
        ]
    return max(covering, key=lambda key: len(key.split(".")) if key else 0, default=None)


def _preset(name: str, p: nn.Parameter, owners: list[Owner], given: str | None) -> tuple[str, bool | None]:
    """The preset of a parameter, and whether it holds its inputs first (None: as the preset says)."""
    first = owners[0]
    transpose = True if first.transposed and p.dim() >= 2 else None
    if given is not None:
        return given, transpose
    if first.is_vector(p):
        return "bias", None
    embedded = [isinstance(owner.module, nn.Embedding | nn.EmbeddingBag) for owner in owners]
    if any(embedded):
        return ("embedding" if all(embedded) else "output"), None
    if isinstance(first.module, (*_CONVOLUTIONS, *_TRANSPOSED)):
        return "conv", transpose
    if isinstance(first.module, _MATRICES):
        return "hidden", None
    raise ValueError(
        f"parameter {name!r} of shape {tuple(p.shape)} belongs to a {type(first.module).__name__}, of which "
        f'no preset is known: give one, presets={{{name!r}: "hidden"}} for example'
    )


def _require_types(model: Any, output: Any, presets: Any, radii: Any) -> None:
    """TypeError naming the argument."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {model!r}")
    if output is not None and not isinstance(output, str):
        raise TypeError(f"output must be the name of a module, got {output!r}")
    if presets is not None and not isinstance(presets, Mapping):
        raise TypeError(f'presets must be a dict such as {{"fc1": "input"}}, got {presets!r}')
    if radii is not None and not isinstance(radii, Mapping):
        raise TypeError(f'radii must be a dict such as {{"hidden": 50.0}}, got {radii!r}')


def _require_names(
    model: nn.Module, output: str | None, chosen: Mapping[str, str], radii: Mapping[str, float]
) -> None:
    """ValueError for names of no module and no parameter, for unknown presets, and for radii not > 0."""
    modules = {path for path, _ in model.named_modules()}
    names = modules | {name for name, _ in model.named_parameters(remove_duplicate=False)}
    if output is not None and output not in modules:
        linear = [path for path, module in model.named_modules() if isinstance(module, nn.Linear)]
        raise ValueError(f"output must name a module such as {', '.join(linear)}; got {output!r}")
    for name, preset in chosen.items():
        if name not in names:
            raise ValueError(f"presets must name parameters or modules of the model, got {name!r}")
        if not isinstance(preset, str) or preset not in PRESETS:
            raise ValueError(f"presets must be among {', '.join(PRESETS)}; got {preset!r} for {name!r}")
    for preset, radius in radii.items():
        if preset not in PRESETS:
            raise ValueError(f"radii must be given by preset, {', '.join(PRESETS)}; got {preset!r}")
        require_positive(**{f"radii[{preset!r}]": radius})


def _require_reached(
    output: str | None,
    chosen: Mapping[str, str],
    reached: set[str],
    radii: Mapping[str, float],
    used: list[str],
) -> None:
    """ValueError for what was given and reached no parameter."""
    for name in chosen:
        if name not in reached:
            which = "output" if name == output else "presets"
            raise ValueError(
                f"{which} names {name!r}, which reaches no parameter: the name of a module reaches the "
                f"matrices in it that need a gradient and that no other name takes; name vectors one by one"
            )
    for preset in radii:
        if preset not in used:
            raise ValueError(
                f"radii has {preset!r}, and no group has that preset: groups have {', '.join(used)}"
            )
