"""How fast the batched anatomical check is, against the same 16 criteria one map at a time with scikit-image.

Run on one thread, on drawn hearts or on the folder of ACDC's training patients:

    OMP_NUM_THREADS=1 python benchmarks/anatomy_check.py [--data-dir DIR]

Both ways measure the same maps in turns in one run, in processor time; the medians, their ratio, and the largest
difference between the two ways' values are printed.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import torch
from scipy import ndimage
from skimage import measure, morphology

from monai_cardiacgen.anatomy import AnatomyCheck

RV, MYO, LV = 1, 2, 3
SIDE, SPACING = 96, (2.0, 2.0)
SQUARE = np.ones((3, 3), dtype=bool)


def drawn_hearts(count: int) -> torch.Tensor:
    """Oval hearts of many sizes and places, `(count, SIDE, SIDE)`."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((count, SIDE, SIDE), dtype=np.int64)
    for label in labels:
        row, column = generator.uniform(40, 56, 2)
        cavity, wall = generator.uniform(5, 14), generator.uniform(3, 6)
        tilt = generator.uniform(0.8, 1.25)
        away = np.hypot((rows - row) * tilt, columns - column)
        beside = np.hypot((rows - row) / 1.3, columns - column + cavity + wall)
        label[beside < cavity + 2] = RV
        label[away < cavity + wall] = MYO
        label[away < cavity] = LV
    return torch.from_numpy(labels)


def acdc_hearts(folder: Path) -> torch.Tensor:
    """Every annotated slice of the folder, nearest neighbour at 2 mm, `(slices, SIDE, SIDE)`."""
    slices = []
    for path in sorted(folder.glob("patient*/*_gt.nii.gz")):
        volume = nibabel.load(path)
        label = np.asarray(volume.dataobj).astype(np.int64)
        index = []
        for axis in (0, 1):
            middle, step = (label.shape[axis] - 1) / 2, SPACING[axis] / volume.header.get_zooms()[axis]
            index.append(np.rint(middle + (np.arange(SIDE) - (SIDE - 1) / 2) * step).astype(int))
        padded = np.pad(label, ((SIDE, SIDE), (SIDE, SIDE), (0, 0)))
        slices.append(padded[np.ix_(index[0] + SIDE, index[1] + SIDE)].transpose(2, 0, 1))
    labels = torch.from_numpy(np.concatenate(slices))
    return labels[labels.flatten(1).any(dim=1)]


def holes(mask: np.ndarray) -> np.ndarray:
    return ndimage.binary_fill_holes(mask, SQUARE) & ~mask


def disconnected(mask: np.ndarray) -> int:
    areas = sorted(part.area for part in measure.regionprops(measure.label(mask, connectivity=2)))
    return int(sum(areas[:-1]))


def gap(first: np.ndarray, second: np.ndarray) -> int:
    union = first | second
    for mask, other in ((first, second), (second, first)):
        parts = measure.label(ndimage.binary_fill_holes(mask) & ~mask, connectivity=1)
        held = np.unique(parts[other])
        union |= (parts > 0) & ~np.isin(parts, held)
    return int((ndimage.binary_fill_holes(union) & ~union).sum())


def frontier(first: np.ndarray, second: np.ndarray) -> int:
    return int((first & morphology.dilation(second, SQUARE)).sum())


def distance(first: np.ndarray, second: np.ndarray) -> float:
    if not first.any() or not second.any():
        return math.nan
    return float(ndimage.distance_transform_edt(~second, SPACING)[morphology.dilation(first, SQUARE)].min())


def concavity(mask: np.ndarray) -> float:
    if not mask.any():
        return math.nan
    filled = np.pad(ndimage.binary_fill_holes(mask), 1)
    hull = morphology.convex_hull_image(filled)
    bay = ndimage.binary_erosion(hull & ~filled, SQUARE)
    return float((ndimage.distance_transform_edt(hull, SPACING) * bay).max())


def circularity(mask: np.ndarray) -> float:
    filled = ndimage.binary_fill_holes(mask)
    length = measure.perimeter(filled, neighborhood=4)
    return float(4 * math.pi * filled.sum() / length**2) if length else math.nan


def one_map(label: np.ndarray) -> list[float]:
    """The 16 criteria of one map, in the package's order."""
    lv, rv, myo = (label == code for code in (LV, RV, MYO))
    ring = measure.label(holes(myo), connectivity=2)
    wall_holes = (ring > 0) & ~np.isin(ring, np.unique(ring[lv]))
    solid = lv | holes(lv)
    area = math.prod(SPACING)
    return [
        float(holes(lv).sum()),
        float(holes(rv).sum()),
        float(wall_holes.sum()),
        *(disconnected(mask) for mask in (lv, rv, myo)),
        *(gap(mask, myo) * area for mask in (lv, rv)),
        distance(rv, myo),
        frontier(solid, rv & ~solid),
        frontier(solid, ~(solid | rv | myo)),
        *(concavity(mask) for mask in (lv, rv, myo)),
        *(circularity(mask) for mask in (lv, myo)),
    ]


def milliseconds(call: Callable[[], object], maps: int) -> float:
    start = time.process_time()
    call()
    return 1000 * (time.process_time() - start) / maps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="ACDC's training folder; without it hearts are drawn")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    needed = arguments.batch * arguments.rounds
    hearts = acdc_hearts(arguments.data_dir) if arguments.data_dir else drawn_hearts(needed)
    # Slices of many patients in one batch, as a sampler draws them.
    hearts = hearts[torch.randperm(len(hearts), generator=torch.Generator().manual_seed(0))][:needed]
    batches = hearts.split(arguments.batch)
    check = AnatomyCheck()
    check(batches[0], SPACING)

    batched, single, difference = [], [], 0.0
    for batch in batches:
        maps = [label.numpy() for label in batch]
        batched.append(milliseconds(lambda batch=batch: check(batch, SPACING).valid, len(batch)))
        single.append(milliseconds(lambda maps=maps: [one_map(label) for label in maps], len(batch)))
        values = check(batch, SPACING).values.numpy()
        expected = np.array([one_map(label) for label in maps])
        difference = max(
            difference, float(np.abs(np.nan_to_num(values, nan=-1) - np.nan_to_num(expected, nan=-1)).max())
        )
    fast, slow = statistics.median(batched), statistics.median(single)
    print(f"{len(hearts)} maps of {SIDE}x{SIDE} in batches of {arguments.batch}, one thread, processor time")
    print(f"AnatomyCheck           {fast:6.2f} ms a map (median; {min(batched):.2f} to {max(batched):.2f})")
    print(f"scikit-image, map wise {slow:6.2f} ms a map (median; {min(single):.2f} to {max(single):.2f})")
    print(f"ratio {slow / fast:.1f}; largest difference of a value {difference:.2g}")


if __name__ == "__main__":
    main()
