"""Metrics of synthetic images; functions of tensors, and MONAI metrics that gather them over batches."""

from .checkerboard import CheckerboardMetric, checkerboard_score
from .coverage_density import CoverageDensity, CoverageDensityMetric, coverage_and_density
from .feature_distance import RandomFeatures, frechet_distance, kernel_distance
from .radial_spectrum import radial_spectrum, spectral_ratio

__all__ = [
    "CheckerboardMetric",
    "CoverageDensity",
    "CoverageDensityMetric",
    "RandomFeatures",
    "checkerboard_score",
    "coverage_and_density",
    "frechet_distance",
    "kernel_distance",
    "radial_spectrum",
    "spectral_ratio",
]
