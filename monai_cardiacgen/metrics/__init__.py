"""Metrics of synthetic images; functions of tensors, and MONAI metrics that gather them over batches."""

from .anatomical_validity import AnatomicalValidity, Share, anatomical_validity, share_of
from .authenticity import Authenticity, authenticity
from .checkerboard import CheckerboardMetric, checkerboard_score
from .copy_search import Match, find_nearest
from .coverage_density import CoverageDensity, CoverageDensityMetric, coverage_and_density
from .feature_distance import RandomFeatures, frechet_distance, kernel_distance
from .feature_space import FeatureSpace
from .feature_statistics import FeatureStatistics
from .frechet_metric import FrechetDistance, FrechetDistanceMetric, frechet_of, frechet_with_error
from .jackknife import jackknife_error
from .kernel_metric import KernelDistance, kernel_distance_with_error
from .label_fidelity import label_fidelity
from .memorisation import Memorisation, find_memorised
from .pair_similarity import PairSimilarity, pair_similarity
from .radial_spectrum import radial_spectrum, spectral_ratio

__all__ = [
    "AnatomicalValidity",
    "Authenticity",
    "CheckerboardMetric",
    "CoverageDensity",
    "CoverageDensityMetric",
    "FeatureSpace",
    "FeatureStatistics",
    "FrechetDistance",
    "FrechetDistanceMetric",
    "KernelDistance",
    "Match",
    "Memorisation",
    "PairSimilarity",
    "RandomFeatures",
    "Share",
    "anatomical_validity",
    "authenticity",
    "checkerboard_score",
    "coverage_and_density",
    "find_memorised",
    "find_nearest",
    "frechet_distance",
    "frechet_of",
    "frechet_with_error",
    "jackknife_error",
    "kernel_distance",
    "kernel_distance_with_error",
    "label_fidelity",
    "pair_similarity",
    "radial_spectrum",
    "share_of",
    "spectral_ratio",
]
