"""A study of the smallest size, on phantom patients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai_cardiacgen.phantom import write_acdc_phantom
from monai_cardiacgen.studies.augmentation_study.study_settings import StudySettings


def small_settings(folder: Path | None, patients: int, seed: int, **changed: Any) -> StudySettings:
    """Return settings of a study of seconds, whose patients are written to `folder`, if given."""
    small: dict[str, Any] = {
        "data_dir": "" if folder is None else str(write_acdc_phantom(folder, patients=patients, seed=seed)),
        "seeds": (0,),
        "validation": 1,
        "testing": 2,
        "spacing": 6.0,
        "side": 32,
        "margin": 4,
        "iterations": 4,
        "iterations_per_round": 2,
        "batch_size": 2,
        "phantoms": 1,
    }
    return StudySettings(**{**small, **changed})
