"""A transformer that predicts the next token of a text."""

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assumptions.guards import require_dimension
from problems.data.libsvm import DataError
from workbench.probes.batches import Batch
from workbench.probes.data import TextData, default_text, load_text
from workbench.probes.data.order import STREAM_BATCHES, STREAM_FIXED, offsets, require_step
from workbench.probes.networks import GPT, GPT_SIZES, GPTSize, count_parameters, seeded
from workbench.probes.tasks.task import Task, chosen_size, mean_over

RATES = {"scion": 0.02, "muon": 0.02, "gluon": 0.02, "drop-muon": 0.03, "adamw": 1e-3, "sgd": 0.01}

HELD_OUT = 10
"""One token in so many, the last ones, is not trained on."""

CHUNK = 16


@dataclass(frozen=True, eq=False)
class Windows:
    """Random windows of a text: inputs and the tokens that follow them, (rows, context) each, int64."""

    tokens: Tensor
    context: int
    rows: int
    seed: int

    def batch(self, step: int) -> Batch:
        """Windows of a step, each drawn from all that there are."""
        require_step(step)
        return self._at(offsets(self.rows, self._most, self.seed, STREAM_BATCHES, step))

    def fixed(self, rows: int) -> Batch:
        """Windows from a stream of their own."""
        return self._at(offsets(rows, self._most, self.seed, STREAM_FIXED, 0))

    @property
    def _most(self) -> int:
        return len(self.tokens) - self.context

    def _at(self, first: Tensor) -> Batch:
        return windows(self.tokens, first, self.context)


@dataclass(frozen=True, eq=False)
class HeldOutText:
    """Mean loss over windows that are spread evenly over the tokens."""

    batch: Batch

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """loss: nats for each token."""
        return mean_over(model, self.batch, _sums, CHUNK)


def gpt_task(
    seed: int = 0,
    *,
    size: str | GPTSize = "0.8M",
    data: str | os.PathLike[str] | None = None,
    rows: int = 16,
    fixed_rows: int = 64,
    held_out_rows: int = 64,
    tokens: str = "chars",
    context: int | None = None,
    vocabulary: int | None = None,
    dropout: float = 0.0,
    tied: bool = True,
    positions: str = "rotary",
    gains: bool = False,
) -> Task:
    """A ``GPT`` on a text, mean cross-entropy of the next token.

    size: a name of ``GPT_SIZES``, or a GPTSize; context: another one than that of the size. data: as
    ``load_text``; None: the first of king_james, jargon, pydoc that is there. rows: windows in a batch;
    fixed_rows: to probe at; held_out_rows: to evaluate on, from the last tenth of the text. vocabulary: at
    least that of the text, the rest never occurs: with 50,304 the size "124M" has that many parameters.
    ValueError for numbers that do not fit, DataError for a text that is too short or as ``load_text``.
    """
    require_dimension(rows=rows, fixed_rows=fixed_rows, held_out_rows=held_out_rows)
    chosen: GPTSize = chosen_size("gpt", size, GPT_SIZES, GPTSize)
    if context is not None:
        chosen = replace(chosen, context=context)
    name, note = default_text() if data is None else (data, "")
    text = replace(load_text(name, tokens), note=note)
    padded = _padded(text, vocabulary)
    train, held_out = _split(text, chosen.context)
    options = {"dropout": dropout, "tied": tied, "positions": positions, "gains": gains}
    model = seeded(seed, lambda: GPT(padded, **asdict(chosen), **options))
    source = Windows(train, chosen.context, rows, seed)
    spread = torch.linspace(0, len(held_out) - chosen.context - 1, held_out_rows).long().unique()
    about = {
        **_about(text, size, chosen, model),
        **{"vocabulary": padded, "rows": rows, "fixed_rows": fixed_rows, "seed": seed, **options},
        "held_out": f"{len(spread)} windows of the last {len(held_out)} tokens",
    }
    evaluate = HeldOutText(windows(held_out, spread, chosen.context))
    fixed = source.fixed(fixed_rows)
    return Task("gpt", model, next_token_loss, source.batch, fixed, "head", RATES, evaluate, about)


def next_token_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy, nats for each token. batch: (inputs, targets), (rows, time) each."""
    inputs, targets = batch
    return F.cross_entropy(model(inputs).flatten(0, -2), targets.flatten())


def windows(tokens: Tensor, first: Tensor, context: int) -> Batch:
    """The windows that begin at ``first``, and the tokens that follow those in them."""
    found = tokens[first[:, None] + torch.arange(context + 1)].long()
    return found[:, :-1], found[:, 1:]


def _sums(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    return {"loss": next_token_loss(model, batch).double() * len(batch[0])}


def _padded(text: TextData, vocabulary: int | None) -> int:
    if vocabulary is None:
        return text.vocabulary
    require_dimension(vocabulary=vocabulary)
    if vocabulary < text.vocabulary:
        raise ValueError(
            f"vocabulary must be at least {text.vocabulary}, that of {text.name}, got {vocabulary}"
        )
    return vocabulary


def _split(text: TextData, context: int) -> tuple[Tensor, Tensor]:
    """Tokens to train on, and the last tenth, at least one window."""
    n = len(text.tokens)
    if n < 2 * (context + 1):
        raise DataError(
            f"{text.name}: a context of {context} needs a text of {2 * (context + 1)} tokens or more, got {n}"
        )
    last = max(n // HELD_OUT, context + 1)
    return text.tokens[:-last], text.tokens[-last:]


def _about(text: TextData, size: Any, chosen: GPTSize, model: GPT) -> dict[str, Any]:
    return {
        "task": "gpt",
        "data": text.name,
        "data_note": text.note,
        "sha256": text.sha256,
        "tokens": "bytes" if text.symbols is None else "chars",
        "n_tokens": len(text.tokens),
        "size": size if isinstance(size, str) else "own",
        **asdict(chosen),
        "parameters": count_parameters(model),
    }
