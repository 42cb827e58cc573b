"""How well a masked vessel is made anew on held-out patients, beside three ways without a generative network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...data.vessel_tracking import VesselCircle
from ...inferers.inpainted_image import InpaintedImage
from ...inferers.latent_inpainter import LatentInpainter
from ...inferers.searched_image import SearchedImage
from ...inferers.weight_fitting import fit_to_image
from ...seeding import seeded
from .inpainting_baselines import TrainingPatches, inpaint_smoothly
from .masked_vessels import MaskedVessel, find_circle, score_vessel
from .planted_vessels import patch_score, plant, room_to_grow
from .vessel_networks import VesselGAN

#: The methods of a table in its order; the last two are no inpainting: what the measurement errs, and a guess.
OURS, SEARCH = "latent search, weights fitted", "latent search"
NEAREST, SMOOTH, MEAN = "nearest training patch", "biharmonic", "mean training patch"
REAL, GUESS = "real image", "middle of the mask"
BASELINES = (NEAREST, SMOOTH, MEAN)
METHODS = (OURS, SEARCH, *BASELINES, REAL, GUESS)
#: mm by which the radius of a planted vessel is changed.
PLANTED = (-8.0, -5.0, -3.0, 3.0, 5.0, 8.0)


@dataclass(frozen=True)
class SearchSettings:
    """The descent in latent space, as chosen on validation patients.

    Attributes:
        starts: descents of a patch.
        candidates: latents from which each start is chosen.
        steps: of a descent, at most.
        learning_rate: of the descent.
        perceptual_weight: of the critic's score.
        prior_weight: of the latent's normal prior.
        near: pixels over which known pixels lose their weight with their distance from the mask.
        fitting_steps: of the generator's weights, from the best start on.
        fitting_rate: of these steps.
    """

    starts: int = 4
    candidates: int = 196
    steps: int = 100
    learning_rate: float = 0.05
    perceptual_weight: float = 0.001
    prior_weight: float = 0.001
    near: float = 4.0
    fitting_steps: int = 60
    fitting_rate: float = 5e-4

    def inpainter(self, gan: VesselGAN) -> LatentInpainter:
        """Return the inpainter that searches so."""
        return LatentInpainter(
            gan.generator,
            gan.critic,
            latent_size=gan.generator.latent_size,
            starts=self.starts,
            candidates=self.candidates,
            steps=self.steps,
            learning_rate=self.learning_rate,
            perceptual_weight=self.perceptual_weight,
            prior_weight=self.prior_weight,
            near=self.near,
        )

    def fitted(self, inpainter: LatentInpainter, found: SearchedImage, case: MaskedVessel) -> torch.Tensor:
        """Return the patch `(1, H, W)` with its mask filled by the generator fitted to this patch."""
        latent = found.latents[found.best]
        image = case.image.to(latent)
        made = fit_to_image(inpainter.generator, latent, image, found.mask, self.fitting_steps, self.fitting_rate).cpu()
        return torch.where(case.mask, made, case.image)


@dataclass(frozen=True)
class Measured:
    """What was measured on the patches of some patients.

    Attributes:
        cases: a row for each patch and method: patient, number, method, l1, ssim, position, perimeter, ...
        planted: a row for each patch and planted size, 0 for none: patient, number, by, score.
        z_scores: `(N,)`, of all masked pixels of the patches as they are.
    """

    cases: list[dict[str, Any]]
    planted: list[dict[str, Any]]
    z_scores: torch.Tensor


def measure_inpainting(
    inpainter: LatentInpainter,
    search: SearchSettings,
    training: TrainingPatches,
    mean_radius: float,
    cases: Sequence[MaskedVessel],
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Inpaint patches by every method and compare the vessels with the real ones; plant others and score them.

    Args:
        inpainter: ours.
        search: its settings, of which the fitting is used.
        training: the training patches.
        mean_radius: of the training vessels, mm.
        cases: of patients who were not trained on.
        progress: called with the number of patches done and their total.
    """
    rows: list[dict[str, Any]] = []
    planted: list[dict[str, Any]] = []
    scores = []
    for number, case in enumerate(cases):
        found = inpainter(case.image, case.mask, seeded(number))
        spread, seen = _spread_over_starts(found, case), find_circle(case.image, case)
        rows.append({**measured_row(number, case, OURS, search.fitted(inpainter, found, case), seen), **NO_SPREAD})
        rows.append({**measured_row(number, case, SEARCH, found.image.cpu(), seen), **spread})
        hidden = case.image.masked_fill(case.mask, 0)  # no baseline sees what it shall find
        for method, inpaint in (
            (NEAREST, training.with_nearest),
            (SMOOTH, inpaint_smoothly),
            (MEAN, training.with_mean),
        ):
            rows.append({**measured_row(number, case, method, inpaint(hidden, case.mask), seen), **NO_SPREAD})
        rows.append({**measured_row(number, case, REAL, case.image, seen), **NO_SPREAD})
        rows.append({**guess_row(number, case, mean_radius, seen), **NO_SPREAD})
        planted += planted_rows(number, case, found)
        scores.append(found.z_score[:, found.mask].flatten().cpu())
        if progress is not None:
            progress(number + 1, len(cases))
    return Measured(rows, planted, torch.cat(scores))


