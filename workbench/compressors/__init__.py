"""Compressors: random maps of vectors that are cheap to send, one per file."""

from workbench.compressors.base import Compressor
from workbench.compressors.identity import Identity
from workbench.compressors.l1_sign import L1Sign
from workbench.compressors.natural import Natural
from workbench.compressors.rand_k import RandK
from workbench.compressors.random_skip import RandomSkip
from workbench.compressors.rank_k import RankK
from workbench.compressors.top_k import TopK

COMPRESSORS: tuple[type[Compressor], ...] = (Identity, TopK, RandK, RankK, Natural, RandomSkip, L1Sign)
"""Every compressor."""

__all__ = [
    "COMPRESSORS",
    "Compressor",
    "Identity",
    "L1Sign",
    "Natural",
    "RandK",
    "RandomSkip",
    "RankK",
    "TopK",
]
