"""How fast the batched anatomical check is, against the same 16 criteria one map at a time with scikit-image.

Run on one thread, on drawn hearts or on the folder of ACDC's training patients:

    OMP_NUM_THREADS=1 python benchmarks/anatomy_check.py [--data-dir DIR] [--side 96 --spacing 2.0 --batch 32]

Real slices are resampled to the spacing by nearest neighbour, or, with `--native`, keep their own pixels, which are
then measured as if they had the spacing. All maps are padded or cropped to the side.

Three ways measure the same maps in turns in one run, in processor time: `AnatomyCheck` on the batch, scikit-image and
scipy on each whole map, as one would write it, and the same on each map cropped to its foreground. The medians, their
ratios, and the largest difference between the values of the ways are printed.
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
SQUARE = np.ones((3, 3), dtype=bool)


def drawn_hearts(count: int, side: int, spacing: float) -> torch.Tensor:
    """Oval hearts of many sizes and places, `(count, side, side)`."""
    generator = np.random.default_rng(0)
    rows, columns = (np.mgrid[:side, :side] - (side - 1) / 2) * spacing  # mm from the middle
    labels = np.zeros((count, side, side), dtype=np.int64)
    for label in labels:
        row, column = generator.uniform(-16, 16, 2)
        cavity, wall = generator.uniform(10, 28), generator.uniform(6, 12)
        tilt = generator.uniform(0.8, 1.25)
        away = np.hypot((rows - row) * tilt, columns - column)
        beside = np.hypot((rows - row) / 1.3, columns - column + cavity + wall)
        label[beside < cavity + 4] = RV
        label[away < cavity + wall] = MYO
        label[away < cavity] = LV
    return torch.from_numpy(labels)


def acdc_hearts(folder: Path, side: int, spacing: float | None) -> torch.Tensor:
    """Every annotated slice of the folder `(slices, side, side)`, by nearest neighbour; without a spacing, as it is."""
    slices = []
    for path in sorted(folder.glob("patient*/*_gt.nii.gz")):
        volume = nibabel.load(path)
        label = np.asarray(volume.dataobj).astype(np.int64)
        index = []
        for axis in (0, 1):
            middle = (label.shape[axis] - 1) / 2
            step = spacing / volume.header.get_zooms()[axis] if spacing else 1
            index.append(np.rint(middle + (np.arange(side) - (side - 1) / 2) * step).astype(int))
        padded = np.pad(label, ((side, side), (side, side), (0, 0)))
        slices.append(padded[np.ix_(index[0] + side, index[1] + side)].transpose(2, 0, 1))
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


def distance(first: np.ndarray, second: np.ndarray, spacing: tuple[float, float]) -> float:
    if not first.any() or not second.any():
        return math.nan
    return float(ndimage.distance_transform_edt(~second, spacing)[morphology.dilation(first, SQUARE)].min())


def concavity(mask: np.ndarray, spacing: tuple[float, float]) -> float:
    if not mask.any():
        return math.nan
    filled = np.pad(ndimage.binary_fill_holes(mask), 1)
    hull = morphology.convex_hull_image(filled)
    bay = ndimage.binary_erosion(hull & ~filled, SQUARE)
    return float((ndimage.distance_transform_edt(hull, spacing) * bay).max())


def circularity(mask: np.ndarray) -> float:
    filled = ndimage.binary_fill_holes(mask)
    length = measure.perimeter(filled, neighborhood=4)
    return float(4 * math.pi * filled.sum() / length**2) if length else math.nan


def one_map(label: np.ndarray, spacing: tuple[float, float]) -> list[float]:
    """The 16 criteria of one map, in the package's order."""
    lv, rv, myo = (label == code for code in (LV, RV, MYO))
    ring = measure.label(holes(myo), connectivity=2)
    wall_holes = (ring > 0) & ~np.isin(ring, np.unique(ring[lv]))
    solid = lv | holes(lv)
    area = math.prod(spacing)
    return [
        float(holes(lv).sum()),
        float(holes(rv).sum()),
        float(wall_holes.sum()),
        *(disconnected(mask) for mask in (lv, rv, myo)),
        *(gap(mask, myo) * area for mask in (lv, rv)),
        distance(rv, myo, spacing),
        frontier(solid, rv & ~solid),
        frontier(solid, ~(solid | rv | myo)),
        *(concavity(mask, spacing) for mask in (lv, rv, myo)),
        *(circularity(mask) for mask in (lv, myo)),
    ]


def cropped(label: np.ndarray) -> np.ndarray:
    """The map's foreground."""
    rows, columns = np.flatnonzero(label.any(1)), np.flatnonzero(label.any(0))
    return label[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def milliseconds(call: Callable[[], object], maps: int) -> float:
    start = time.process_time()
    call()
    return 1000 * (time.process_time() - start) / maps


def largest_difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(np.nan_to_num(first, nan=-1) - np.nan_to_num(second, nan=-1)).max())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="ACDC's training folder; without it hearts are drawn")
    parser.add_argument("--side", type=int, default=96, help="pixels along either axis")
    parser.add_argument("--spacing", type=float, default=2.0, help="mm between pixels")
    parser.add_argument("--native", action="store_true", help="real slices keep their own pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    side, spacing, needed = arguments.side, (arguments.spacing,) * 2, arguments.batch * arguments.rounds
    if arguments.data_dir:
        hearts = acdc_hearts(arguments.data_dir, side, None if arguments.native else arguments.spacing)
    else:
        hearts = drawn_hearts(needed, side, arguments.spacing)
    # Slices of many patients in one batch, as a sampler draws them.
    hearts = hearts[torch.randperm(len(hearts), generator=torch.Generator().manual_seed(0))][:needed]
    batches = hearts.split(arguments.batch)
    check = AnatomyCheck()
    check(batches[0], spacing)

    times: dict[str, list[float]] = {"AnatomyCheck": [], "whole maps": [], "cropped maps": []}
    difference = 0.0
    for batch in batches:
        maps = [label.numpy() for label in batch]
        ways = {
            "AnatomyCheck": lambda batch=batch: check(batch, spacing).values.numpy(),
            "whole maps": lambda maps=maps: np.array([one_map(label, spacing) for label in maps]),
            "cropped maps": lambda maps=maps: np.array([one_map(cropped(label), spacing) for label in maps]),
        }
        for name, way in ways.items():
            times[name].append(milliseconds(way, len(batch)))
        expected = ways["whole maps"]()
        difference = max(difference, *(largest_difference(way(), expected) for way in ways.values()))
    print(f"{len(hearts)} maps of {side}x{side} in batches of {arguments.batch}, one thread, processor time")
    fast = statistics.median(times["AnatomyCheck"])
    for name, spent in times.items():
        median = statistics.median(spent)
        line = f"{name:<12}  {median:6.2f} ms a map (median; {min(spent):.2f} to {max(spent):.2f})"
        print(line + (f", {median / fast:.1f} times AnatomyCheck's" if median != fast else ""))
    print(f"largest difference of a value {difference:.2g}")


if __name__ == "__main__":
    main()
