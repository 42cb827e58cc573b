"""The study of the aortic region from patients to tables and pictures; stopped, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ...data.files import load_checkpoint, read_csv, save_checkpoint, whole_file, write_csv, write_json
from ...data.split import split_by_patient
from ...metrics import RandomFeatures, frechet_distance, kernel_distance, spectral_ratio
from ...phantom.write_mmwhs import write_mmwhs_phantom
from ...seeding import seeded
from ..heart_figures import save_figure
from .aortic_patches import AorticPatches
from .inpainting_baselines import TrainingPatches, inpaint_smoothly
from .inpainting_figures import inpainting_figure, write_descent_gif
from .masked_vessels import MaskedVessel, mask_vessels
from .planted_vessels import plant, room_to_grow
from .vessel_figures import anomaly_figure, comparison_figure, critic_figure, patches_figure, spectrum_figure
from .vessel_inpainting import MEAN, NEAREST, OURS, SEARCH, SMOOTH, SearchSettings, measure_inpainting
from .vessel_networks import VesselBudget, VesselGAN, train_vessel_gan
from .vessel_summary import detection, detection_table, exceeding, gains, summarise, table, threshold

Patches = Sequence[Mapping[str, Any]]
Progress = Callable[[str, int, int], None]
PARTS = ("training", "validation", "testing")


@dataclass(frozen=True)
class VesselStudySettings:
    """Who is trained on and tested on, and how.

    Attributes:
        patients: for training, validation and testing.
        seed: of phantoms (this one for training, the next two for the others) and of what is drawn from them.
        training_seed: of the training.
        spacing: mm a pixel of the patches.
        each: masked patches of a patient.
        mask_size: side of the mask in pixels.
        jitter: pixels by which a mask's middle lies off the vessel's at most, along either axis.
        compared: generated patches that are compared with real ones.
        budget: of the training.
        search: in latent space.
    """

    patients: tuple[int, int, int] = (120, 20, 40)
    seed: int = 100
    training_seed: int = 0
    spacing: float = 2.0
    each: int = 1
    mask_size: int = 25
    jitter: int = 2
    compared: int = 500
    budget: VesselBudget = field(default_factory=VesselBudget)
    search: SearchSettings = field(default_factory=SearchSettings)


def run_vessel_study(
    out: Path,
    settings: VesselStudySettings,
    folder: Path | None = None,
    bundle: Path | None = None,
    progress: Progress | None = None,
) -> str:
    """Write tables and pictures into a folder, and return the tables as Markdown.

    `out` gets `volumes/` (phantom patients), `patches.pt`, `training/`, a `..._cases.csv` and `..._planted.csv` for
    validation and testing, `summary.csv`, `detection.csv`, `results.json`, `tables.md` and the pictures.

    Args:
        out: of the results; delete it to begin anew.
        settings: as in the run that it goes on with.
        folder: volumes of one's own in MM-WHS's layout with seeds, see `AorticPatches`, split by patient in place of
            phantoms.
        bundle: trained networks in place of a training, see `VesselGAN.from_bundle`.
        progress: called with a stage, what is done of it, and its total.
    """
    tell = progress or (lambda stage, done, total: None)
    parts = _parts(out, settings, folder, tell)
    gan = _trained(out, settings, parts["training"], bundle, tell)
    training = TrainingPatches(torch.stack([one["image"] for one in parts["training"]]), settings.budget.patch_size)
    cases = {part: _cases(parts[part], settings, number) for number, part in enumerate(PARTS[1:])}
    radius = float(torch.tensor([one["radius"] for one in parts["training"]]).mean())
    measured = {part: _measured(out, part, gan, training, radius, cases[part], settings, tell) for part in cases}
    limits = {
        "pixel": threshold(measured["validation"][2]),
        "patch": threshold([float(row["score"]) for row in measured["validation"][1] if float(row["by"]) == 0]),
    }
    text = _write_tables(out, settings, measured, limits, _realism(gan, parts, settings))
    _draw(out, gan, training, parts, cases["testing"], settings, limits["pixel"])
    return text


def _parts(out: Path, settings: VesselStudySettings, folder: Path | None, tell: Progress) -> dict[str, Patches]:
    """Return the patches of training, validation and testing, from the file that an earlier run wrote."""
    path = out / "patches.pt"
    if path.is_file():
        return load_checkpoint(path)
    side = settings.budget.patch_size + settings.budget.patch_size // 4
    parts: dict[str, Patches] = {}
    if folder is not None:
        items = AorticPatches(folder, side, settings.spacing, progress=lambda done: tell("volumes", done, 0)).elements
        split = split_by_patient(items, settings.patients[0], settings.patients[1], settings.seed)
        parts = {part: getattr(split, part) for part in PARTS}
    else:
        for number, (part, count) in enumerate(zip(PARTS, settings.patients, strict=True)):
            root = out / "volumes" / part
            write_mmwhs_phantom(root, count, settings.seed + number, "mr", _of(tell, f"{part} patients", count))
            parts[part] = AorticPatches(
                root, side, settings.spacing, progress=_of(tell, f"{part} patches", count)
            ).elements
    save_checkpoint(path, parts)
    return parts


def _of(tell: Progress, stage: str, total: int) -> Callable[[int], None]:
    return lambda done: tell(stage, done, total)


def _trained(
    out: Path, settings: VesselStudySettings, patches: Patches, bundle: Path | None, tell: Progress
) -> VesselGAN:
    folder = out / "training"
    if bundle is not None:
        return VesselGAN.from_bundle(bundle)
    if not (folder / "configs" / "networks.json").is_file():
        gan = train_vessel_gan(
            patches,
            folder,
            budget=settings.budget,
            seed=settings.training_seed,
            progress=lambda done, total: tell("training", done, total),
        )
        gan.to_bundle(folder, {"spacing": settings.spacing})
    return VesselGAN.from_bundle(folder)


def _cases(patches: Patches, settings: VesselStudySettings, number: int) -> list[MaskedVessel]:
    return mask_vessels(
        patches,
        settings.budget.patch_size,
        settings.spacing,
        settings.each,
        settings.mask_size,
        settings.jitter,
        settings.seed + number,
    )


def _measured(
    out: Path,
    part: str,
    gan: VesselGAN,
    training: TrainingPatches,
    radius: float,
    cases: Sequence[MaskedVessel],
    settings: VesselStudySettings,
    tell: Progress,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[float]]:
    """Return a part's rows and z-scores, from the files that an earlier run wrote."""
    paths = [out / f"{part}_{name}" for name in ("cases.csv", "planted.csv", "z.pt")]
    if not all(path.is_file() for path in paths):
        inpainter = settings.search.inpainter(gan)
        found = measure_inpainting(
            inpainter,
            settings.search,
            training,
            radius,
            cases,
            lambda done, total: tell(f"{part}: inpainting", done, total),
        )
        write_csv(paths[0], found.cases)
        write_csv(paths[1], found.planted)
        save_checkpoint(paths[2], {"z": found.z_scores})
    scores: list[float] = load_checkpoint(paths[2])["z"].tolist()
    return [dict(row) for row in read_csv(paths[0])], [dict(row) for row in read_csv(paths[1])], scores


