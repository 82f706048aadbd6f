"""Gradients of a loss at any point of a network, as the training would take them."""
