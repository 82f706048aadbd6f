"""Compressed arrays as bytes: what a compressor leaves of an array, packed for sending."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.compressors import Compressor, Identity, L1Sign, Natural, RandK, RandomSkip, RankK, TopK
from workbench.compressors.base import Shape, index_bits
from workbench.compressors.rank_k import matrix_of

AT_ONCE = 2**18
"""Numbers that are packed at once; a multiple of 8."""

BITS_OF = {torch.float64: torch.int64, torch.float32: torch.int32}
FRACTION = {torch.float64: 52, torch.float32: 23}
"""Bits of the fraction."""


@dataclass(frozen=True)
class Code(ABC):
    """Messages about arrays of one shape and type, float64 or float32; all of ``length`` bytes.

    ``decode(encode(x, u))`` is C(x) up to rounding, on any machine that has the message. What a sender has
    told is what it decodes itself.
    """

    compressor: Compressor
    shape: Shape
    dtype: torch.dtype

    @property
    def d(self) -> int:
        """Entries."""
        return math.prod(self.shape)

    @property
    @abstractmethod
    def length(self) -> int:
        """Bytes of a message."""

    @abstractmethod
    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """The message about C(x), uint8 (length,). x: (d,). u: a draw of the compressor."""

    @abstractmethod
    def decode(self, message: Tensor) -> Tensor:
        """C(x), (d,)."""


@dataclass(frozen=True)
class Dense(Code):
    """Every entry."""

    @property
    def length(self) -> int:
        """All entries."""
        return self.d * self.dtype.itemsize

    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """C(x) as it is."""
        return as_bytes(self.compressor(x, u, self.shape))

    def decode(self, message: Tensor) -> Tensor:
        """The entries."""
        return as_numbers(message, self.dtype)


@dataclass(frozen=True)
class Skipped(Code):
    """No message; all entries are 0."""

    @property
    def length(self) -> int:
        """0."""
        return 0

    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """No bytes."""
        del u
        return x.new_empty(0, dtype=torch.uint8)

    def decode(self, message: Tensor) -> Tensor:
        """Zeros."""
        return torch.zeros(self.d, dtype=self.dtype, device=message.device)


@dataclass(frozen=True)
class Sparse(Code):
    """K < d entries, then their places, ceil(log2 d) bits each."""

    K: int

    @property
    def length(self) -> int:
        """K entries, then the bits of K places, in whole bytes."""
        return self.K * self.dtype.itemsize + packed_length(self.K, index_bits(self.d))

    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """The K entries of C(x) of largest magnitude, and where they stand."""
        kept = self.compressor(x, u, self.shape)
        places = kept.abs().topk(self.K).indices
        return torch.cat([as_bytes(kept[places]), pack(places, index_bits(self.d))])

    def decode(self, message: Tensor) -> Tensor:
        """The entries at their places, 0 elsewhere."""
        values = self.K * self.dtype.itemsize
        places = unpack(message[values:], index_bits(self.d), self.K)
        zeros = torch.zeros(self.d, dtype=self.dtype, device=message.device)
        return zeros.scatter(0, places, as_numbers(message[:values], self.dtype))


@dataclass(frozen=True)
class Factors(Code):
    """A matrix of rank K: m x K with the singular values, and K x n."""

    K: int

    @property
    def length(self) -> int:
        """Entries of both factors."""
        return self.K * sum(matrix_of(self.shape)) * self.dtype.itemsize

    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """The factors of ``RankK``."""
        del u
        return torch.cat([as_bytes(part) for part in RankK(self.K).factors(x.reshape(matrix_of(self.shape)))])

    def decode(self, message: Tensor) -> Tensor:
        """The product of the factors."""
        m, n = matrix_of(self.shape)
        left, right = as_numbers(message, self.dtype).split([m * self.K, self.K * n])
        return (left.reshape(m, self.K) @ right.reshape(self.K, n)).flatten()


@dataclass(frozen=True)
class Powers(Code):
    """Powers of two: sign and exponent of each entry. Those below the normal numbers become 0."""

    @property
    def width(self) -> int:
        """Bits of an entry: 12 or 9."""
        return self.dtype.itemsize * 8 - FRACTION[self.dtype]

    @property
    def length(self) -> int:
        """``width`` bits an entry, in whole bytes."""
        return packed_length(self.d, self.width)

    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """Sign and exponent of each entry of C(x)."""
        kept = self.compressor(x, u, self.shape).contiguous().view(BITS_OF[self.dtype])
        return pack(kept >> FRACTION[self.dtype] & 2**self.width - 1, self.width)

    def decode(self, message: Tensor) -> Tensor:
        """The powers of two, with their signs."""
        codes = unpack(message, self.width, self.d).to(BITS_OF[self.dtype])
        return (codes << FRACTION[self.dtype]).view(self.dtype)


@dataclass(frozen=True)
class Signs(Code):
    """One magnitude, then two bits for each sign: 0, + or -."""

    @property
    def length(self) -> int:
        """The magnitude, and two bits an entry, in whole bytes."""
        return self.dtype.itemsize + packed_length(self.d, 2)

    def encode(self, x: Tensor, u: Tensor) -> Tensor:
        """The magnitude of C(x), and the sign of each entry."""
        kept = self.compressor(x, u, self.shape)
        return torch.cat([as_bytes(kept.abs().max().reshape(1)), pack(kept.sign().long() % 3, 2)])

    def decode(self, message: Tensor) -> Tensor:
        """The magnitude times each sign."""
        size = self.dtype.itemsize
        codes = unpack(message[size:], 2, self.d)
        return as_numbers(message[:size], self.dtype) * torch.where(codes == 2, -1, codes).to(self.dtype)


def code_of(compressor: Compressor, shape: Shape, dtype: torch.dtype, draw: Callable[[], Tensor]) -> Code:
    """How the compressor's messages are packed; as all entries where its class is not known here.

    draw: what the compressor draws, which sender and receiver both know; called for ``RandomSkip`` alone. A
    skipped message is not sent at all.
    """
    given = compressor, shape, dtype
    match compressor:
        case TopK(K=k) | RandK(K=k) if k < math.prod(shape):
            return Sparse(*given, k)
        case RankK(K=k) if k * sum(matrix_of(shape)) < math.prod(shape):
            return Factors(*given, k)
        case Natural():
            return Powers(*given)
        case L1Sign():
            return Signs(*given)
        case RandomSkip() if not bool(draw().all()):
            return Skipped(*given)
    return Dense(*given)


def whole(shape: Shape, dtype: torch.dtype) -> Code:
    """All entries, as they are."""
    return Dense(Identity(), shape, dtype)


def as_bytes(x: Tensor) -> Tensor:
    """The bytes of all entries, uint8."""
    return x.contiguous().flatten().view(torch.uint8)


def as_numbers(message: Tensor, dtype: torch.dtype) -> Tensor:
    """Undo ``as_bytes``. The bytes are copied: they may start anywhere."""
    return message.clone().view(dtype)


def packed_length(count: int, width: int) -> int:
    """Bytes of ``count`` numbers of ``width`` bits."""
    return (count * width + 7) // 8


def pack(numbers: Tensor, width: int) -> Tensor:
    """Integers in 0..2^width - 1, ``width`` bits each, low bits first. Returns uint8."""
    places = torch.arange(width, device=numbers.device)
    weights = 2 ** torch.arange(8, device=numbers.device)
    parts = []
    for some in numbers.long().split(AT_ONCE):
        bits = (some.unsqueeze(-1) >> places & 1).flatten()
        bits = torch.nn.functional.pad(bits, (0, -bits.numel() % 8)).reshape(-1, 8)
        parts.append((bits * weights).sum(dim=-1).to(torch.uint8))
    return torch.cat(parts)


def unpack(message: Tensor, width: int, count: int) -> Tensor:
    """Undo ``pack``. Returns int64 (count,)."""
    places = torch.arange(8, device=message.device)
    weights = 2 ** torch.arange(width, device=message.device)
    parts = []
    for some in message.split(max(1, AT_ONCE // 8 * width)):
        bits = (some.long().unsqueeze(-1) >> places & 1).flatten()
        used = bits[: bits.numel() // width * width]
        parts.append((used.reshape(-1, width) * weights).sum(dim=-1))
    return torch.cat(parts)[:count]
