"""The networks that a synthesizer may paint with, as a bundle's files tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import nn

from ..networks.blocks.spade import fold_spectral_norm
from ..networks.nets.conditional_unet import ConditionalUNetGenerator
from ..networks.nets.spade_generator import SPADEGenerator
from .styleless_painter import StylelessPainter

#: What `LabelPainter` paints with.
PainterNetwork: TypeAlias = SPADEGenerator | StylelessPainter

#: Of a description: the painter is a `StylelessPainter`. Without it, it is SPADE's generator.
_STYLELESS = "styleless"


def painter_description(painter: PainterNetwork) -> dict[str, Any]:
    """Return the plain values of which `painter_of` builds the same painter."""
    if isinstance(painter, StylelessPainter):
        return {_STYLELESS: {"spatial_dims": painter.spatial_dims, "network": painter.network.arguments}}
    return painter.arguments


def network_of(painter: PainterNetwork) -> nn.Module:
    """Return the network whose weights a bundle's `model.pt` holds."""
    return painter.network if isinstance(painter, StylelessPainter) else painter


def painter_of(description: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> PainterNetwork:
    """Return the painter of a description and its network's weights, spectral norms folded.

    Raises:
        KeyError, TypeError, RuntimeError: when the two do not fit each other.
        InputError: for arguments that no painter has.
    """
    painter: PainterNetwork
    if _STYLELESS in description:
        told = description[_STYLELESS]
        painter = StylelessPainter(ConditionalUNetGenerator(**told["network"]), told["spatial_dims"])
    else:
        painter = SPADEGenerator(**description)
        fold_spectral_norm(painter)
    network_of(painter).load_state_dict(weights)
    return painter


__all__ = ["PainterNetwork", "network_of", "painter_description", "painter_of"]
