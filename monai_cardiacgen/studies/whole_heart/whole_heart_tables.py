"""The tables of the study of whole-heart CT."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...anatomy.schemes import MM_WHS, WHOLE_HEART_NAME
from ..bootstrap import Interval
from .whole_heart_scores import EVERYWHERE, interval

#: Columns of a structure's row, with their digits.
_DIGITS = {"psnr": 1, "hu_real": 0, "apart": 0, "hu_error": 0, "dice": 3, "dice_real": 3}

Rows = Sequence[Mapping[str, Any]]


def condition_table(rows: Rows, distances: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what is generated from each condition beside the originals: means over patients, 95 % intervals.

    Args:
        rows: of `score_patients`.
        distances: of `feature_distances` by condition; a set without rows, such as real images, has distances only.
    """
    lines = [
        "| condition | images | SSIM | MSE, image | PSNR, image (dB) | FID | KID x 1000 |",
        "| --- " * 7 + "|",
    ]
    for condition, distance in distances.items():
        found = [interval(rows, condition, EVERYWHERE, measure) for measure in ("ssim", "mse", "psnr")]
        errors = [_cell(one, digits) for one, digits in zip(found, (3, 4, 2), strict=True)]
        spread = [
            f"{scale * distance[name]:.{digits}f} ± {1.96 * scale * distance[f'{name}_error']:.{digits}f}"
            for name, scale, digits in (("fid", 1, 4), ("kid", 1000, 3))
        ]
        lines.append("| " + " | ".join([condition, str(distance["images"]), *errors, *spread]) + " |")
    return "\n".join(lines)


def structure_table(rows: Rows) -> str:
    """Return each structure in the images of the whole heart, and in those of its own mask alone."""
    lines = [
        "| structure | condition | PSNR in it (dB) | HU, original | HU, generated less original "
        "| absolute difference, HU | Dice read back | Dice on originals |",
        "| --- " * 8 + "|",
    ]
    for structure in MM_WHS.names[1:]:
        for condition in (WHOLE_HEART_NAME, structure):
            chosen = [row for row in rows if (row["condition"], row["structure"]) == (condition, structure)]
            if not chosen:
                continue
            apart = [{**row, "apart": float(row["hu"]) - float(row["hu_real"])} for row in chosen]
            cells = [
                _cell(interval(apart, condition, structure, measure), digits) for measure, digits in _DIGITS.items()
            ]
            name = "whole heart" if condition == WHOLE_HEART_NAME else "it alone"
            lines.append("| " + " | ".join([structure, name, *cells]) + " |")
    return "\n".join(lines)


def filter_table(rows: Rows) -> str:
    """Return how many images of whom the similarity filter refuses."""
    lines = [
        "| images | number | refused | SSIM to the nearest training image, median (largest) | correlation, median |",
        "| --- " * 5 + "|",
    ]
    for row in rows:
        share = 100 * row["refused"] / row["count"]
        lines.append(
            f"| {row['images']} | {row['count']} | {row['refused']} ({share:.0f} %) | {row['ssim']:.2f} "
            f"({row['largest_ssim']:.2f}) | {row['correlation']:.2f} |"
        )
    return "\n".join(lines)


def _cell(found: Interval, digits: int) -> str:
    if math.isnan(found.mean):
        return "–"
    if math.isnan(found.low):
        return f"{found.mean:.{digits}f}"
    return f"{found.mean:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


__all__ = ["condition_table", "filter_table", "structure_table"]
