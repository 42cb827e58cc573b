"""An invalid segmentation made anatomically valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai.data import MetaTensor

from ..inferers.latent_sampler import LatentSampler
from ..transforms.repair_anatomy import RECORD, RepairAnatomy
from .task import LabelTask, TaskResult
from .volumes import check_has_heart


class Repair(LabelTask):
    """Turns invalid slices of a label map into the nearest valid ones; see `AnatomyRepair`.

    Args:
        sampler: of a synthesizer of short-axis slices.
    """

    description = "Turns an anatomically impossible label into the nearest possible one"
    label_tags = ("original", "final")  # a segmentation first: an expert's label needs no repair

    def __init__(self, sampler: LatentSampler) -> None:
        self.scheme = sampler.scheme
        self._repair = RepairAnatomy(sampler)

    def __call__(self, image: MetaTensor, label: MetaTensor | None, settings: Mapping[str, Any]) -> TaskResult:
        """Return the repaired `label`; the report tells, slice by slice, whether it was valid and is.

        Raises:
            LabelError: for an empty label map.
        """
        if label is None:
            raise TypeError("a task that takes labels is never called without one")
        check_has_heart(label)
        repaired = self._repair(MetaTensor(label.as_tensor()[None], affine=image.affine))
        return TaskResult(
            {"label": MetaTensor(repaired[0].as_tensor(), affine=image.affine)}, dict(repaired.meta[RECORD])
        )


__all__ = ["Repair"]
