"""A group of parameters as it is given to an optimizer: known options, every parameter once."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from workbench.optim.saved import BESIDES


def checked(group: Mapping[str, Any], defaults: Mapping[str, Any], title: str) -> dict[str, Any]:
    """A copy of the group, its parameters in a list.

    params: a parameter, or parameters or pairs (name, parameter), as torch takes them; a set, which has no
    order, is left for torch to refuse. ValueError for an option that is not among the defaults of the
    optimizer ``title``, and for a parameter that is there twice, which would be moved twice.
    """
    unknown = sorted(set(group) - set(defaults) - BESIDES)
    if unknown:
        known = ", ".join(sorted(defaults))
        raise ValueError(f"unknown option {', '.join(unknown)} of a group; {title} has {known}")
    params = group.get("params")
    if params is None or isinstance(params, Tensor | set):
        return dict(group)
    listed = list(params)
    tensors = [entry[1] if isinstance(entry, tuple) and len(entry) == 2 else entry for entry in listed]
    times = Counter(map(id, tensors))
    twice = [i for i, tensor in enumerate(tensors) if times[id(tensor)] > 1]
    if twice:
        raise ValueError(
            f"params must hold a parameter once, got the same one at places {', '.join(map(str, twice))}"
        )
    return {**group, "params": listed}
