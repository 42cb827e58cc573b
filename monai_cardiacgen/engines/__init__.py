"""Trainers on MONAI's `Trainer`: mixed precision by device, all iteration events, exact resume."""

from __future__ import annotations

from .anatomical_vae_trainer import AnatomicalVAETrainer, vae_step
from .resumable_trainer import ResumableTrainer
from .spade_gan import SPADEGAN
from .spade_gan_trainer import SPADEGANTrainer, spade_gan_step
from .synthesis_evaluator import SynthesisEvaluator
from .vaegan_trainer import VAEGANTrainer

__all__ = [
    "SPADEGAN",
    "AnatomicalVAETrainer",
    "ResumableTrainer",
    "SPADEGANTrainer",
    "SynthesisEvaluator",
    "VAEGANTrainer",
    "spade_gan_step",
    "vae_step",
]