def _realism(
    gan: VesselGAN, parts: Mapping[str, Patches], settings: VesselStudySettings
) -> dict[str, dict[str, float]]:
    """Return distances from the testing patches: of generated ones, and of as many training ones as what to expect."""
    size, count = settings.budget.patch_size, settings.compared
    sets = {part: windows(parts[part], size, count, settings.seed) for part in PARTS}
    sets["generated"] = gan.sample(count, seeded(settings.seed))
    features = {name: RandomFeatures()(patches) for name, patches in sets.items()}
    training = TrainingPatches(torch.stack([one["image"] for one in parts["training"]]), size)
    nothing = torch.zeros(size, size, dtype=torch.bool)
    realism = {}
    for name in ("generated", "training"):
        low, high = spectral_ratio(sets[name], sets["testing"], settings.spacing)
        realism[name] = {
            "fid": frechet_distance(features[name], features["testing"]),
            "kid": kernel_distance(features[name], features["testing"]),
            "power_ratio_low": low,
            "power_ratio_high": high,
        }
    for name in ("generated", "testing"):
        away = [float((training.nearest(one, nothing) - one).abs().mean()) for one in sets[name][:25]]
        realism.setdefault(name, {})["nearest_training"] = float(torch.tensor(away).mean())
        realism[name]["nearest_training_least"] = min(away)
    return realism


def windows(patches: Patches, size: int, count: int, seed: int) -> torch.Tensor:
    """Return `count` windows `(N, 1, size, size)` of patches, as a training draws them."""
    generator = seeded(seed)
    drawn = torch.randint(len(patches), (count,), generator=generator).tolist()
    rows = []
    for number in drawn:
        image = torch.as_tensor(patches[number]["image"])
        row, column = torch.randint(image.shape[-1] - size + 1, (2,), generator=generator).tolist()
        rows.append(image[:, row : row + size, column : column + size])
    return torch.stack(rows)


