"""A noisy quadratic whose constant is known, seen at the same and at different batches."""

import math

import numpy as np
import pytest

from tests.workbench.probe_results import probe_result
from workbench.probes.fits.fit import fit_smoothness


def nuclear(matrix):
    return np.linalg.norm(matrix, "nuc")


def walk(same_batch, t=0.001, sigma=3.0, steps=60):
    """A noisy quadratic 1/2 <X, Q X>, 12 x 11, along steps -t UV^T of its noisy gradients.

    In the spectral norm its constant is the sum of the 11 largest eigenvalues of Q: 11.
    """
    rng = np.random.default_rng(0)
    Q = np.diag([1.0] * 11 + [0.2])
    X = 0.02 * rng.standard_normal((12, 11))
    rows = []
    noise = sigma * rng.standard_normal((steps + 1, *X.shape))
    for k in range(steps):
        G = Q @ X + noise[k]
        U, _, V = np.linalg.svd(G, full_matrices=False)
        X_next = X - t * U @ V
        G_next = Q @ X_next + noise[k if same_batch else k + 1]
        moved = np.linalg.norm(X_next - X, 2)
        rows.append((nuclear(G), nuclear(G_next), nuclear(G_next - G) / moved, moved))
        X = X_next
    before, after, ratio, moved = np.array(rows).T
    batch = "training" if same_batch else "different"
    return probe_result(after, ratio, t=moved, gradnorm=before, batch=batch, scales=None)


def test_a_noisy_quadratic_at_different_batches_shows_noise():
    """The sum seen is sqrt 2 g / t, its radius t / sqrt 2, the step that was used. The truth: L0 = 11."""
    (fit,) = fit_smoothness(walk(same_batch=False))
    assert fit.verdict == "noise"
    sum_seen = fit.L0_seen + fit.L1_seen * walk(False)["gradnorm"].median().item()
    assert sum_seen > 1000 * 11
    assert fit.L1_interval[1] > 400
    assert fit.used_over_suggested == pytest.approx(math.sqrt(2), abs=0.05)


def test_a_noisy_quadratic_at_the_same_batches_shows_its_constant():
    (fit,) = fit_smoothness(walk(same_batch=True))
    assert 10 <= fit.L0_seen + fit.L1_seen * walk(True)["gradnorm"].median().item() <= 11
    assert 10 <= fit.L0_seen <= 11
    assert fit.L1_seen < 0.01 * fit.L0_seen / walk(True)["gradnorm"].max().item()
    assert fit.verdict == "poorly identified"
    assert "level radii" in fit.reason
