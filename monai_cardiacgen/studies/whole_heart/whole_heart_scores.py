"""How near a generated CT slice comes to the original of its label map: patient by patient, structure by structure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from monai.metrics.regression import compute_ssim_and_cs
from torch import nn

from ...anatomy.labels import LabelScheme
from ...anatomy.schemes import MM_WHS, WHOLE_HEART_NAME
from ...data.slices import IMAGE, LABEL
from ...metrics import frechet_with_error, kernel_distance_with_error
from ..bootstrap import Interval, bootstrap_mean
from .random_structures import kept_structures

#: Code maps `(B, 1, H, W)` to images `(B, 1, H, W)` in [0, 1].
Painter = Callable[[torch.Tensor], torch.Tensor]
Slices = Sequence[Mapping[str, Any]]

#: The whole image, as a place where errors are taken.
EVERYWHERE = "image"
_TOGETHER = 32
#: Where a slice keeps what a segmentation network found in it.
_FOUND = "segmented"


class MeanPainter:
    """What one can do without a network: each structure in its mean grey, round it the mean training image.

    Args:
        slices: of the training.
        scheme: of their label maps.
    """

    def __init__(self, slices: Slices, scheme: LabelScheme = MM_WHS) -> None:
        image, label = stacked(slices, IMAGE), stacked(slices, LABEL)
        background = label == 0
        count = background.sum(dim=0)
        around = (image * background).sum(dim=0) / count.clamp_min(1)
        self.around = torch.where(count > 0, around, image[background].mean())
        self.grey = {code: image[label == code].mean() for code in scheme.codes[1:] if bool((label == code).any())}

    def __call__(self, label: torch.Tensor) -> torch.Tensor:
        """Return images of codes `(B, 1, H, W)`."""
        image = self.around.expand(label.shape).clone()
        for code, grey in self.grey.items():
            image[label == code] = grey
        return image


def by_patient(slices: Slices) -> dict[str, list[Mapping[str, Any]]]:
    """Return the slices of each patient."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in slices:
        found[one["patient"]].append(one)
    return dict(found)


def stacked(slices: Slices, key: str) -> torch.Tensor:
    """Return one value of all slices as a tensor `(N, 1, H, W)`."""
    return torch.stack([one[key] for one in slices])


def with_segmentation(slices: Slices, segmenter: nn.Module, scheme: LabelScheme = MM_WHS) -> list[dict[str, Any]]:
    """Return the slices, each with the codes that a segmentation network finds in it."""
    found = scheme.to_codes(_segmented(segmenter, stacked(slices, IMAGE)))
    return [{**one, _FOUND: codes} for one, codes in zip(slices, found, strict=True)]


def painted_by_condition(
    painter: Painter, slices: Slices, structures: Sequence[str] | None = None, scheme: LabelScheme = MM_WHS
) -> tuple[list[Mapping[str, Any]], torch.Tensor]:
    """Return the slices that show one of the structures, and what is painted when the condition shows only these."""
    codes = [scheme.code(name) for name in (scheme.names[1:] if structures is None else structures)]
    wanted = torch.tensor(codes, dtype=torch.int16)
    shown = [one for one in slices if bool(torch.isin(one[LABEL], wanted).any())]
    label = kept_structures(stacked(shown, LABEL), codes)
    return shown, torch.cat([painter(some) for some in label.split(_TOGETHER)])


def score_patients(
    shown: Slices,
    painted: torch.Tensor,
    condition: str,
    structures: Sequence[str],
    segmenter: nn.Module,
    window: Sequence[float],
    scheme: LabelScheme = MM_WHS,
) -> list[dict[str, Any]]:
    """Return rows for each patient: one for the whole image, one for each structure, one for all of these together.

    `mse` and `psnr` (in dB, of the window's width) are of the pixels of the place, in [0, 1]; `ssim` is of the image;
    `hu`, `hu_real` and `hu_error` are means of generated, original and their absolute difference in the place, in HU
    within the window; `dice` and `dice_real` are those of a segmentation network with the label map, over the patient's
    slices together, on generated and on original images.

    Args:
        shown: slices of `with_segmentation`, patients in any order.
        painted: `(N, 1, H, W)`, one for each.
        condition: name of the condition, kept in the rows.
        structures: that the condition showed.
        segmenter: images to logits of the scheme's classes.
        window: HU that 0 and 1 stand for.
        scheme: of the label maps.
    """
    rows: list[dict[str, Any]] = []
    places = [number for number, _ in enumerate(shown)]
    for patient in dict.fromkeys(one["patient"] for one in shown):
        mine = [number for number in places if shown[number]["patient"] == patient]
        image, label = (stacked([shown[number] for number in mine], key) for key in (IMAGE, LABEL))
        made = painted[mine]
        found = {
            "dice": scheme.to_codes(_segmented(segmenter, made)),
            "dice_real": stacked([shown[number] for number in mine], _FOUND),
        }
        told = {"patient": patient, "condition": condition, "slices": len(mine)}
        everywhere = torch.ones_like(label, dtype=torch.bool)
        rows.append(
            {**told, "structure": EVERYWHERE, **_errors(image, made, everywhere, window), "ssim": _ssim(image, made)}
        )
        inside = torch.zeros_like(everywhere)
        for structure in structures:
            place = label == scheme.code(structure)
            inside |= place
            dice = {name: _dice(codes == scheme.code(structure), place) for name, codes in found.items()}
            rows.append({**told, "structure": structure, **_errors(image, made, place, window), **dice})
        if len(structures) > 1:
            rows.append({**told, "structure": WHOLE_HEART_NAME, **_errors(image, made, inside, window)})
    return [{**dict.fromkeys(("ssim", "dice", "dice_real"), math.nan), **row} for row in rows]