def _write_tables(
    out: Path,
    settings: VesselStudySettings,
    measured: Mapping[str, tuple[list[dict[str, Any]], list[dict[str, Any]], list[float]]],
    limits: Mapping[str, float],
    realism: Mapping[str, Mapping[str, float]],
) -> str:
    rows, planted, scores = measured["testing"]
    summary, detected = summarise(rows), detection(planted, limits["patch"])
    healthy = [float(row["score"]) for row in planted if float(row["by"]) == 0]
    false_positives = {"pixel": exceeding(scores, limits["pixel"]), "patch": exceeding(healthy, limits["patch"])}
    write_csv(out / "summary.csv", summary)
    write_csv(out / "detection.csv", detected)
    told = {"settings": asdict(settings), "limits": dict(limits), "false_positives": false_positives}
    write_json(out / "results.json", {**told, "realism": {name: dict(one) for name, one in realism.items()}})
    spread = {row["measure"]: row["mean"] for row in summary if row["method"] == SEARCH}
    text = "\n\n".join(
        [
            table(summary),
            gains(summary),
            f"Spread over starts: position {spread['position_spread']:.2f} mm, perimeter "
            f"{spread['perimeter_spread']:.2f} mm.",
            detection_table(detected),
            f"z-score that 5 % of validation pixels exceed: {limits['pixel']:.2f}; of testing pixels "
            f"{100 * false_positives['pixel']:.1f} % do. Score that 5 % of validation patches exceed: "
            f"{limits['patch']:.2f}; of testing patches {100 * false_positives['patch']:.1f} % do.",
            "\n".join(f"{name}: {values}" for name, values in realism.items()),
        ]
    )
    with whole_file(out / "tables.md") as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    return text


def _draw(
    out: Path,
    gan: VesselGAN,
    training: TrainingPatches,
    parts: Mapping[str, Patches],
    cases: Sequence[MaskedVessel],
    settings: VesselStudySettings,
    limit: float,
) -> None:
    size, count = settings.budget.patch_size, settings.compared
    real, generated = windows(parts["training"], size, count, settings.seed), gan.sample(count, seeded(settings.seed))
    save_figure(out / "patches.png", patches_figure(real, generated))
    held_out = windows(parts["testing"], size, count, settings.seed)
    sets = {"held-out patients": held_out, "training patients": real, "generated": generated}
    save_figure(out / "spectrum.png", spectrum_figure(sets, settings.spacing))
    curves = out / "training" / "vessel.csv"
    if curves.is_file():
        save_figure(out / "critic.png", critic_figure(read_csv(curves)))
    inpainter = settings.search.inpainter(gan)
    # One patch of each of the first patients: nobody chose them.
    first = list({case.patient: number for number, case in reversed(list(enumerate(cases)))}.values())[::-1][:5]
    shown = [cases[number] for number in first]
    found = [inpainter(cases[number].image, cases[number].mask, seeded(number)) for number in first]
    hidden = [case.image.masked_fill(case.mask, 0) for case in shown]
    pairs = list(zip(hidden, shown, strict=True))
    inpainted = {
        OURS: [settings.search.fitted(inpainter, one, case) for one, case in zip(found, shown, strict=True)],
        SEARCH: [one.image for one in found],
        NEAREST: [training.with_nearest(image, case.mask) for image, case in pairs],
        SMOOTH: [inpaint_smoothly(image, case.mask) for image, case in pairs],
        MEAN: [training.with_mean(image, case.mask) for image, case in pairs],
    }
    save_figure(out / "comparison.png", comparison_figure(shown, inpainted))
    save_figure(out / "inpainting.png", inpainting_figure(shown[0].image, found[0], inpainter, "A held-out patient"))
    write_descent_gif(out / "descent.gif", shown[0].image, found[0], inpainter, "Descent", frames=60)
    sizes = [by for by in (-5.0, 0.0, 3.0, 5.0, 8.0) if by < room_to_grow(shown[0]) - 0.5 * settings.spacing]
    images = {_name(by): plant(shown[0], by) if by else shown[0].image for by in sizes}
    scores = {name: found[0].z_score_of(image) for name, image in images.items()}
    save_figure(out / "anomalies.png", anomaly_figure(images, scores, limit))


def _name(by: float) -> str:
    return f"radius {by:+g} mm" if by else "as it is"
