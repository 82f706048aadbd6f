"""EF21-Muon: steps to minimisers of linear functions, compressed messages both ways, error feedback."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_positive
from assumptions.layers import Layers
from problems.base import Problem
from workbench.compressors.base import Compressor
from workbench.compressors.draws import Copies
from workbench.compressors.geometries import require_geometry
from workbench.compressors.identity import Identity
from workbench.draws import NoiseDraw, Space
from workbench.methods.base import Method, ones
from workbench.methods.contraction import contraction_facts, not_contractive
from workbench.methods.error_feedback_quantities import FEEDBACK_QUANTITIES
from workbench.methods.layer_gradients import over_layers
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import no_steps
from workbench.quantity import Quantity


class FeedbackPoint(NamedTuple):
    """What the server and the n workers remember.

    x, w: (*batch, d), the iterate and the model that all share. g, m: (*batch, n, d), of each worker what the
    server knows of its momentum, and the momentum. steps: taken so far, int64 (*batch,). Before the first
    step g and m are 0 and count for nothing.
    """

    x: Tensor
    w: Tensor
    g: Tensor
    m: Tensor
    steps: Tensor


@dataclass(frozen=True)
class EF21Muon(Method):
    """Workers send compressed changes of their momenta, the server of the model; steps are linear minimisers.

    Worker j: M_j_next = beta M_j + (1 - beta) g_j(W), G_j_next = G_j + C(M_j_next - G_j). Server:
    X_i_next = X_i - radius_i dir_i(mean_j G_j_next), W_next = W + C'(X_next - W).

    f is the mean of n terms, each with its worker; g_j(W) is the gradient of term j, with a draw of its own
    of the noise of a problem that has noise. W = X at the start, and the first M_j and G_j are the first g_j.
    dir_i(G) maximises <G, Z> over |Z|_i <= 1 in the norm of layer i. C and C' are applied to each layer by
    itself, with draws of their own. Without compression W = X: it is Gluon on the mean of all n gradients.
    feedback=False: G_j = C(M_j), which forgets what C left out.

    radius_i > 0: units of x; a float or (*batch, layers). With radius_i = t w_i it is a step of length t in
    the norm max_i |X_i|_i / w_i. beta in [0, 1): a float or (*batch, 1), the weight of the old momentum; 1
    minus the beta of the paper. ValueError otherwise. worker_compressor: C; server_compressor: C', each a
    ``Compressor``, TypeError otherwise. contracts_in: "layers" or "frobenius", where facts and theorems want
    them to shrink errors: C' in the norms of the layers and C in their duals, or both in Euclidean norms.
    A run with compressors that do not shrink there starts with a RuntimeWarning.

    Facts: q_server_i and q_worker_i with E|C(x) - x| <= q |x| in layer i; a theorem refuses compressors
    without any q < 1. with_noise: 1 where the problem has noise, else 0.
    Cost of a step: n gradients of terms, a linear minimisation for each layer, a round of communication; bits
    of the n messages of the workers and of one of the server, numbers as float64.
    Source: EF21-Muon, arXiv:2510.00643.
    """

    radius_i: Number
    beta: Number = 0.0
    server_compressor: Compressor = Identity()  # noqa: RUF009
    worker_compressor: Compressor = Identity()  # noqa: RUF009
    contracts_in: str = "layers"
    feedback: bool = True
    free: ClassVar[tuple[str, ...]] = ("x", "w", "g", "m")
    options: ClassVar[tuple[str, ...]] = (
        "server_compressor",
        "worker_compressor",
        "contracts_in",
        "feedback",
    )
    facts: ClassVar[tuple[str, ...]] = ("with_noise", "q_server_i", "q_worker_i")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = FEEDBACK_QUANTITIES
    source: ClassVar[str] = "arXiv:2510.00643"

    def __post_init__(self) -> None:
        """Guard the numbers and the options."""
        require_positive(radius_i=self.radius_i)
        require_beta(self.beta)
        for name in ("server_compressor", "worker_compressor"):
            if not isinstance(getattr(self, name), Compressor):
                raise TypeError(f"{name} must be a Compressor such as TopK(2), got {getattr(self, name)!r}")
        require_geometry(self.contracts_in)
        if not isinstance(self.feedback, bool):
            raise ValueError(f"feedback must be True or False, got {self.feedback!r}")
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """The facts of the class. ValueError for a compressor with no q < 1, or none that is known."""
        pair = options["server_compressor"], options["worker_compressor"]
        facts = contraction_facts(problem.layers, *pair, options["contracts_in"])
        return {"with_noise": float(problem.offers("noise")), **facts}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Noise for each worker, and what the compressors draw for each layer."""
        over_layers(problem.layers, self.radius_i, problem.x0)
        n, spaces = problem.n_terms, dict[str, Space]()
        if problem.offers("noise"):
            spaces["noise"] = NoiseDraw(problem.noise, problem.d, n)  # pyright: ignore[reportAttributeAccessIssue]
        for i, shape in enumerate(problem.layers.shapes):
            spaces[f"server_{i}"] = self.server_compressor.space(shape)
            spaces[f"worker_{i}"] = Copies(self.worker_compressor.space(shape), n)
        return {name: space for name, space in spaces.items() if space.width > 0}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> FeedbackPoint:
        """x0: (*batch, d). RuntimeWarning for a compressor that does not shrink."""
        del draw
        pair = self.server_compressor, self.worker_compressor
        if said := not_contractive(problem.layers, *pair, self.contracts_in):
            warnings.warn(f"{said}; no theorem covers this run", RuntimeWarning, stacklevel=2)
        nothing = torch.zeros_like(x0).unsqueeze(-2).repeat(*[1] * (x0.dim() - 1), problem.n_terms, 1)
        return FeedbackPoint(x0, x0.clone(), nothing, nothing.clone(), no_steps(x0))

    def step(self, problem: Problem, state: FeedbackPoint, draw: SimpleNamespace) -> FeedbackPoint:
        """Gradients at the shared model, then the server's step. state.x: (*batch, d)."""
        layers, first = problem.layers, (state.steps == 0)[..., None, None]
        fresh = worker_grads(problem, state.w, draw)
        beta = torch.as_tensor(self.beta, dtype=fresh.dtype, device=fresh.device)
        beta = beta.unsqueeze(-1) if beta.dim() else beta
        m = torch.where(first, fresh, beta * state.m + (1 - beta) * fresh)
        known = state.g if self.feedback else torch.zeros_like(m)
        left = _left_out(self.worker_compressor, layers, m - known, draw, "worker")
        # known + sent, but m itself where nothing is left out
        g = torch.where(first, m, m - left) if self.feedback else m - left
        x = state.x - layers.lmo_direction(g.mean(dim=-2), over_layers(layers, self.radius_i, state.x))
        w = x - _left_out(self.server_compressor, layers, x - state.w, draw, "server")
        return FeedbackPoint(x, w, g, m, state.steps + 1)

    def random_state(
        self, problem: Problem, state: FeedbackPoint, generator: torch.Generator
    ) -> FeedbackPoint:
        """Any numbers, after the first step."""
        moved = super().random_state(problem, state, generator)
        return moved._replace(steps=torch.ones_like(state.steps))

    def cost(self, problem: Problem, state: FeedbackPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """See the class; at the first step the workers send their gradients whole."""
        one, n, shapes = ones(state.x), problem.n_terms, problem.layers.shapes
        whole = sum(Identity().bits(shape) for shape in shapes) * one * n
        down = _bits(self.server_compressor, shapes, draw, "server", one)
        up = _bits(self.worker_compressor, shapes, draw, "worker", one, n)
        up = torch.where(state.steps == 0, whole, up) if self.feedback else up
        return {
            "grad_calls": n * one,
            "lmo_calls": len(shapes) * one,
            "communications": one,
            "bits": up + down,
        }


def worker_grads(problem: Problem, w: Tensor, draw: SimpleNamespace) -> Tensor:
    """Gradient of each term at w, with its own noise if there is any. w: (*batch, d). (*batch, n, d)."""
    g = problem.part_grads(w)
    if not hasattr(draw, "noise"):
        return g
    u = draw.noise
    return g + problem.noise.draw(u, w.unsqueeze(-2).expand(*u.shape[:-1], w.shape[-1]))  # pyright: ignore[reportAttributeAccessIssue]


def _drawn(draw: SimpleNamespace, name: str, x: Tensor) -> Tensor:
    """What was drawn; of nothing (*batch, 0)."""
    return getattr(draw, name) if hasattr(draw, name) else x[..., :0]


def _left_out(compressor: Compressor, layers: Layers, x: Tensor, draw: SimpleNamespace, name: str) -> Tensor:
    """x - C(x), every layer of x, (*batch, d) or (*batch, n, d), by itself."""
    parts = zip(x.split(list(layers.sizes), dim=-1), layers.shapes, strict=True)
    sent = [
        compressor(part, _drawn(draw, f"{name}_{i}", part), shape) for i, (part, shape) in enumerate(parts)
    ]
    return x - torch.cat(sent, dim=-1)


def _bits(
    compressor: Compressor,
    shapes: tuple[tuple[int, ...], ...],
    draw: SimpleNamespace,
    name: str,
    one: Tensor,
    n: int = 1,
) -> Tensor:
    """Bits of the messages of all n senders about all layers, (*batch,). one: ones, (*batch,)."""
    total = torch.zeros_like(one)
    for i, shape in enumerate(shapes):
        u = getattr(draw, f"{name}_{i}", None)
        spent = n * compressor.bits(shape) * one if u is None else compressor.spent(u, shape).to(one)
        total = total + (spent.sum(dim=-1) if spent.dim() > one.dim() else spent)
    return total
