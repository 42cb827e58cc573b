"""Networks, each for two and three dimensions; forward takes and gives plain tensors."""

from __future__ import annotations

from .anatomical_vae import AnatomicalVAE
from .conditional_patch_critic import ConditionalPatchCritic
from .conditional_unet import ConditionalUNetGenerator
from .enet import ENet
from .inpainting_generator import InpaintingGenerator
from .multiscale_discriminator import MultiscaleDiscriminator
from .spade_generator import SPADEGenerator
from .style_encoder import StyleEncoder
from .wgan_gp import WGANCritic, WGANGenerator

__all__ = [
    "AnatomicalVAE",
    "ConditionalPatchCritic",
    "ConditionalUNetGenerator",
    "ENet",
    "InpaintingGenerator",
    "MultiscaleDiscriminator",
    "SPADEGenerator",
    "StyleEncoder",
    "WGANCritic",
    "WGANGenerator",
]
