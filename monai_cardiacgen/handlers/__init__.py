"""Handlers for MONAI's and ignite's engines."""

from __future__ import annotations

from .loss_curves import LossCurves
from .round_checkpoint import RoundCheckpoint
from .synthesis_controller import SynthesisController
from .training_rounds import TrainingRounds

__all__ = ["LossCurves", "RoundCheckpoint", "SynthesisController", "TrainingRounds"]
