"""Readers of public datasets, splits by patient, and what reaches the networks."""

from .acdc import read_acdc
from .split import Split, split_by_patient

__all__ = ["Split", "read_acdc", "split_by_patient"]
