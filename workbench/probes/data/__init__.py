"""Texts and images to train on, offline, and the rows of each step."""

from workbench.probes.data.images import IMAGES, ImageData, default_images, load_images
from workbench.probes.data.order import Epochs
from workbench.probes.data.text import TEXTS, TextData, default_text, load_text

__all__ = [
    "IMAGES",
    "TEXTS",
    "Epochs",
    "ImageData",
    "TextData",
    "default_images",
    "default_text",
    "load_images",
    "load_text",
]