def interval(rows: Sequence[Mapping[str, Any]], condition: str, structure: str, measure: str) -> Interval:
    """Return a measure's mean over patients with its interval."""
    chosen = [row for row in rows if (row["condition"], row["structure"]) == (condition, structure)]
    return bootstrap_mean([float(row[measure]) for row in chosen])


def feature_distances(
    made: Mapping[str, torch.Tensor], real: Mapping[str, torch.Tensor], features: Painter, space: str
) -> dict[str, Any]:
    """Return FID's and KID's formulas between images by patient, with standard errors by leaving out patients.

    Covariances are shrunk: some conditions have hardly more images than there are features. Distances are NaN where
    leaving out a patient would leave less than two images.

    Args:
        made: images `(N, 1, H, W)` of each patient.
        real: likewise.
        features: of images.
        space: their name.
    """
    sets = [[features(images) for images in group.values()] for group in (made, real)]
    counts = [[len(own) for own in one] for one in sets]
    if any(sum(own) - max(own) < 2 for own in counts):
        return {**dict.fromkeys(("fid", "fid_error", "kid", "kid_error"), math.nan), "images": sum(counts[0])}
    groups = [torch.arange(len(one)).repeat_interleave(torch.tensor([len(x) for x in one])) for one in sets]
    frechet = frechet_with_error(sets[0], sets[1], space, "shrink")
    kernel = kernel_distance_with_error(torch.cat(sets[0]), torch.cat(sets[1]), space, groups[0], groups[1])
    return {
        "fid": frechet.value,
        "fid_error": frechet.standard_error,
        "kid": kernel.value,
        "kid_error": kernel.standard_error,
        "images": frechet.synthetic,
    }


def slice_errors(image: torch.Tensor, made: torch.Tensor) -> dict[str, float]:
    """Return SSIM, PSNR in dB and mean absolute error of images `(N, 1, H, W)` in [0, 1], taken together."""
    mse = float((made - image).double().square().mean())
    return {
        "ssim": _ssim(image, made),
        "psnr": -10 * math.log10(max(mse, 1e-12)),
        "mae": float((made - image).abs().mean()),
    }


@torch.no_grad()
def _segmented(segmenter: nn.Module, images: torch.Tensor) -> torch.Tensor:
    segmenter.eval()
    return torch.cat([segmenter(some).argmax(dim=1, keepdim=True) for some in images.split(_TOGETHER)])


def _errors(image: torch.Tensor, made: torch.Tensor, place: torch.Tensor, window: Sequence[float]) -> dict[str, float]:
    """Return the errors over the pixels of a place; NaN where it has none."""
    low, high = window
    real, generated = image[place].double(), made[place].double()
    if not len(real):
        return dict.fromkeys(("mse", "psnr", "hu", "hu_real", "hu_error"), math.nan)
    mse = float((generated - real).square().mean())
    return {
        "mse": mse,
        "psnr": -10 * math.log10(max(mse, 1e-12)),
        "hu": low + (high - low) * float(generated.mean()),
        "hu_real": low + (high - low) * float(real.mean()),
        "hu_error": (high - low) * float((generated - real).abs().mean()),
    }


def _ssim(image: torch.Tensor, made: torch.Tensor) -> float:
    """Return the mean structural similarity over slices, with the Gaussian window of its paper."""
    ssim, _ = compute_ssim_and_cs(made, image, spatial_dims=2, kernel_size=[11, 11], kernel_sigma=[1.5, 1.5])
    return float(ssim.flatten(1).mean(dim=1).mean())


def _dice(found: torch.Tensor, place: torch.Tensor) -> float:
    both = int(found.sum()) + int(place.sum())
    return 2 * int((found & place).sum()) / both if both else math.nan


__all__ = [
    "EVERYWHERE",
    "MeanPainter",
    "by_patient",
    "feature_distances",
    "interval",
    "painted_by_condition",
    "score_patients",
    "slice_errors",
    "stacked",
    "with_segmentation",
]
