"""Three estimators on a function whose smoothness is known; a second.

f(X) = |X|_F^2 / 2 for a 6 x 4 matrix. In the spectral norm its constant is 4, and steps U V' attain it. The
rows of a batch add noise <N, X>, whose mean over all rows is 0: it has no curvature at all.
"""

import torch
from torch import nn

from workbench.optim import Scion
from workbench.orthogonal import Exact
from workbench.probes import SmoothnessProbe

STEPS, ROWS, RADIUS = 200, 2, 1e-4


class Matrix(nn.Module):
    """One layer, X."""

    def __init__(self):
        super().__init__()
        self.X = nn.Parameter(0.01 * torch.eye(6, 4, dtype=torch.float64))


def loss(model, noise):
    """f(X) + <N, X>, mean over the rows N."""
    return model.X.square().sum() / 2 + (noise * model.X).sum(dim=(1, 2)).mean()


def train(batch):
    """Scion with steps U V' of one length, probed; the medians over its steps."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(256, 6, 4, dtype=torch.float64, generator=generator)
    noise -= noise.mean(dim=0)
    model = Matrix()
    optimizer = Scion(model.parameters(), lr=RADIUS, norm="operator", beta=0.9, orthogonaliser=Exact())
    fixed = noise if batch == "fixed" else batch
    with SmoothnessProbe(model, optimizer, loss=loss, batch=fixed, every=1, announce=None) as probe:
        for _ in range(STEPS):
            rows = noise[torch.randint(256, (ROWS,), generator=generator)]
            optimizer.zero_grad()
            loss(model, rows).backward()
            probe.saw(rows)
            optimizer.step()
    seen = probe.result().median("probe").isel(layer=0)
    return float(seen["ratio"]), float(seen["ratio"] * seen["step_length"] / seen["gradnorm_next"])


print(f"{'batch':12}{'ratio':>12}{'ratio x step / gradient norm':>32}")
for batch in ("fixed", "training", "different"):
    ratio, share = train(batch)
    print(f"{batch:12}{ratio:12.6g}{share:32.4f}")
