"""Readers of public datasets, splits by patient, and what reaches the networks."""

from .acdc import read_acdc
from .camus import read_camus
from .heart_slices import HeartSlices
from .mmwhs import correct_mmwhs_codes, read_mmwhs
from .round_sampler import RoundSampler
from .seed_dataset import SeedDataset
from .slices import ShortAxisGrid, load_slices, slices_of
from .split import Split, split_by_patient
from .sunnybrook import load_sunnybrook, read_sunnybrook
from .ultrasound_sector import ultrasound_sector, with_sector

__all__ = [
    "HeartSlices",
    "RoundSampler",
    "SeedDataset",
    "ShortAxisGrid",
    "Split",
    "correct_mmwhs_codes",
    "load_slices",
    "load_sunnybrook",
    "read_acdc",
    "read_camus",
    "read_mmwhs",
    "read_sunnybrook",
    "slices_of",
    "split_by_patient",
    "ultrasound_sector",
    "with_sector",
]
