"""What repair does to the segmentations of a deliberately weak network, on ACDC patients that nothing was trained on.

    python benchmarks/repair_anatomy.py --data-dir DIR [--out runs/repair] [--segmentation-steps 150]

Of the 100 training patients of ACDC 70 train the shape model, 8 of these the weak ENet, 10 choose its weights, and 20
are tested (seed 0). The shape model is kept in OUT; called again, the command goes on from there. Dice is that of a
patient's volume at one phase, averaged over patients and phases, before and after repair, on the study's grid.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress

from monai_cardiacgen.anatomy import ACDC, AnatomyCheck
from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.data.slices import ShortAxisGrid, load_slices
from monai_cardiacgen.data.split import split_by_patient
from monai_cardiacgen.inferers import LatentSampler
from monai_cardiacgen.inferers.anatomy_repair import AnatomyRepair
from monai_cardiacgen.networks.nets import ENet
from monai_cardiacgen.studies.bootstrap import bootstrap_difference
from monai_cardiacgen.studies.segmentation import train_segmentation
from monai_cardiacgen.studies.shape_model import ShapeBudget, heart_maps, train_shape_model

SHAPE_SPACING, SHAPE_SIZE = (2.0, 2.0), (96, 96)
SPACING, SIZE = (1.5, 1.5), (128, 128)


def dice(first: torch.Tensor, second: torch.Tensor) -> list[float]:
    """Dice of each structure of two volumes, NaN where neither shows it."""
    values = []
    for code in ACDC.codes[1:]:
        one, other = first == code, second == code
        size = int(one.sum() + other.sum())
        values.append(2 * int((one & other).sum()) / size if size else float("nan"))
    return values


def shape_sampler(training: list, out: Path, iterations: int) -> LatentSampler:
    """Train the shape model, or take the one that is there, and fit the sampler to its training hearts."""
    slices = load_slices(training, ShortAxisGrid(SHAPE_SPACING, SHAPE_SIZE), hearts_only=True)
    maps = heart_maps(slices, conditioned=False)
    with Progress() as progress:
        task = progress.add_task("Shape model", total=iterations)
        vae = train_shape_model(
            maps,
            out / "shape",
            budget=ShapeBudget(iterations),
            progress=lambda done, _: progress.update(task, completed=done),
        )
    labels = torch.stack([one["label"][0] for one in maps])
    return LatentSampler.fit(vae, ACDC, SHAPE_SPACING, labels, check=AnatomyCheck(ACDC))


def segmented(network: torch.nn.Module, slices: list) -> torch.Tensor:
    """Return the network's label maps of the slices, `(N, H, W)`, codes."""
    with torch.no_grad():
        logits = [network(torch.as_tensor(one["image"]).as_subclass(torch.Tensor)[None]) for one in slices]
    return ACDC.from_one_hot(torch.cat(logits))


def main() -> None:
    """Train what is missing, segment, repair, and print what changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="ACDC's training folder")
    parser.add_argument("--out", type=Path, default=Path("runs/repair"))
    parser.add_argument("--shape-steps", type=int, default=1800)
    parser.add_argument("--segmentation-steps", type=int, default=150)
    arguments = parser.parse_args()
    split = split_by_patient(read_acdc(arguments.data_dir), training=70, validation=10, seed=0)
    sampler = shape_sampler(split.training, arguments.out, arguments.shape_steps)

    grid = ShortAxisGrid(SPACING, SIZE)
    few = sorted({item["patient"] for item in split.training})[:8]
    training = load_slices([item for item in split.training if item["patient"] in few], grid)
    validation, testing = load_slices(split.validation, grid), load_slices(split.testing, grid)
    torch.manual_seed(0)
    network = train_segmentation(
        ENet(2, 1, ACDC.num_classes),
        training,
        validation,
        arguments.out / f"enet_{arguments.segmentation_steps}",
        iterations=arguments.segmentation_steps,
    ).eval()

    before = segmented(network, testing)
    start = time.perf_counter()
    repaired = AnatomyRepair(sampler)(before, SPACING)
    seconds = time.perf_counter() - start
    count, invalid = len(before), int((~repaired.valid_before).sum())
    print(
        f"{count} slices of {len(testing)} tested; valid before {1 - invalid / count:.1%}, after "
        f"{float(repaired.valid.float().mean()):.1%}; {seconds / max(1, invalid):.2f} s a repaired slice; "
        f"changed pixels of a repaired slice {float(repaired.changed[~repaired.valid_before].mean()):.1%} of its heart"
    )
    stacks: dict[tuple[str, str], list[int]] = {}
    for row, one in enumerate(testing):
        stacks.setdefault((one["patient"], one["phase"]), []).append(row)
    truth = torch.stack([torch.as_tensor(one["label"]).as_subclass(torch.Tensor)[0] for one in testing])
    scores = {
        name: np.array([dice(labels[rows], truth[rows]) for rows in stacks.values()])  # (stacks, structures)
        for name, labels in (("before", before), ("after", repaired.label))
    }
    patients = sorted({patient for patient, _ in stacks})
    rows_of = [[row for row, (patient, _) in enumerate(stacks) if patient == one] for one in patients]
    means = {name: np.array([np.nanmean(values[rows], axis=0) for rows in rows_of]) for name, values in scores.items()}
    print("| structure | Dice before | after | paired difference (95 %) |\n| --- | --- | --- | --- |")
    columns = [(name, [number]) for number, name in enumerate(ACDC.names[1:])] + [("all", [0, 1, 2])]
    for name, wanted in columns:
        one, other = (means[key][:, wanted].mean(axis=1) for key in ("before", "after"))
        change = bootstrap_difference(one, other)
        interval = f"{change.mean:+.4f} ({change.low:+.4f} to {change.high:+.4f})"
        print(f"| {name} | {one.mean():.3f} | {other.mean():.3f} | {interval} |")


if __name__ == "__main__":
    main()
