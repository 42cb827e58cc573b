"""How many expert labels keep each anatomical criterion, as Markdown tables.

Run on one thread, on any of the folders of ACDC's training patients and of CAMUS:

    OMP_NUM_THREADS=1 python benchmarks/calibrate_anatomy.py [--acdc DIR] [--camus DIR] [--whole-heart COUNT]

ACDC's slices are judged as short-axis slices at their own spacing, its volumes as stacks. CAMUS's maps are judged as
apical views with the spacing of their headers. `--whole-heart` draws that many hearts of the phantom at 1.5 mm.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import torch

from monai_cardiacgen.anatomy import ACDC, CAMUS, MM_WHS, AnatomyCheck, AnatomyReport, StackCheck
from monai_cardiacgen.phantom.volume_grid import axial_grid
from monai_cardiacgen.phantom.whole_heart import WHOLE_HEART_GROUPS
from monai_cardiacgen.phantom.whole_heart_patient import draw_whole_heart_patient
from monai_cardiacgen.seeding import seeded

BATCH = 64


def labels(folder: Path, pattern: str) -> Iterator[tuple[torch.Tensor, tuple[float, ...]]]:
    """Every label map of a folder and its spacing in mm."""
    for path in sorted(folder.glob(pattern)):
        volume = nibabel.load(path)
        spacing = tuple(float(mm) for mm in volume.header.get_zooms())
        yield torch.from_numpy(np.asarray(volume.dataobj).astype(np.int64)), spacing


def joined(reports: list[AnatomyReport]) -> AnatomyReport:
    """Several reports of one check as one."""
    values, broken = (torch.cat([getattr(report, name) for report in reports]) for name in ("values", "broken"))
    return AnatomyReport(reports[0].criteria, values, broken)


def acdc_slices(folder: Path) -> AnatomyReport:
    check, reports = AnatomyCheck(ACDC), []
    for label, spacing in labels(folder, "patient*/*_gt.nii.gz"):
        slices = label.movedim(2, 0)
        reports.append(check(slices[slices.flatten(1).any(dim=1)], spacing[:2]))
    return joined(reports)


def acdc_stacks(folder: Path) -> AnatomyReport:
    check = StackCheck(ACDC)
    return joined([check(label[None], spacing) for label, spacing in labels(folder, "patient*/*_gt.nii.gz")])


def camus_views(folder: Path, view: str) -> AnatomyReport:
    check = AnatomyCheck(CAMUS, "apical")
    maps, spacings = zip(*labels(folder, f"patient*/*_{view}_*_gt.nii.gz"), strict=True)
    return joined([check(batch, spacings[0]) for batch in torch.stack(maps).split(BATCH)])


def drawn_whole_hearts(count: int) -> AnatomyReport:
    check, grid, reports = AnatomyCheck(MM_WHS, "whole heart"), axial_grid((128, 128, 108), (1.5, 1.5, 1.5)), []
    for number in range(count):
        patient = draw_whole_heart_patient(WHOLE_HEART_GROUPS[number % len(WHOLE_HEART_GROUPS)], seeded(number))
        reports.append(check(patient.on(grid).label()[None], grid.spacing))
    return joined(reports)


def print_table(title: str, report: AnatomyReport, seconds: float) -> None:
    """The share that keeps each criterion, and where the values lie."""
    print(f"\n{title}: {len(report.values)} maps, {seconds:.0f} s of processor time\n")
    print("| criterion | valid | kept | least | 1 % | median | 99 % | greatest |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for column, criterion in enumerate(report.criteria):
        values = report.values[:, column]
        spread = np.nanquantile(values.numpy(), (0, 0.01, 0.5, 0.99, 1)) if not values.isnan().all() else [np.nan] * 5
        kept = 1 - float(report.broken[:, column].float().mean())
        print(f"| {criterion.name} | {criterion.bound} | {kept:.2%} | {' | '.join(f'{one:.3g}' for one in spread)} |")
    print(f"| **all** | | **{float(report.valid.float().mean()):.2%}** | | | | | |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acdc", type=Path, help="ACDC's training folder")
    parser.add_argument("--camus", type=Path, help="CAMUS's folder of patients")
    parser.add_argument("--whole-heart", type=int, default=0, help="number of hearts of the phantom")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    jobs = {}
    if arguments.acdc:
        jobs["ACDC, slices"] = lambda: acdc_slices(arguments.acdc)
        jobs["ACDC, stacks"] = lambda: acdc_stacks(arguments.acdc)
    if arguments.camus:
        for view in ("2CH", "4CH"):
            jobs[f"CAMUS, {view}"] = lambda view=view: camus_views(arguments.camus, view)
    if arguments.whole_heart:
        jobs["phantom, whole hearts"] = lambda: drawn_whole_hearts(arguments.whole_heart)
    for title, job in jobs.items():
        start = time.process_time()
        report = job()
        print_table(title, report, time.process_time() - start)


if __name__ == "__main__":
    main()
