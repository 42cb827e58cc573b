"""Synthetic cases of a stored label: painted anew, or with its heart deformed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from monai.data import MetaTensor

from ..data.preprocessing import short_axis_preprocessing
from ..inferers.cardiac_synthesizer import CardiacSynthesizer
from ..seeding import seeded
from ..transforms.rand_cardiac_synth import RandCardiacSynth
from .task import LabelTask, TaskResult, number
from .volumes import check_has_heart

_TAGS = ("final", "original")
_LARGEST_SEED = 2**31 - 1  # MONAI's random states take no larger one


class Synthesize(LabelTask):
    """Paints a label map as a new scan, slice by slice in one style that lies between those of two training images.

    The result lies on the synthesizer's own grid, cropped about the heart; intensities are in [0, 1].

    Args:
        synthesizer: of short-axis slices.
    """

    description = "Paints the label as a new image, in another style"
    label_tags = _TAGS
    makes_cases = True
    #: A negative seed is drawn anew at each request; the answer tells it.
    settings = MappingProxyType({"seed": -1, "save_study": False, "result": "image"})

    def __init__(self, synthesizer: CardiacSynthesizer) -> None:
        self.synthesizer = synthesizer
        self.scheme = synthesizer.scheme

    def __call__(self, image: MetaTensor, label: MetaTensor | None, settings: Mapping[str, Any]) -> TaskResult:
        """Return `image` and `label` of the new case.

        Raises:
            LabelError: for a label map without a heart.
            InputError: for a seed that is none.
        """
        codes = _given(label)
        seed = _seed(settings)
        grid = short_axis_preprocessing(self.synthesizer.spacing, self.synthesizer.spatial_size)
        centre = torch.nonzero(codes.as_tensor())[:, :2].to(torch.float64).mean(dim=0).tolist()
        case = grid.transform({"image": image, "label": codes, "heart_centre": centre}, start=1)
        slices = case["label"][0].as_tensor().movedim(-1, 0)  # (Z, H, W)
        check_has_heart(slices)
        painted = self.synthesizer.synthesize(slices, None, [seeded(seed) for _ in slices])
        affine = case["image"].affine
        return TaskResult(
            {
                "image": MetaTensor(painted[:, 0].cpu().movedim(0, -1), affine=affine),
                "label": MetaTensor(slices.movedim(0, -1), affine=affine),
            },
            {"mode": "synthesize", "seed": seed, **_origin(self.synthesizer)},
        )


class Vary(LabelTask):
    """Deforms the heart of an image and its label through the latent space; its surroundings stay the image's.

    The result lies on the image's grid, in the image's own intensities.

    Args:
        synthesizer: of short-axis slices.
    """

    description = "Deforms the heart of image and label together; the surroundings stay"
    label_tags = _TAGS
    makes_cases = True
    settings = MappingProxyType({"strength": 0.5, "seed": -1, "save_study": False, "result": "image"})

    def __init__(self, synthesizer: CardiacSynthesizer) -> None:
        self.synthesizer = synthesizer
        self.scheme = synthesizer.scheme

    def __call__(self, image: MetaTensor, label: MetaTensor | None, settings: Mapping[str, Any]) -> TaskResult:
        """Return `image` and `label` of the new case.

        Raises:
            LabelError: for a label map without a heart.
            SpacingError: when the heart is larger than the synthesizer's field of view.
            InputError: for a strength or a seed out of range.
        """
        codes = _given(label)
        seed = _seed(settings)
        strength = number(settings, "strength", 0.01, 1.0)
        vary = RandCardiacSynth(self.synthesizer, prob=1.0, mode="vary", strength=strength)
        vary.set_random_state(seed=seed)
        new_image, new_label = vary(_with_channel(image), _with_channel(codes))
        record = dict(new_image.meta["cardiacgen"])
        return TaskResult(
            {
                "image": MetaTensor(new_image[0].as_tensor(), affine=image.affine),
                "label": MetaTensor(new_label[0].as_tensor(), affine=image.affine),
            },
            {"mode": "vary", "strength": strength, "seed": seed, **_origin(self.synthesizer), "record": record},
        )


def _given(label: MetaTensor | None) -> MetaTensor:
    if label is None:
        raise TypeError("a task that takes labels is never called without one")
    check_has_heart(label)
    return label


def _seed(settings: Mapping[str, Any]) -> int:
    seed = int(number(settings, "seed", -_LARGEST_SEED, _LARGEST_SEED))
    return seed if seed >= 0 else secrets.randbelow(_LARGEST_SEED)


def _origin(synthesizer: CardiacSynthesizer) -> dict[str, str]:
    told = synthesizer.provenance
    return {"bundle": str(told.get("name", "")), "version": str(told.get("version", ""))}


def _with_channel(volume: MetaTensor) -> MetaTensor:
    return MetaTensor(volume.as_tensor()[None], affine=volume.affine)


__all__ = ["Synthesize", "Vary"]
