"""Masked vessels made anew by the networks of a bundle, on patients who were in no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ...data.files import load_checkpoint, read_csv, save_checkpoint, whole_file, write_csv, write_json
from ...inferers.conditional_inpainter import ConditionalInpainter
from ...inferers.patch_posterior import PatchPosterior
from ...phantom.write_mmwhs import write_mmwhs_phantom
from ...seeding import seeded
from ..heart_figures import save_figure
from .aortic_patches import AorticPatches
from .inpainting_baselines import TrainingPatches, inpaint_smoothly
from .inpainting_networks import VesselInpainter
from .masked_vessels import MaskedVessel, find_circle, mask_vessels
from .planted_vessels import patch_score
from .vessel_figures import comparison_figure
from .vessel_inpainting import GUESS, MEAN, NEAREST, NO_SPREAD, REAL, SMOOTH, guess_row, measured_row, planted_rows
from .vessel_networks import VesselGAN
from .vessel_posterior import vessel_posterior
from .vessel_summary import detection, detection_table, exceeding, gains, summarise, table, threshold

Patches = Sequence[Mapping[str, Any]]
Progress = Callable[[str, int, int], None]

#: Ours, and two that ask for all patches that fit: generated ones, and training patches in their place.
CONDITIONAL, POSTERIOR, ALIKE = "conditional generator", "posterior of the generator", "posterior of training patches"
BASELINES = (NEAREST, SMOOTH, MEAN)
METHODS = (CONDITIONAL, POSTERIOR, ALIKE, *BASELINES, REAL, GUESS)


@dataclass(frozen=True)
class InpaintingStudySettings:
    """Who is tested, and how.

    Attributes:
        training: patients whose patches the baselines know, those of the generator's training.
        training_seed: of their phantoms.
        patients: tested.
        seed: of their phantoms; their slices, windows and masks are drawn from `seed - 1`.
        validation: patients whose healthy vessels say which score is called abnormal.
        validation_seed: of their phantoms.
        each: masked patches of a patient.
        spacing: mm a pixel.
        patch_size: side in pixels.
        mask_size: side of the mask in pixels.
        jitter: pixels by which a mask's middle lies off the vessel's at most.
        latents: from which patches are accepted.
        latent_seed: of the latents.
        accepted: patches.
        reach: pixels by which patches are moved at most.
    """

    training: int = 120
    training_seed: int = 100
    patients: int = 200
    seed: int = 107
    validation: int = 20
    validation_seed: int = 101
    each: int = 2
    spacing: float = 2.0
    patch_size: int = 64
    mask_size: int = 25
    jitter: int = 2
    latents: int = 20_000
    latent_seed: int = 1
    accepted: int = 64
    reach: int = 4


def run_inpainting_study(
    out: Path, settings: InpaintingStudySettings, bundle: Path, progress: Progress | None = None
) -> str:
    """Write a table and a picture into a folder, and return the table as Markdown; stopped, it goes on where it was.

    Args:
        out: gets `volumes/` and `patches_<seed>.pt` of the training's and the tested patients, and of the latter
            `cases_<seed>.csv`, `summary_<seed>.csv`, `settings_<seed>.json`, `table_<seed>.md` and a picture.
        settings: as in the run that it goes on with.
        bundle: of the trained networks, see `VesselInpainter.from_bundle` and `VesselGAN.from_bundle`.
        progress: called with a stage, what is done of it, and its total.
    """
    tell = progress or (lambda stage, done, total: None)
    trained = _patches(out, settings.training, settings.training_seed, settings, tell)
    cases = _cases(out, settings.patients, settings.seed, settings, tell)
    inpainter = ConditionalInpainter(VesselInpainter.from_bundle(bundle).generator)
    path = out / f"cases_{settings.seed}.csv"
    if not path.is_file():
        training = TrainingPatches(torch.stack([one["image"] for one in trained]), settings.patch_size)
        radius = float(torch.tensor([one["radius"] for one in trained]).mean())
        methods = inpainters(inpainter, VesselGAN.from_bundle(bundle), training, settings)
        rows, shown = measure_methods(methods, radius, cases, lambda done: tell("inpainting", done, len(cases)))
        first = _first_of_patients(cases, 5)
        pictures = {name.replace(" ", "\n", 1): [images[n] for n in first] for name, images in shown.items()}
        save_figure(out / f"comparison_{settings.seed}.png", comparison_figure([cases[n] for n in first], pictures))
        write_csv(path, rows)
    summary = summarise([dict(row) for row in read_csv(path)], METHODS, CONDITIONAL, (*BASELINES, POSTERIOR, ALIKE))
    write_csv(out / f"summary_{settings.seed}.csv", summary)
    write_json(out / f"settings_{settings.seed}.json", asdict(settings))
    healthy = _cases(out, settings.validation, settings.validation_seed, settings, tell)
    found, false = planted_found(inpainter, cases, healthy)
    told = f"Called abnormal as they are: {100 * false:.0f} % of the patches."
    text = "\n\n".join([table(summary), gains(summary), detection_table(found), told])
    with whole_file(out / f"table_{settings.seed}.md") as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    return text


def planted_found(
    inpainter: ConditionalInpainter, cases: Sequence[MaskedVessel], healthy: Sequence[MaskedVessel]
) -> tuple[list[dict[str, Any]], float]:
    """Return how well planted vessels are told from the cases as they are, and the share of these called abnormal.

    Args:
        inpainter: whose anomaly maps are scored.
        cases: of tested patients.
        healthy: of others, of whose scores 5 % lie above the limit of what is called abnormal.
    """
    limit = threshold([patch_score(inpainter(case.image, case.mask), case.image) for case in healthy])
    planted = [
        row for number, case in enumerate(cases) for row in planted_rows(number, case, inpainter(case.image, case.mask))
    ]
    false = exceeding([row["score"] for row in planted if row["by"] == 0], limit)
    return detection(planted, limit), false


def inpainters(
    inpainter: ConditionalInpainter, gan: VesselGAN, training: TrainingPatches, settings: InpaintingStudySettings
) -> dict[str, Callable[[MaskedVessel], torch.Tensor]]:
    """Return by name what fills a case's mask, `(1, H, W)`; none looks at hidden pixels."""
    drawn = gan.sample(settings.latents, seeded(settings.latent_seed), batch=200)
    generated, alike = (
        PatchPosterior(patches, min(settings.accepted, len(patches)), settings.reach)
        for patches in (drawn, training_windows(training, 2 * settings.reach))
    )

    def hidden(case: MaskedVessel) -> torch.Tensor:
        return case.image.masked_fill(case.mask, 0)

    return {
        CONDITIONAL: lambda case: inpainter(case.image, case.mask).image,
        POSTERIOR: lambda case: vessel_posterior(generated, case).image,
        ALIKE: lambda case: vessel_posterior(alike, case).image,
        NEAREST: lambda case: training.with_nearest(hidden(case), case.mask),
        SMOOTH: lambda case: inpaint_smoothly(hidden(case), case.mask),
        MEAN: lambda case: training.with_mean(case.image, case.mask),
    }


