"""Handlers for MONAI's and ignite's engines."""

from __future__ import annotations

from .best_weights import BestWeights
from .loss_curves import LossCurves
from .round_checkpoint import RoundCheckpoint
from .synthesis_controller import SynthesisController
from .training_rounds import TrainingRounds

__all__ = ["BestWeights", "LossCurves", "RoundCheckpoint", "SynthesisController", "TrainingRounds"]
