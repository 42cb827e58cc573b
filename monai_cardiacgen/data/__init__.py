"""Readers of public datasets, splits by patient, and what reaches the networks."""

from .acdc import read_acdc
from .heart_slices import HeartSlices
from .round_sampler import RoundSampler
from .seed_dataset import SeedDataset
from .slices import ShortAxisGrid, load_slices, slices_of
from .split import Split, split_by_patient

__all__ = [
    "HeartSlices",
    "RoundSampler",
    "SeedDataset",
    "ShortAxisGrid",
    "Split",
    "load_slices",
    "read_acdc",
    "slices_of",
    "split_by_patient",
]
