"""Train a small network on the digits of scikit-learn with Muon, and with AdamW; a few seconds.

Each has three step sizes, the same linear decay to 0 and the same three seeds.
"""

import time

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from workbench.optim import Muon, groups_for

pixels, labels = load_digits(return_X_y=True)
split = train_test_split((pixels / 16).astype("float32"), labels, test_size=0.3, random_state=0)
x, x_test, y, y_test = map(torch.tensor, split)
cross_entropy = nn.functional.cross_entropy


def train(make, seed, epochs=5):
    """Loss on the training data and on the others, and the share of these that is right."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = make(model)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=epochs * len(x) // 32 + 1)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
            decay.step()
    with torch.no_grad():
        right = (model(x_test).argmax(dim=1) == y_test).double().mean()
        return cross_entropy(model(x), y), cross_entropy(model(x_test), y_test), right


def muon(lr):
    """Matrices in spectral norms, the last layer by signs, biases by their mean square."""
    return lambda model: Muon(groups_for(model, output="4", radii={"output": 10.0}), lr=lr)


def adamw(lr):
    return lambda model: torch.optim.AdamW(model.parameters(), lr=lr)


for name, maker, rates in (("Muon", muon, (0.02, 0.05, 0.1)), ("AdamW", adamw, (0.01, 0.03, 0.1))):
    for lr in rates:
        start = time.perf_counter()
        loss, test_loss, right = (
            torch.tensor([train(maker(lr), seed) for seed in range(3)]).mean(dim=0).tolist()
        )
        took = time.perf_counter() - start
        print(
            f"{name:5} lr {lr:<5} loss {loss:.3f}  test loss {test_loss:.3f}  right {right:.3f}  {took:.1f} s"
        )
