"""Losses of the shape model and of the image generator; each knows only tensors."""

from __future__ import annotations

from .adversarial import HingeDiscriminatorLoss, HingeGeneratorLoss
from .diff_augment import DiffAugment
from .evidence_lower_bound import EvidenceLowerBoundLoss, kullback_leibler
from .feature_matching import FeatureMatchingLoss
from .least_squares import LeastSquaresDiscriminatorLoss, LeastSquaresGeneratorLoss
from .partial_label import PartialLabelLoss, only_known
from .wasserstein import WassersteinCriticLoss, WassersteinGeneratorLoss, between, gradient_norm, gradient_penalty

__all__ = [
    "DiffAugment",
    "EvidenceLowerBoundLoss",
    "FeatureMatchingLoss",
    "HingeDiscriminatorLoss",
    "HingeGeneratorLoss",
    "LeastSquaresDiscriminatorLoss",
    "LeastSquaresGeneratorLoss",
    "PartialLabelLoss",
    "WassersteinCriticLoss",
    "WassersteinGeneratorLoss",
    "between",
    "gradient_norm",
    "gradient_penalty",
    "kullback_leibler",
    "only_known",
]
