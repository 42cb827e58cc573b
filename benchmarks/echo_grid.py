"""Is there more of an upsampling grid after small batches, or on few patients? The paper's annexes C and D.

    OMP_NUM_THREADS=1 python -m benchmarks.echo_grid --data CAMUS/database_nifti [--out runs/echo_grid]

Painters in the paper's settings, as `benchmarks.echo_causes` trains them, on batches of 4 and of 16 frames and on fewer
patients; what they paint on the testing patients' label maps is compared with the real frames. Stopped, the same
command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from monai_cardiacgen.data.split import Split, write_split
from monai_cardiacgen.studies import TrainedOn, checkerboard_by_training, checkerboard_markdown

from .echo_causes import CONFIGS, Causes, CausesSettings

#: Training patients (none for all) and batch size of each painter.
TRAININGS: Sequence[tuple[int | None, int]] = ((None, 4), (None, 16), (50, 4), (10, 4))


def few_patients(split: Split, patients: int | None) -> Split:
    """Return the split with the first of its training patients only."""
    names = sorted({item["patient"] for item in split.training})[:patients]
    return replace(split, training=[item for item in split.training if item["patient"] in names])


def painted_after(
    study: Causes, data: Path, bundle: Path, patients: int | None, batch_size: int, seed: int = 0
) -> tuple[TrainedOn, torch.Tensor]:
    """Return what a painter was trained on, and its images of the testing patients' label maps."""
    out = study.out / f"patients_{patients or 'all'}_batch_{batch_size}"
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "split.json").exists():
        write_split(out / "split.json", few_patients(study.split, patients))
    settings = replace(study.settings, more=(*study.settings.more, ("batch_size", batch_size)))
    other = Causes(data, bundle, out, settings)
    return TrainedOn(len(other.frames("training")), batch_size), other.painted("paper", seed, "testing")["image"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder in CAMUS's layout")
    parser.add_argument("--out", type=Path, default=Path("runs/echo_grid"))
    parser.add_argument("--split", type=Path, default=Path("docs/study/camus_split.json"), help="patients of each part")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    if not (chosen.out / "split.json").exists():
        (chosen.out / "split.json").write_bytes(chosen.split.read_bytes())
    bundle = CONFIGS.parent
    study = Causes(chosen.data, bundle, chosen.out, CausesSettings())
    frames, painted = study.frames("testing"), {}
    for patients, batch_size in TRAININGS:
        trained_on, images = painted_after(study, chosen.data, bundle, patients, batch_size)
        painted[trained_on] = images
        print(f"painted: {trained_on}", flush=True)
    real = torch.stack([one["image"] for one in frames])
    rows = checkerboard_by_training(painted, real, [one["patient"] for one in frames])
    print(checkerboard_markdown([row for row in rows if row.part == "whole image"]))


if __name__ == "__main__":
    main()
