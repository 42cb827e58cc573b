"""Scoring: the Dice coefficient of every structure, of two labels of a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monailabel.interfaces.tasks.scoring import ScoringMethod

from ...anatomy.labels import LabelScheme
from ..requests import checked_name
from ..structure_dice import structure_dice
from ..volumes import read_label, read_volume
from .checked_datastore import CheckedDatastore


class StructureDice(ScoringMethod):
    """Compares the final labels with the original ones, which a network gave; also told in the studies' info.

    Args:
        scheme: of the labels.
    """

    def __init__(self, scheme: LabelScheme) -> None:
        super().__init__("Dice of every structure between two labels of a study, by default final and original")
        self.scheme = scheme

    def __call__(self, request: Mapping[str, Any], datastore: CheckedDatastore) -> dict[str, dict[str, float | None]]:
        """Return the scores of every study that has both labels; `y` and `y_pred` name other tags."""
        tags = [checked_name(str(request.get(key, tag)), key) for key, tag in (("y", "final"), ("y_pred", "original"))]
        scores = {}
        for study in datastore.list_images():
            labels = [datastore.stored_label(study, (tag,)) for tag in tags]
            if None not in labels:
                image = read_volume(datastore.image_path(study))
                codes = [read_label(Path(str(label)), self.scheme, image).as_tensor() for label in labels]
                scores[study] = structure_dice(codes[0], codes[1], self.scheme)
                datastore.update_image_info(study, {"dice": scores[study]})
        return scores


__all__ = ["StructureDice"]
