"""Networks to be probed: a decoder-only transformer, a convolutional network, a multilayer perceptron."""

from workbench.probes.networks.cnn import CNN, CNN_SIZES, whitening
from workbench.probes.networks.gpt import GPT, GPT_SIZES, GPTSize
from workbench.probes.networks.mlp import MLP, MLP_SIZES
from workbench.probes.networks.start import count_parameters, seeded

__all__ = [
    "CNN",
    "CNN_SIZES",
    "GPT",
    "GPT_SIZES",
    "MLP",
    "MLP_SIZES",
    "GPTSize",
    "count_parameters",
    "seeded",
    "whitening",
]
