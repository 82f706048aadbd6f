"""A decoder-only transformer."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assumptions.guards import as_float, require_dimension

STD = 0.02
"""Of the weights at the start, as in GPT-2."""

POSITIONS = ("rotary", "learned")


@dataclass(frozen=True)
class GPTSize:
    """Blocks, heads of each, entries of a token's vector, tokens seen at once. ValueError unless >= 1."""

    layers: int
    heads: int
    width: int
    context: int

    def __post_init__(self) -> None:
        """Guard the sizes."""
        require_dimension(layers=self.layers, heads=self.heads, width=self.width, context=self.context)


GPT_SIZES = {
    "0.1M": GPTSize(2, 2, 64, 64),
    "0.8M": GPTSize(4, 4, 128, 128),
    "3M": GPTSize(4, 4, 256, 256),
    "10M": GPTSize(6, 6, 384, 256),
    "25M": GPTSize(8, 8, 512, 512),
    "124M": GPTSize(12, 12, 768, 1024),
}
"""By name. The name counts 12 layers width^2, and for the last also a tied vocabulary of 50,304."""


class GPT(nn.Module):
    """Tokens (batch, time), integers -> logits of the next token (batch, time, vocabulary).

    x = wte(tokens), then in each block x += c_proj(attention(norm x)), x += c_proj(GELU(c_fc(norm x))), at
    last head(norm x). Causal attention with the scale (width / heads)^(-1/2); no biases. RMS norms, without
    ``gains`` or with. positions: "rotary" (angles t 10000^(-2j/d) in the plane (j, j + d/2) of a head's d
    entries) or "learned". tied: head and wte share one tensor. c_q, c_k, c_v are matrices of their own.

    Weights are N(0, 0.02^2), and in the layers c_proj, which add to x, N(0, 0.02^2 / (2 layers)); gains 1.
    ValueError for sizes that are not >= 1, a width that the heads do not divide (into even parts for rotary
    positions), a dropout outside [0, 1), and other names of positions.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        layers: int,
        heads: int,
        width: int,
        *,
        dropout: float = 0.0,
        tied: bool = True,
        positions: str = "rotary",
        gains: bool = False,
    ) -> None:
        super().__init__()
        require_dimension(vocabulary=vocabulary, context=context, layers=layers, heads=heads, width=width)
        _require(heads, width, dropout, positions)
        self.context, self.turn = context, width // heads if positions == "rotary" else 0
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width) if positions == "learned" else None
        self.drop = nn.Dropout(dropout)
        self.h = nn.ModuleList(Block(width, heads, dropout, gains) for _ in range(layers))
        self.norm = _norm(width, gains)
        self.head = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.wte.weight
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                adds = name.endswith("c_proj")
                nn.init.normal_(module.weight, std=STD / math.sqrt(2 * layers) if adds else STD)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits. ValueError for more tokens than the context."""
        time = tokens.shape[-1]
        if time > self.context:
            raise ValueError(f"tokens must be at most {self.context} at once, the context, got {time}")
        x = self.wte(tokens)
        if self.wpe is not None:
            x = x + self.wpe(torch.arange(time, device=tokens.device))
        turns = _turns(time, self.turn, x) if self.turn else None
        x = self.drop(x)
        for block in self.h:
            x = block(x, turns)
        return self.head(self.norm(x))


class Block(nn.Module):
    """Attention, then a perceptron of one hidden layer, four times as wide; both add to what comes in."""

    def __init__(self, width: int, heads: int, dropout: float, gains: bool) -> None:
        super().__init__()
        self.norm1, self.attn = _norm(width, gains), Attention(width, heads, dropout)
        self.norm2, self.mlp = _norm(width, gains), Perceptron(width, dropout)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor] | None) -> Tensor:
        """x: (batch, time, width), and so is what comes out."""
        x = x + self.attn(self.norm1(x), turns)
        return x + self.mlp(self.norm2(x))


class Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.c_q, self.c_k, self.c_v, self.c_proj = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor] | None) -> Tensor:
        """x: (batch, time, width), and so is what comes out."""
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for layer in (self.c_q, self.c_k, self.c_v)
        )
        if turns is not None:
            q, k = _turned(q, *turns), _turned(k, *turns)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.drop(self.c_proj(y.transpose(-3, -2).flatten(-2)))


class Perceptron(nn.Module):
    """c_proj(GELU(c_fc x)), one position at a time."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width, bias=False)
        self.c_proj = nn.Linear(4 * width, width, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, time, width), and so is what comes out."""
        return self.drop(self.c_proj(F.gelu(self.c_fc(x))))


def _norm(width: int, gains: bool) -> nn.RMSNorm:
    return nn.RMSNorm(width, eps=1e-6, elementwise_affine=gains)


def _turns(time: int, d: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the angles, (time, d / 2)."""
    kind = torch.promote_types(like.dtype, torch.float32)
    j = torch.arange(d // 2, device=like.device, dtype=kind)
    t = torch.arange(time, device=like.device, dtype=kind)
    angles = torch.outer(t, 10000.0 ** (-2 * j / d))
    return angles.cos(), angles.sin()


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Entries (j, j + d/2) rotated. x: (*batch, time, d)."""
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def _require(heads: int, width: int, dropout: float, positions: str) -> None:
    if positions not in POSITIONS:
        raise ValueError(f"positions must be one of {', '.join(POSITIONS)}, got {positions!r}")
    even = 2 if positions == "rotary" else 1
    if width % (even * heads):
        parts = "even parts, for rotary positions" if even == 2 else "equal parts"
        raise ValueError(f"width must split into {heads} {parts}, one for each head, got {width}")
    if not 0 <= as_float("dropout", dropout) < 1:
        raise ValueError(f"dropout must be in [0, 1), got {dropout!r}")
