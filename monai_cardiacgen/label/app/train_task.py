"""Training of a segmentation bundle on the labelled studies, with synthetic cases on the fly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import monai.bundle
import torch
from monailabel.interfaces.tasks.train import TrainTask

from ...data.files import read_json
from ..requests import known_settings
from ..task import number
from ..training import split_studies, training_overrides, training_settings
from .checked_datastore import CheckedDatastore


class BundleTraining(TrainTask):
    """Runs a bundle's `train.json` on the studies that have a final label.

    Args:
        bundle: folder of a bundle like `cardiac_segmentation`.
        synthesizer: folder of a bundle whose cases are trained on; None for phantoms.
    """

    def __init__(self, bundle: Path, synthesizer: Path | None) -> None:
        super().__init__(str(read_json(bundle / "configs" / "metadata.json").get("description", "")))
        self.bundle = bundle
        self.synthesizer = synthesizer

    def config(self) -> dict[str, Any]:
        """Return what a request, or a viewer, may set."""
        return training_settings(self.synthesizer)

    def __call__(self, request: Mapping[str, Any], datastore: CheckedDatastore) -> dict[str, Any]:
        """Train, and return what was trained on and where the weights are.

        Raises:
            DataError: for too few labelled studies.
            InputError: for a setting out of range.
        """
        settings = known_settings(self.config(), request)
        split = split_studies(
            datastore.labelled_studies(),
            number(settings, "val_split", 0.0, 0.9),
            int(number(settings, "seed", 0, 2**31 - 1)),
        )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        overrides = training_overrides(self.bundle, self.synthesizer, settings, split, device)
        monai.bundle.run(config_file=str(self.bundle / "configs" / "train.json"), **overrides)
        return {
            "training": len(split.training),
            "validation": len(split.validation),
            "weights": Path(overrides["validate#best#path"]).name,
        }


__all__ = ["BundleTraining"]
