"""Metrics of synthetic images; functions of tensors, and MONAI metrics that gather them over batches."""

from .checkerboard import CheckerboardMetric, checkerboard_score

__all__ = ["CheckerboardMetric", "checkerboard_score"]
