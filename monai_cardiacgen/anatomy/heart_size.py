"""Sizes of hearts: cavity, wall and the share of each structure, one number a map."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..checks import check_spacing
from .labels import LabelScheme
from .schemes import LV_CAVITY, MYOCARDIUM

CAVITY_AREA = "cavity area"
CAVITY_VOLUME = "cavity volume"
WALL_THICKNESS = "wall thickness"


def share_of(structure: str) -> str:
    """Return the name under which `measure_hearts` gives a structure's share."""
    return f"share of {structure}"


def measure_hearts(label: torch.Tensor, scheme: LabelScheme, spacing: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return the sizes of the hearts of label maps.

    `"cavity area"` is that of the left ventricular cavity in mm² (of 3D maps, `"cavity volume"` in mL).
    `"wall thickness"` of 2D maps, in mm, is that of a ring of the same areas: `sqrt((A_lv + A_myo) / pi) -
    sqrt(A_lv / pi)`. `"share of ..."` is each structure's part of all that is labelled, in [0, 1].

    Args:
        label: the scheme's codes, `(B, *spatial)`.
        scheme: of the codes; what it does not annotate is not measured.
        spacing: mm between pixels along the axes.

    Returns:
        Tensors `(B,)`, float32, on the device of `label`; a share is NaN where the map is empty.

    Raises:
        LabelError: for unknown codes.
        SpacingError: unless the spacing has one positive value an axis.

    Example:
        >>> from monai_cardiacgen.anatomy import ACDC
        >>> label = torch.tensor([[[2, 2, 2], [2, 3, 2], [2, 2, 2]]])
        >>> sizes = measure_hearts(label, ACDC, (2.0, 2.0))
        >>> {name: round(float(value), 2) for name, value in sizes.items()}  # doctest: +NORMALIZE_WHITESPACE
        {'share of right ventricular cavity': 0.0, 'share of myocardium': 0.89,
         'share of left ventricular cavity': 0.11, 'cavity area': 4.0, 'wall thickness': 2.26}
    """
    dims = label.ndim - 1
    pixel = math.prod(check_spacing(spacing, dims))
    channels = scheme.to_channels(label)
    # Class by class: one-hot volumes of many patients would not fit into memory.
    counted = [(channels == number).flatten(1).sum(dim=1) for number in range(scheme.num_classes)]
    counts = torch.stack(counted, dim=1).to(torch.float32)  # (B, num_classes)
    labelled = counts[:, 1:].sum(dim=1)
    sizes = {share_of(name): counts[:, scheme.channel(name)] / labelled for name in scheme.names[1:]}
    if LV_CAVITY in scheme.names:
        cavity = counts[:, scheme.channel(LV_CAVITY)] * pixel
        sizes[CAVITY_AREA if dims == 2 else CAVITY_VOLUME] = cavity if dims == 2 else cavity / 1000
        if dims == 2 and MYOCARDIUM in scheme.names:
            wall = counts[:, scheme.channel(MYOCARDIUM)] * pixel
            sizes[WALL_THICKNESS] = ((cavity + wall) / math.pi).sqrt() - (cavity / math.pi).sqrt()
    return sizes
