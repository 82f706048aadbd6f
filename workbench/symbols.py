"""The words in which claims are written: symbols, reductions over steps, layers and clients.

One index: entry k of everything is its value at step k. ``q_next`` is at k + 1, ``q0`` at the start;
reductions over steps run over j < k (inside them ``k`` means j) and are undefined at k = 0.
"""

from typing import Any

import sympy as sp


def symbols(names: str) -> Any:
    """Symbols for claims, one or a tuple: ``gap, gap_next, L = symbols("gap gap_next L")``.

    The only maker of symbols: sympy treats same-named symbols with other assumptions as different,
    so a claim with a symbol made elsewhere is rejected. ValueError unless every name is an
    identifier.
    """
    words = names.replace(",", " ").split()
    bad = [word for word in words if not word.isidentifier()]
    if bad or not words:
        raise ValueError(f"symbols takes identifiers separated by spaces, got {names!r}")
    made = tuple(sp.Symbol(word, real=True) for word in words)
    return made if len(made) > 1 else made[0]


def is_ours(symbol: sp.Symbol) -> bool:
    """True if ``symbols`` made it."""
    return symbol == sp.Symbol(symbol.name, real=True)


class total(sp.Function):  # noqa: N801
    """total(e): sum of e over j < k."""

    nargs = 1


class avg(sp.Function):  # noqa: N801
    """avg(e): mean of e over j < k."""

    nargs = 1


class best(sp.Function):  # noqa: N801
    """best(e): minimum of e over j < k."""

    nargs = 1


class product(sp.Function):  # noqa: N801
    """product(e): product of e over j < k."""

    nargs = 1


class first(sp.Function):  # noqa: N801
    """first(condition): the first index in 0..K at which it holds, inf if none; defined at k = K."""

    nargs = 1


class layer_sum(sp.Function):  # noqa: N801
    """layer_sum(e): sum over the layer axis of names ending in _i."""

    nargs = 1


class layer_max(sp.Function):  # noqa: N801
    """layer_max(e): maximum over the layer axis of names ending in _i."""

    nargs = 1


class client_mean(sp.Function):  # noqa: N801
    """client_mean(e): mean over the client axis of names ending in _j."""

    nargs = 1


class client_max(sp.Function):  # noqa: N801
    """client_max(e): maximum over the client axis of names ending in _j."""

    nargs = 1


class after(sp.Function):  # noqa: N801
    """after(e): e with every quantity at the next step, for Lyapunov functions."""

    nargs = 1


OVER_STEPS = (total, avg, best, product, first)
OVER_LAYERS = (layer_sum, layer_max)
OVER_CLIENTS = (client_mean, client_max)
