"""Trainers on MONAI's `Trainer`, each of which goes on bit for bit from its `state_dict`."""

from __future__ import annotations

from .anatomical_vae_trainer import AnatomicalVAETrainer

__all__ = ["AnatomicalVAETrainer"]
