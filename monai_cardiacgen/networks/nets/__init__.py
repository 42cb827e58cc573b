"""Networks, each for two and three dimensions; forward takes and gives plain tensors."""

from __future__ import annotations

from .anatomical_vae import AnatomicalVAE
from .enet import ENet

__all__ = ["AnatomicalVAE", "ENet"]