def training_windows(training: TrainingPatches, step: int) -> torch.Tensor:
    """Return the windows of the training patches every few pixels, `(N, 1, patch_size, patch_size)`."""
    room, size = training.images.shape[-1] - training.patch_size, training.patch_size
    corners = range(0, room + 1, step or 1)
    return torch.cat([training.images[:, :, r : r + size, c : c + size] for r in corners for c in corners])


def measure_methods(
    methods: Mapping[str, Callable[[MaskedVessel], torch.Tensor]],
    mean_radius: float,
    cases: Sequence[MaskedVessel],
    progress: Callable[[int], None] | None = None,
) -> tuple[list[dict[str, Any]], dict[str, list[torch.Tensor]]]:
    """Return a row for each case and method, with the real image and the guess, and by method its images."""
    rows: list[dict[str, Any]] = []
    made: dict[str, list[torch.Tensor]] = {name: [] for name in methods}
    for number, case in enumerate(cases):
        seen = find_circle(case.image, case)
        for name, inpaint in methods.items():
            made[name].append(torch.where(case.mask, inpaint(case), case.image))
            rows.append({**measured_row(number, case, name, made[name][-1], seen), **NO_SPREAD})
        rows.append({**measured_row(number, case, REAL, case.image, seen), **NO_SPREAD})
        rows.append({**guess_row(number, case, mean_radius, seen), **NO_SPREAD})
        if progress is not None:
            progress(number + 1)
    return rows, made


def _cases(out: Path, count: int, seed: int, settings: InpaintingStudySettings, tell: Progress) -> list[MaskedVessel]:
    """Return the masked patches of phantoms of a seed."""
    places = (settings.patch_size, settings.spacing, settings.each, settings.mask_size, settings.jitter)
    return mask_vessels(_patches(out, count, seed, settings, tell), *places, seed=seed - 1)


def _patches(out: Path, count: int, seed: int, settings: InpaintingStudySettings, tell: Progress) -> Patches:
    path = out / f"patches_{seed}.pt"
    if not path.is_file():
        folder = out / "volumes" / str(seed)
        write_mmwhs_phantom(folder, count, seed, "mr", lambda done: tell(f"patients of seed {seed}", done, count))
        side = settings.patch_size + settings.patch_size // 4
        save_checkpoint(path, {"patches": AorticPatches(folder, side, settings.spacing).elements})
    patches: Patches = load_checkpoint(path)["patches"]
    return patches


def _first_of_patients(cases: Sequence[MaskedVessel], count: int) -> list[int]:
    """Return the number of the first case of each of the first patients: nobody chose them."""
    first: dict[str, int] = {}
    for number, case in enumerate(cases):
        first.setdefault(case.patient, number)
    return list(first.values())[:count]


__all__ = [
    "ALIKE",
    "CONDITIONAL",
    "METHODS",
    "POSTERIOR",
    "InpaintingStudySettings",
    "inpainters",
    "measure_methods",
    "planted_found",
    "run_inpainting_study",
    "training_windows",
]
