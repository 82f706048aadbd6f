"""Norms of the parameters of a network, named after the layer that they belong to.

A parameter is read as a matrix: the first axis for the rows, the outputs, all others for the columns. An
embedding holds one row for each token, the input, so it is read transposed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from assumptions.column_norms import MaxColumn, MaxRow
from assumptions.matrix_norms import MatrixNorm, Spectral, matrix_shape
from assumptions.norms import Lp, Norm, require_norm

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Preset:
    """A norm for every shape of at least ``least`` and at most ``most`` axes.

    make: from a shape, outputs first; transposed: whether the parameter holds its inputs first; direction:
    what a step of length 1 moves along, with the singular value decomposition U S V' of the m x n matrix.
    """

    make: Callable[[Shape], Norm]
    direction: str
    least: int = 2
    most: float = math.inf
    transposed: bool = False


@dataclass(frozen=True)
class Layout:
    """How parameters of one shape are read: first two axes exchanged if transposed, then flat, under norm."""

    norm: Norm
    shape: Shape
    transposed: bool

    @property
    def outputs_first(self) -> Shape:
        """The shape as its norm reads it."""
        return _outputs_first(self.shape, self.transposed)

    def flat(self, x: Tensor) -> Tensor:
        """x: (batch, *shape). Returns (batch, d)."""
        return self._turned(x).reshape(x.shape[0], -1)

    def shaped(self, x: Tensor) -> Tensor:
        """Undo ``flat``. x: (batch, d). Returns (batch, *shape)."""
        return self._turned(x.reshape(x.shape[0], *self.outputs_first))

    def _turned(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2) if self.transposed else x


def _spectral(factor: Callable[[int, int], float]) -> Callable[[Shape], Norm]:
    """Steps of factor(m, n) U V', which is the spectral norm over that factor."""

    def make(shape: Shape) -> Norm:
        m, n = matrix_shape(shape)
        return Spectral(m, n, 1 / factor(m, n))

    return make


def _convolution(shape: Shape) -> Norm:
    m, n = matrix_shape(shape)
    kernel = math.prod(shape[2:])
    return Spectral(m, n, kernel * math.sqrt(shape[1] / shape[0]))


def _column(shape: Shape) -> Norm:
    m, n = matrix_shape(shape)
    return MaxColumn(m, n, 1 / math.sqrt(m))


def _column_normalised(shape: Shape) -> Norm:
    m, n = matrix_shape(shape)
    return MaxColumn(m, n, n / math.sqrt(m))


def _row(shape: Shape) -> Norm:
    m, n = matrix_shape(shape)
    return MaxRow(m, n, math.sqrt(n))


def _sign(shape: Shape) -> Norm:
    return Lp(math.inf, float(matrix_shape(shape)[1]))


_HIDDEN = Preset(_spectral(lambda m, n: math.sqrt(m / n)), "sqrt(m/n) U V'")
_MUON = Preset(_spectral(lambda m, n: math.sqrt(max(1.0, m / n))), "max(1, sqrt(m/n)) U V'")
_SIGN = Preset(_sign, "sign / n")
_RMS = Preset(lambda shape: Lp(2.0, 1 / math.sqrt(math.prod(shape))), "sqrt(d) b / |b|_2", least=0)

PRESETS: dict[str, Preset] = {
    "hidden": _HIDDEN,
    "spectral": _HIDDEN,
    "input": _MUON,
    "muon": _MUON,
    "operator": Preset(_spectral(lambda _m, _n: 1.0), "U V'"),
    "unnormalised": Preset(_spectral(lambda m, _: math.sqrt(m)), "sqrt(m) U V'"),
    "adamw_rms": Preset(_spectral(lambda m, n: 0.2 * math.sqrt(max(m, n))), "0.2 sqrt(max(m, n)) U V'"),
    "conv": Preset(_convolution, "sqrt(C_out/C_in) / k^2 U V'", least=3),
    "output": _SIGN,
    "sign": _SIGN,
    "embedding": Preset(_column, "sqrt(m) column / |column|_2", most=2, transposed=True),
    "col": Preset(_column, "sqrt(m) column / |column|_2"),
    "col_normalised": Preset(_column_normalised, "sqrt(m)/n column / |column|_2"),
    "row": Preset(_row, "row / (sqrt(n) |row|_2)"),
    "bias": _RMS,
    "rms": _RMS,
    "euclidean": Preset(lambda _: Lp(2.0), "b / |b|_2", least=0),
    "max": Preset(lambda _: Lp(math.inf), "sign", least=0),
}
"""By name. Sources: KellerJordan/Muon (muon), torch.optim.Muon (adamw_rms: its "match_rms_adamw"),
LIONS-EPFL/scion (hidden, input, unnormalised, conv, sign, embedding, col, col_normalised, row, bias)."""


def layout(norm: str | Norm, shape: Shape, transpose: bool | None = None, who: str = "a parameter") -> Layout:
    """The layout of a parameter under a preset or under a norm of its own.

    transpose: None for what the preset says. ValueError where the norm does not fit the shape, with ``who``
    and the preset to use; TypeError for what is neither a preset nor a norm.
    """
    if isinstance(norm, str):
        preset = PRESETS.get(norm)
        if preset is None:
            raise ValueError(f"norm must be a Norm or one of {', '.join(PRESETS)}; got {norm!r}")
        if not preset.least <= len(shape) <= preset.most:
            raise ValueError(_misfit(norm, preset, shape, who))
        transposed = preset.transposed if transpose is None else transpose
    else:
        require_norm(norm)
        preset, transposed = None, bool(transpose)
    if 0 in shape:
        raise ValueError(f"{who} has shape {shape} and no entries; leave it out")
    if transposed and len(shape) < 2:
        raise ValueError(f"transpose needs 2 axes or more, and {who} has shape {shape}")
    outputs_first = _outputs_first(shape, transposed)
    if preset is not None:
        return Layout(preset.make(outputs_first), shape, transposed)
    assert isinstance(norm, Norm)
    _require_fit(norm, outputs_first, who)
    return Layout(norm, shape, transposed)


def _outputs_first(shape: Shape, transposed: bool) -> Shape:
    return (shape[1], shape[0], *shape[2:]) if transposed else shape


def _misfit(name: str, preset: Preset, shape: Shape, who: str) -> str:
    least = f"{preset.least} axes" + ("" if preset.most == preset.least else " or more")
    if len(shape) < 2:
        use = 'put it in a group of its own with norm="bias"'
    elif len(shape) == 2:
        use = 'put it in a group with norm="hidden", "output" or "embedding"'
    else:
        use = 'put it in a group with norm="conv"'
    return f"norm {name!r} needs a parameter of {least}, and {who} has shape {shape}: {use}"


def _require_fit(norm: Norm, shape: Shape, who: str) -> None:
    """ValueError unless the norm measures this shape."""
    if isinstance(norm, MatrixNorm):
        if len(shape) < 2:
            raise ValueError(
                f"norm {norm!r} needs a matrix, and {who} has shape {shape}: put it in a group of its own "
                f'with norm="bias"'
            )
        fits = (norm.m, norm.n) == matrix_shape(shape)
    else:
        fits = norm.fits(math.prod(shape))
    if not fits:
        raise ValueError(f"norm {norm!r} does not fit {who}, read with shape {shape}")
