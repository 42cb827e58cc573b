"""Hearts without images: train the shape models of some patients, draw maps and whole patients, and show them."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from rich.console import Console

from ..anatomy.check import AnatomyCheck, AnatomyReport
from ..anatomy.cine import CineCheck
from ..anatomy.heart_size import measure_hearts
from ..anatomy.schemes import ACDC
from ..data.acdc import read_acdc
from ..data.files import load_checkpoint, save_checkpoint, whole_file, write_csv, write_json
from ..data.slices import LABEL, ShortAxisGrid, load_slices
from ..errors import InputError
from ..inferers import LatentSampler
from ..inferers.patient_fit import fit_patient_sampler
from ..inferers.patient_sampler import PatientSampler
from ..inferers.synthetic_patient import ShortAxisStack
from ..seeding import row_generators, seeded
from .heart_figures import label_sheet, patient_figure, save_figure, volume_figure, write_cine_gif
from .shape_model import ShapeBudget, heart_maps, train_shape_model
from .stages import Stages, keep_settings

Progress = Callable[[int, int], None]
#: Maps that are drawn and written together.
_PART = 500


@dataclass(frozen=True)
class HeartsSettings:
    """What is drawn, and from whom.

    Attributes:
        data_dir: a folder in ACDC's layout.
        count: label maps to draw.
        patients: patients to draw.
        frames: of each patient's cine.
        ejection_fraction: of the patients, or None for whatever is drawn.
        iterations: training steps of each of the two shape models.
        seed: of everything random.
        spacing: mm of the label maps.
        side: their pixels along each axis.
    """

    data_dir: str
    count: int = 10_000
    patients: int = 3
    frames: int = 30
    ejection_fraction: float | None = None
    iterations: int = 1800
    seed: int = 0
    spacing: float = 2.0
    side: int = 96


def run_hearts(settings: HeartsSettings, out: Path, console: Console) -> None:
    """Train, draw, check and show; stopped and called again with the same settings, it goes on.

    `out` then holds `maps.csv` (each map's draws and sizes), `maps_NNN.pt` (the maps, 500 a file), `hearts.png`,
    `report.txt`, and for each patient stacks as NIfTI, a picture, a GIF and its volume curve.

    Raises:
        DataError: when the folder is not in ACDC's layout.
        InputError: when `out` was begun with other settings.
        SamplingError: when no valid heart is found.
    """
    items = read_acdc(settings.data_dir)  # first, so that a wrong folder leaves nothing behind
    keep_settings(out / "settings.json", asdict(settings))
    spacing = (settings.spacing, settings.spacing)
    with Stages(out / "times.json", console) as stages:
        with stages.stage("Reading patients") as progress:
            slices = load_slices(
                items, ShortAxisGrid(spacing, (settings.side, settings.side)), hearts_only=True, progress=progress
            )
        budget = ShapeBudget(settings.iterations)
        with stages.stage("Shape model of slices") as progress:
            maps = heart_maps(slices, conditioned=False)
            vae = train_shape_model(maps, out / "slices", budget=budget, seed=settings.seed, progress=progress)
        with stages.stage("Shape model of patients") as progress:
            conditioned = heart_maps(slices, conditioned=True)
            patient_vae = train_shape_model(
                conditioned, out / "patients", budget=budget, seed=settings.seed, progress=progress
            )
        sampler = LatentSampler.fit(
            vae,
            ACDC,
            spacing,
            torch.stack([one[LABEL][0] for one in maps]),
            check=AnatomyCheck(ACDC),
            told={key: [one[key] for one in slices] for key in ("position", "phase", "group")},
            patients=[one["patient"] for one in slices],
        )
        with stages.stage("Label maps") as progress:
            drawn = draw_maps(sampler, settings.count, settings.seed, out, progress)
        with stages.stage("Patients") as progress:
            patient_sampler = fit_patient_sampler(patient_vae, ACDC, *patient_stacks(slices, items))
            told = draw_patients(patient_sampler, settings, out, progress)
    report = f"{drawn}\n\n{told}\n"
    with whole_file(out / "report.txt") as beside:
        beside.write_text(report, encoding="utf-8")
    console.print(report, markup=False, highlight=False)


def draw_maps(sampler: LatentSampler, count: int, seed: int, out: Path, progress: Progress) -> str:
    """Draw label maps in parts, write and picture them, check all of them once more, and return what came of it.

    A map depends on the seed and its number only; parts that are there are not drawn again.
    """
    rows: list[dict[str, Any]] = []
    rejections: Counter[str] = Counter()
    reports: list[AnatomyReport] = []
    first = None
    check = AnatomyCheck(sampler.scheme)
    for start in range(0, count, _PART):
        part = out / f"maps_{start // _PART:03d}.pt"
        size = min(_PART, count - start)
        if not part.is_file():
            generators = [seeded(seed * 1_000_003 + number) for number in range(start, start + size)]
            hearts = sampler.sample(size, generators)
            save_checkpoint(
                part,
                {
                    "label": hearts.label.to(torch.uint8),
                    "draws": hearts.draws,
                    "rejections": dict(hearts.rejections),
                },
            )
        state = load_checkpoint(part)
        label = state["label"].to(torch.int64)
        if len(label) != size:
            raise InputError(f"Expected {size} maps in {part}, got {len(label)}; delete the file to draw them again.")
        rejections.update(state["rejections"])
        reports.append(check(label, sampler.spacing))
        sizes = {
            name: values.tolist() for name, values in measure_hearts(label, sampler.scheme, sampler.spacing).items()
        }
        for row in range(size):
            told = {name: round(values[row], 4) for name, values in sizes.items()}
            rows.append({"number": start + row, "draws": int(state["draws"][row]), **told})
        first = label if first is None else first
        progress(start + size, count)
    write_csv(out / "maps.csv", rows)
    if first is not None:
        title = "Drawn hearts, as they came (LV, RV and myocardium of short-axis slices)"
        save_figure(out / "hearts.png", label_sheet(first[:96], sampler.scheme, title))
    criteria = reports[0].criteria
    joined = AnatomyReport(
        criteria, torch.cat([one.values for one in reports]), torch.cat([one.broken for one in reports])
    )
    draws = sum(row["draws"] for row in rows)
    reasons = ", ".join(f"{name} {number}x" for name, number in rejections.most_common())
    return (
        f"{count} label maps in {draws} draws: {count / draws:.1%} accepted; rejected for: {reasons or 'nothing'}\n"
        f"{joined.table()}"
    )


def patient_stacks(
    slices: Sequence[dict[str, Any]], items: Sequence[dict[str, Any]]
) -> tuple[list[tuple[ShortAxisStack, ShortAxisStack]], dict[str, list[str]]]:
    """Return each patient's stacks of heart slices at both phases, and the patients' groups.

    Patients of whom a phase has fewer than two slices with a heart are left out.
    """
    between = {(item["patient"], item["phase"]): float(item["spacing"][2]) for item in items}
    group_of = {item["patient"]: item["group"] for item in items}
    stacks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in slices:
        stacks.setdefault((one["patient"], one["phase"]), []).append(one)
    pairs, groups = [], []
    for patient in sorted({one["patient"] for one in slices}):
        both = [stacks.get((patient, phase), []) for phase in ("ED", "ES")]
        if min(map(len, both)) < 2:
            continue
        pair = []
        for phase, stack in zip(("ED", "ES"), both, strict=True):
            label = torch.stack([torch.as_tensor(one[LABEL]).as_subclass(torch.Tensor)[0] for one in stack], dim=-1)
            height, width = (float(value) for value in stack[0][LABEL].pixdim[:2])
            pair.append(ShortAxisStack(label, (round(height, 4), round(width, 4), between[patient, phase])))
        pairs.append((pair[0], pair[1]))
        groups.append(group_of[patient])
    return pairs, {"group": groups}


def draw_patients(sampler: PatientSampler, settings: HeartsSettings, out: Path, progress: Progress) -> str:
    """Draw patients, write and picture them, and return what came of it."""
    wanted = settings.ejection_fraction
    target = None if wanted is None else {"ejection fraction": (wanted, wanted)}
    lines, curves, rejections = [], {}, Counter[str]()
    generators = row_generators(seeded(settings.seed), settings.patients)
    check = CineCheck(ACDC, view="short axis")
    for number, generator in enumerate(generators, start=1):
        result = sampler.sample(1, [generator], target)
        rejections.update(result.rejections)
        patient, name = result.patients[0], f"patient_{number:03d}"
        cine = sampler.cine(patient, settings.frames)
        for phase, stack in (("ED", patient.diastole), ("ES", patient.systole)):
            _save_stack(out / f"{name}_{phase}.nii.gz", stack)
        volumes = cine.volumes(ACDC)
        curves[f"{name}, EF {patient.ejection_fraction:.0%}"] = volumes
        title = f"Synthetic patient {number}, ejection fraction {patient.ejection_fraction:.0%}"
        save_figure(out / f"{name}.png", patient_figure(patient.diastole, patient.systole, ACDC, title))
        write_cine_gif(out / f"{name}.gif", cine, ACDC, title)
        smooth = check(cine.label[None], patient.diastole.spacing)
        lines.append(
            f"{name}: {patient.diastole.label.shape[2]} slices, end-diastolic volume {volumes[0]:.0f} mL, ejection "
            f"fraction {patient.ejection_fraction:.3f}, {result.draws[0]} draw(s); cine of {settings.frames} frames: "
            f"{cine.bridged} of {cine.label.shape[0] * cine.label.shape[3]} slices bridged, "
            + ("smooth in time" if bool(smooth.valid[0]) else "; ".join(smooth.reasons(0)))
        )
        progress(number, settings.patients)
    if curves:
        save_figure(out / "volumes.png", volume_figure(curves))
    write_json(out / "patients.json", {"curves_ml": curves, "rejections": dict(rejections)})
    reasons = ", ".join(f"{name} {count}x" for name, count in rejections.most_common())
    return "\n".join([*lines, f"Patients were rejected for: {reasons or 'nothing'}"])


def _save_stack(path: Path, stack: ShortAxisStack) -> None:
    image = nib.Nifti1Image(stack.label.numpy().astype(np.uint8), np.diag((*stack.spacing, 1.0)))
    image.header.set_xyzt_units("mm")
    with whole_file(path) as beside:  # whose name does not tell nibabel the format
        beside.write_bytes(gzip.compress(image.to_bytes(), mtime=0))
