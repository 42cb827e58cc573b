"""Active learning: the unlabelled study on which two networks, trained with and without synthesis, disagree most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monailabel.interfaces.tasks.strategy import Strategy

from ..segmenter import Segmenter
from ..structure_dice import disagreement
from ..volumes import read_volume
from .checked_datastore import CheckedDatastore


class Disagreement(Strategy):
    """Asks for the study where 1 minus the mean Dice coefficient of the two segmentations is greatest.

    Where a network that saw synthetic cases differs from one that saw real ones alone, one of them is wrong, and a
    label tells which. Both segment every unlabelled study once for each state of their weights.

    Args:
        first: trained with synthesis.
        second: trained on real cases alone.
    """

    def __init__(self, first: Segmenter, second: Segmenter) -> None:
        super().__init__("The study on which networks trained with and without synthesis disagree most")
        self.first = first
        self.second = second
        self._known: dict[tuple[str, int, int], float] = {}

    def __call__(self, request: Mapping[str, Any], datastore: CheckedDatastore) -> dict[str, Any] | None:
        """Return `id` and `disagreement` of the study, None when all are labelled.

        Raises:
            CheckpointError: while one of the networks is untrained.
        """
        found = {study: self._of(study, datastore) for study in sorted(datastore.get_unlabeled_images())}
        if not found:
            return None
        study = max(found, key=lambda one: found[one])
        return {"id": study, "disagreement": found[study]}

    def _of(self, study: str, datastore: CheckedDatastore) -> float:
        key = (study, self.first.version(), self.second.version())
        if key not in self._known:
            image = read_volume(datastore.image_path(study))
            codes = [model(image, None, {}).volumes["label"].as_tensor() for model in (self.first, self.second)]
            self._known[key] = disagreement(codes[0], codes[1], self.first.scheme)
        return self._known[key]


__all__ = ["Disagreement"]
