"""Drawing hearts and painting them: what a bundle's networks do together."""

from __future__ import annotations

from .cardiac_synthesizer import CardiacSynthesizer, SyntheticCases
from .heart_attributes import HeartAttributes
from .hearts import Hearts
from .latent_sampler import LatentSampler

__all__ = ["CardiacSynthesizer", "HeartAttributes", "Hearts", "LatentSampler", "SyntheticCases"]
