"""Geometries in which the compressors of error feedback should shrink errors, layer by layer."""

from assumptions.norms import Norm
from workbench.compressors.base import Compressor, Shape
from workbench.compressors.norms import dual_of

GEOMETRIES = ("layers", "frobenius")
"""In the norms of the layers and their duals, or in Euclidean norms."""


def require_geometry(contracts_in: object) -> None:
    """ValueError unless it is one of ``GEOMETRIES``."""
    if contracts_in not in GEOMETRIES:
        raise ValueError(f"contracts_in must be one of {GEOMETRIES}, got {contracts_in!r}")


def shrinks_layer(
    compressor: Compressor, norm: Norm, dual: bool, shape: Shape
) -> tuple[float | None, str, str]:
    """q of ``Compressor.shrinks`` in the norm of a layer or in its dual; that norm in words.

    Last, in brackets, why its dual is not known; "" where it is.
    """
    said = f"the dual of {norm!r}" if dual else repr(norm)
    try:
        return compressor.shrinks(dual_of(norm) if dual else norm, shape), said, ""
    except TypeError as error:  # a norm without a class for its dual
        return None, said, f" ({error})"
