"""SGD and PAGE on logistic regression, seed by seed in Python: with draws made beforehand, and as objects."""

from collections.abc import Callable, Mapping

import numpy as np

Array = np.ndarray
REG, STEPSIZE = 0.01, 0.01


def term_grad(rows: Array, x: Array, j: int) -> Array:
    """Gradient of a term; rows are -b_j a_j."""
    return rows[j] * (1 / (1 + np.exp(-(rows[j] @ x)))) + REG * x


def full_grad(rows: Array, x: Array) -> Array:
    """Gradient of the mean."""
    return (1 / (1 + np.exp(-(rows @ x)))) @ rows / len(rows) + REG * x


def numpy_sgd(rows: Array, j: Array, heads: Array | None) -> Array:
    """The last iterate of one seed. j: (steps,)."""
    del heads
    x = np.zeros(rows.shape[1])
    for index in j:
        x = x - STEPSIZE * term_grad(rows, x, index)
    return x


def numpy_page(rows: Array, j: Array, heads: Array | None) -> Array:
    """The last iterate of one seed. j, heads: (steps,)."""
    assert heads is not None
    x = np.zeros(rows.shape[1])
    g = full_grad(rows, x)
    for index, refresh in zip(j, heads, strict=True):
        before, x = x, x - STEPSIZE * g
        g = full_grad(rows, x) if refresh else g + term_grad(rows, x, index) - term_grad(rows, before, index)
    return x


LOOPS: Mapping[str, Callable[[Array, Array, Array | None], Array]] = {"SGD": numpy_sgd, "PAGE": numpy_page}


class SampledLogistic:
    """Mean logistic loss with rows -b_j a_j and a ridge; its gradient on a minibatch that it draws."""

    def __init__(self, rows: Array, seed: int) -> None:
        self.rows, self.rng = rows, np.random.default_rng(seed)

    def stochastic_gradient(self, x: Array, batch: int) -> Array:
        """Of terms drawn with replacement."""
        chosen = self.rows[self.rng.choice(len(self.rows), size=batch)]
        return (1 / (1 + np.exp(-(chosen @ x)))) @ chosen / batch + REG * x


class SampledSGD:
    """An optimiser as an object: stop rule, step and record at every iteration, one seed after the other.

    The way in which libraries of optimisation methods for papers run seeds (written for this comparison).
    """

    def __init__(self, rows: Array, seeds: int, batch: int = 1) -> None:
        self.rows, self.seeds, self.batch = rows, seeds, batch

    def run(self, steps: int, every: int) -> Array:
        """Last iterates, (seeds, d); the recorded ones are in ``trace``."""
        self.trace: list[list[Array]] = []
        return np.stack([self.run_seed(seed, steps, every) for seed in range(self.seeds)])

    def run_seed(self, seed: int, steps: int, every: int) -> Array:
        """The last iterate of one seed, (d,)."""
        self.loss, self.x, self.k = SampledLogistic(self.rows, seed), np.zeros(self.rows.shape[1]), 0
        self.trace.append([self.x.copy()])
        while not self.stops(steps):
            self.step()
            self.k += 1
            if self.k % every == 0:
                self.trace[-1].append(self.x.copy())
        return self.x

    def stops(self, steps: int) -> bool:
        """The iterations are over, or the iterate is not finite."""
        return self.k >= steps or not np.isfinite(self.x).all()

    def step(self) -> None:
        """x <- x - stepsize g."""
        self.x = self.x - STEPSIZE * self.loss.stochastic_gradient(self.x, self.batch)
