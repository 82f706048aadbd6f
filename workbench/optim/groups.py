"""Groups of parameters by the type of the layer, each with its norm."""

from collections.abc import Mapping
from typing import Any

from torch import nn

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
    "bias". output: the name of the last layer, as in ``named_modules()``: its weight is "output", and so is a
    weight that an embedding and a linear layer share. presets: by the name of a parameter or of a module,
    whose matrices they are; they come before everything else. radii: by preset, 1 elsewhere. Parameters that
    need no gradient are left out.

    ValueError for a name that the model does not have, an unknown preset, one that does not fit, and for a
    matrix of another module, which needs a preset of its own.
    """
    chosen = {**({} if output is None else {output: "output"}), **(presets or {})}
    radii = dict(radii or {})
    _require_names(model, output, chosen, radii)
    owners: dict[int, list[tuple[str, str, nn.Module]]] = {}
    for path, module in model.named_modules():
        for own, p in module.named_parameters(path, recurse=False):
            owners.setdefault(id(p), []).append((own, path, module))
    groups: dict[tuple[str, bool | None], list[tuple[str, nn.Parameter]]] = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            preset, transpose = _preset(name, p, owners[id(p)], chosen)
            layout(preset, tuple(p.shape), transpose, f"parameter {name!r}")
            groups.setdefault((preset, transpose), []).append((name, p))
    return [
        {"params": params, "norm": preset, "transpose": transpose, "radius": radii.get(preset, 1.0)}
        for (preset, transpose), params in groups.items()
    ]


def _preset(
    name: str, p: nn.Parameter, owners: list[tuple[str, str, nn.Module]], chosen: Mapping[str, str]
) -> tuple[str, bool | None]:
    """The preset of a parameter, and whether it holds its inputs first (None: as the preset says)."""
    modules = [module for _, _, module in owners]
    transpose = True if isinstance(modules[0], _TRANSPOSED) else None
    for own, _, _ in owners:
        if own in chosen:
            return chosen[own], transpose if p.dim() >= 2 else None
    if p.dim() < 2 or isinstance(modules[0], _NORMS):
        return "bias", None
    for _, path, _ in owners:
        if path in chosen:
            return chosen[path], transpose
    embedded = [isinstance(module, nn.Embedding | nn.EmbeddingBag) for module in modules]
    if any(embedded):
        return ("embedding" if all(embedded) else "output"), None
    if isinstance(modules[0], (*_CONVOLUTIONS, *_TRANSPOSED)):
        return "conv", transpose
    if isinstance(modules[0], _MATRICES):
        return "hidden", None
    raise ValueError(
        f"parameter {name!r} of shape {tuple(p.shape)} belongs to a {type(modules[0]).__name__}, of which no "
        f'preset is known: give one, presets={{{name!r}: "hidden"}} for example'
    )


def _require_names(
    model: nn.Module, output: str | None, chosen: Mapping[str, str], radii: Mapping[str, float]
) -> None:
    """ValueError for names of no module and no parameter, and for unknown presets."""
    modules = {path for path, _ in model.named_modules()}
    names = modules | {name for name, _ in model.named_parameters(remove_duplicate=False)}
    if output is not None and output not in modules:
        linear = [path for path, module in model.named_modules() if isinstance(module, nn.Linear)]
        raise ValueError(f"output must name a module such as {', '.join(linear)}; got {output!r}")
    for name, preset in chosen.items():
        if name not in names:
            raise ValueError(f"presets must name parameters or modules of the model, got {name!r}")
        if preset not in PRESETS:
            raise ValueError(f"presets must be among {', '.join(PRESETS)}; got {preset!r} for {name!r}")
    for preset in radii:
        if preset not in PRESETS:
            raise ValueError(f"radii must be given by preset, {', '.join(PRESETS)}; got {preset!r}")
