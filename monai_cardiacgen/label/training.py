"""What a training request means for a segmentation bundle: which cases, which weights, which overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..data.files import read_json
from ..data.split import Split
from ..errors import DataError
from ..seeding import seeded
from .task import choice, number, switch

#: Weights by what they were trained with: synthesis, or real cases alone.
WITH_SYNTHESIS, REAL_ALONE = "model.pt", "model_real.pt"
_PHANTOMS = "phantoms"
_CHECKPOINT = "monai_cardiacgen.handlers.RoundCheckpoint"


def patient_of(study: str) -> str:
    """Return a study's patient: its name up to the first underscore, so that a patient's frames stay together.

    Example:
        >>> patient_of("patient001_frame12"), patient_of("patient001_frame12_vary_7")
        ('patient001', 'patient001')
    """
    return re.split("_", study, maxsplit=1)[0]


def split_studies(items: Sequence[Mapping[str, Any]], validation: float, seed: int) -> Split:
    """Split labelled studies for a training: by patient, validated on real ones alone.

    A validation patient's synthetic cases are left out, and so nothing of that patient is trained on.

    Args:
        items: with `image`, `label` (paths), `study` (name) and `synthetic` (whether it is).
        validation: share of the patients, at least one.
        seed: another seed draws other patients.

    Raises:
        DataError: for fewer than two patients with real cases.
    """
    patients = sorted({patient_of(item["study"]) for item in items if not item["synthetic"]})
    if len(patients) < 2:
        raise DataError(
            f"Expected labelled real studies of two patients or more, one to validate on, got {len(patients)}; "
            f"label more."
        )
    order = torch.randperm(len(patients), generator=seeded(seed)).tolist()
    held_out = {patients[place] for place in order[: min(max(1, round(validation * len(patients))), len(patients) - 1)]}
    files = [(item, {"image": item["image"], "label": item["label"]}) for item in items]
    training = [paths for item, paths in files if patient_of(item["study"]) not in held_out]
    validated = [paths for item, paths in files if patient_of(item["study"]) in held_out and not item["synthetic"]]
    return Split(training, validated, [])


def training_settings(synthesizer: Path | None) -> dict[str, Any]:
    """Return what a request may set; a list is a choice, of which the first is used otherwise.

    Args:
        synthesizer: bundle of trained synthesizers, beside the phantoms; None without.
    """
    sources = [_PHANTOMS] if synthesizer is None else [synthesizer.name, _PHANTOMS]
    return {
        "synthetic_prob": 0.5,
        "synthetic_source": sources,
        "phantom_patients": 40,
        "pretrained": True,
        "max_epochs": 10,
        "iterations_per_epoch": 100,
        "val_split": 0.2,
        "seed": 0,
        "device": ["cpu"],
    }


def training_overrides(
    bundle: Path, synthesizer: Path | None, settings: Mapping[str, Any], split: Split, device: str
) -> dict[str, Any]:
    """Return what of the bundle's `train.json` a request changes.

    The weights that validate best are written to `models/model.pt`, with `synthetic_prob` 0 to `models/model_real.pt`:
    a network trained with synthesis and one trained without can be compared. A training goes on from these weights
    with `pretrained`, and begins with its own schedule each time.

    Raises:
        InputError: for a setting out of range.
    """
    known = training_settings(synthesizer)
    prob = number(settings, "synthetic_prob", 0.0, 1.0)
    sources = tuple(known["synthetic_source"])
    source = settings["synthetic_source"]
    source = choice(
        {"synthetic_source": source[0] if isinstance(source, list) else source}, "synthetic_source", sources
    )
    weights = bundle / "models" / (WITH_SYNTHESIS if prob > 0 else REAL_ALONE)
    handlers = [one for one in read_json(bundle / "configs" / "train.json")["train"]["handlers"] if not _resumes(one)]
    if switch(settings, "pretrained") and weights.is_file():
        loader = {"_target_": "CheckpointLoader", "load_path": str(weights), "load_dict": {"model": "@network_def"}}
        handlers.insert(0, loader)
    overrides: dict[str, Any] = {
        "bundle_root": str(bundle),
        "device": f"$torch.device('{device}')",
        "synthetic_prob": prob,
        "seed": int(number(settings, "seed", 0, 2**31 - 1)),
        "max_epochs": int(number(settings, "max_epochs", 1, 10_000)),
        "iterations_per_epoch": int(number(settings, "iterations_per_epoch", 1, 100_000)),
        "phantom_patients": int(number(settings, "phantom_patients", 1, 10_000)),
        "train#dataset#data": split.training,
        "validate#dataset#data": split.validation,
        "validate#best#path": str(weights),
        "train#handlers": handlers,
    }
    if prob == 0:
        overrides["train#prepare_batch#synth"] = None  # so that no synthesizer is made for nothing
    elif source != _PHANTOMS and synthesizer is not None:
        read = "monai_cardiacgen.inferers.CardiacSynthesizer.from_bundle"
        overrides["synthesizer"] = {"_target_": read, "folder": str(synthesizer)}
        overrides["synth#mode"] = "vary"
    return overrides


def _resumes(handler: Any) -> bool:
    """Tell the checkpoint that would go on with an earlier request's training, on other cases."""
    return isinstance(handler, Mapping) and handler.get("_target_") == _CHECKPOINT


__all__ = [
    "REAL_ALONE",
    "WITH_SYNTHESIS",
    "patient_of",
    "split_studies",
    "training_overrides",
    "training_settings",
]
