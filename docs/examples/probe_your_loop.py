"""A training loop of one's own, with a probe around it: batch norm, dropout, gradient clipping, AdamW.

The training is bit by bit what it is without the probe. Takes some seconds.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

from workbench.probes import SmoothnessProbe, fit_smoothness, fit_table

pixels, labels = load_digits(return_X_y=True)
x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
torch.manual_seed(0)
model = nn.Sequential(
    *(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.GELU(), nn.Dropout(0.1)),
    *(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 10)),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)


def loss(model, batch):
    """The mean over the rows of (images, labels)."""
    images, digits = batch
    return nn.functional.cross_entropy(model(images), digits)


def train(steps):
    """As always."""
    for _ in range(steps):
        rows = torch.randint(len(x), (128,))
        optimizer.zero_grad()
        loss(model, (x[rows], y[rows])).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


fixed = (x[:512], y[:512])  # the set whose loss every number is about
probe = SmoothnessProbe(
    model, optimizer, loss=loss, batch=fixed, norms="scion", output="6", every=5, level="radii"
)
with probe:
    train(150)
result = probe.result()  # an xarray dataset: layer x probe step
print(result["ratio"].median("probe").to_series().to_string(float_format="%.4g"))
print()
for row in fit_table(fit_smoothness(result)):
    print("  ".join(f"{cell:<18}" for cell in row[:4]), row[-1])
