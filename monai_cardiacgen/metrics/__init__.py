"""Metrics of synthetic images; functions of tensors, and MONAI metrics that gather them over batches."""

from .checkerboard import CheckerboardMetric, checkerboard_score
from .coverage_density import CoverageDensity, CoverageDensityMetric, coverage_and_density

__all__ = [
    "CheckerboardMetric",
    "CoverageDensity",
    "CoverageDensityMetric",
    "checkerboard_score",
    "coverage_and_density",
]
