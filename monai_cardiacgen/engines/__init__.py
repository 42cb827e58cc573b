"""Trainers on MONAI's `Trainer`: mixed precision by device, several ranks, all iteration events, exact resume."""

from __future__ import annotations

from .anatomical_vae_step import AnatomicalVAEStep
from .anatomical_vae_trainer import AnatomicalVAETrainer
from .conditional_gan_step import ConditionalGANStep
from .conditional_gan_trainer import ConditionalGANTrainer
from .inpainting_gan_step import InpaintingGANStep
from .inpainting_gan_trainer import InpaintingGANTrainer
from .resumable_trainer import ResumableTrainer
from .spade_gan import SPADEGAN
from .spade_gan_step import SPADEGANStep
from .spade_gan_trainer import SPADEGANTrainer
from .synthesis_evaluator import SynthesisEvaluator
from .vaegan_trainer import VAEGANTrainer
from .wgan_gp_step import WGANGPStep
from .wgan_gp_trainer import WGANGPTrainer

__all__ = [
    "SPADEGAN",
    "AnatomicalVAEStep",
    "AnatomicalVAETrainer",
    "ConditionalGANStep",
    "ConditionalGANTrainer",
    "InpaintingGANStep",
    "InpaintingGANTrainer",
    "ResumableTrainer",
    "SPADEGANStep",
    "SPADEGANTrainer",
    "SynthesisEvaluator",
    "VAEGANTrainer",
    "WGANGPStep",
    "WGANGPTrainer",
]
