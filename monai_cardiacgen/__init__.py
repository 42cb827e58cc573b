"""Labelled synthetic cardiac images for MONAI."""

from ._version import __version__

__all__ = ["__version__"]
