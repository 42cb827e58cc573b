"""Procedural patches with a bright vessel beside a spine, whose place tells where the vessel is."""

from __future__ import annotations

import math
from typing import Any

import torch

from monai_cardiacgen.seeding import seeded

#: mm a pixel.
SPACING = 2.0


def disc(side: int, centre: tuple[float, float], radius: float) -> torch.Tensor:
    """Return 1 within a disc and 0 outside, blurred by a pixel, `(side, side)`; all in pixels."""
    rows, columns = torch.meshgrid(torch.arange(float(side)), torch.arange(float(side)), indexing="ij")
    return (radius + 0.5 - torch.hypot(rows - centre[0], columns - centre[1])).clamp(0, 1)


def patch(number: int, side: int = 80, patient: str | None = None, noise: float = 0.02) -> dict[str, Any]:
    """Return an element as `AorticPatches` gives it."""
    generator = seeded(number)
    middle = (side - 1) / 2
    off = (2 * torch.rand(2, generator=generator) - 1).tolist()
    centre, radius = (middle + off[0], middle + off[1]), 11 + 2 * float(torch.rand((), generator=generator))
    image = 0.3 + 0.5 * disc(side, centre, radius / SPACING)
    image += 0.3 * disc(side, (middle - 12, middle + 16), 5)
    image += noise * torch.randn(side, side, generator=generator)
    return {
        "image": image.clamp(0, 1)[None],
        "affine": torch.diag(torch.tensor([SPACING, SPACING, 1.0, 1.0], dtype=torch.float64)),
        "patient": patient or f"patient{number // 2}",
        "name": f"patch{number}",
        "centre": torch.tensor(centre),
        "radius": radius + 0.2,
        "true_centre": torch.tensor(centre),
        "true_radius": radius,
    }


def without_truth(one: dict[str, Any]) -> dict[str, Any]:
    """Return the element as it is for a real patient."""
    return {**one, "true_centre": torch.full((2,), math.nan), "true_radius": math.nan}
