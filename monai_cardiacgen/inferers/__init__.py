"""Drawing hearts and painting them: what a bundle's networks do together."""

from __future__ import annotations

from .cardiac_synthesizer import CardiacSynthesizer, SyntheticCases
from .hearts import Hearts
from .latent_sampler import LatentSampler

__all__ = ["CardiacSynthesizer", "Hearts", "LatentSampler", "SyntheticCases"]