NO_SPREAD = {"position_spread": math.nan, "perimeter_spread": math.nan, "loss": math.nan}


def measured_row(
    number: int, case: MaskedVessel, method: str, image: torch.Tensor, seen: VesselCircle | None
) -> dict[str, Any]:
    """Return what is measured of a patch inpainted by a method, beside the circle seen in the real one."""
    score = score_vessel(image, case)
    row = {
        "patient": case.patient,
        "number": number,
        "method": method,
        "l1": score.l1,
        "ssim": score.ssim,
        "position": score.position,
        "perimeter": abs(score.perimeter),
        "perimeter_percent": 100 * abs(score.perimeter) / (2 * math.pi * case.radius),
        "perimeter_bias": score.perimeter,
        "clear": float(score.clear),
    }
    return {**row, **_as_seen(score.circle, seen, case)}


def _as_seen(circle: VesselCircle | None, seen: VesselCircle | None, case: MaskedVessel) -> dict[str, float]:
    """Return the errors against the circle that is found in the real image, which leave out the finder's own bias."""
    if seen is None:
        return {"position_seen": math.nan, "perimeter_seen": math.nan}
    middle, radius = (case.middle, 0.0) if circle is None else (circle.centre, circle.radius)
    return {
        "position_seen": math.dist(middle, seen.centre) * case.spacing,
        "perimeter_seen": 2 * math.pi * abs(radius - seen.radius),
    }


def guess_row(number: int, case: MaskedVessel, radius: float, seen: VesselCircle | None) -> dict[str, Any]:
    """Return the row of a circle in the mask's middle: where it is better, the mask gives the vessel away."""
    guess = VesselCircle(0, case.middle, radius, 0.0, 0.0)
    off = 2 * math.pi * (radius - case.radius)
    return {
        "patient": case.patient,
        "number": number,
        "method": GUESS,
        "l1": math.nan,
        "ssim": math.nan,
        "position": math.dist(case.middle, case.centre) * case.spacing,
        "perimeter": abs(off),
        "perimeter_percent": 100 * abs(off) / (2 * math.pi * case.radius),
        "perimeter_bias": off,
        "clear": math.nan,
        **_as_seen(guess, seen, case),
    }


def _spread_over_starts(found: SearchedImage, case: MaskedVessel) -> dict[str, float]:
    """Return the root mean square distance of the starts' circles from their mean, and the perimeters' deviation."""
    circles = [circle for image in found.images.cpu() if (circle := find_circle(image, case)) is not None]
    if not circles:
        return {**NO_SPREAD, "loss": float(found.losses.min())}
    centres = np.array([circle.centre for circle in circles]) * case.spacing
    radii = np.array([circle.radius for circle in circles])
    away = np.square(centres - centres.mean(axis=0)).sum(axis=1)
    return {
        "position_spread": float(np.sqrt(away.mean())),
        "perimeter_spread": float(2 * math.pi * radii.std()),
        "loss": float(found.losses.min()),
    }


def planted_rows(number: int, case: MaskedVessel, found: InpaintedImage) -> list[dict[str, Any]]:
    """Return the scores of the patch as it is and with other vessels planted, those that fit into the mask."""
    rows = [{"patient": case.patient, "number": number, "by": 0.0, "score": patch_score(found, case.image)}]
    for by in PLANTED:
        if -case.radius + 1 < by < room_to_grow(case) - 0.5 * case.spacing:
            score = patch_score(found, plant(case, by))
            rows.append({"patient": case.patient, "number": number, "by": by, "score": score})
    return rows
