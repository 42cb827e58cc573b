"""A figure of the label server's tasks on phantoms: each panel is the answer to a request.

```
python -m benchmarks.label_tasks docs/images/label_tasks.png
```

It runs in MONAI Label's environment (`make test-label` builds it).
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import nibabel as nib
import numpy as np
import requests
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from monai_cardiacgen.phantom import write_acdc_phantom, write_mmwhs_phantom

from .label_server import LabelServer, served

BUNDLES = ("cardiac_segmentation", "cine_mr_vaegan", "aorta_wgan_gp")
STUDY, SEED = "patient001_frame01", 4
#: Right ventricle, myocardium, left ventricle (codes 1 to 3).
_COLOURS = ("#00000000", "#4c9be8", "#f2a33a", "#e0524d")
_HALF = 55  # mm about the heart's centre that are shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a server on a phantom, ask for every task, and draw the answers."""
    (out,) = sys.argv[1:] if arguments is None else arguments
    mpl.use("Agg")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        patients = root / "patients"
        write_acdc_phantom(patients, 1, 0)
        with served(patients, root / "app", [Path("bundles") / name for name in BUNDLES]) as server:
            panels = _heart(server, patients, root) + _vessel(server, root)
    figure, axes = plt.subplots(2, 4, figsize=(11, 6), constrained_layout=True)
    for axis, (title, image, label, spacing) in zip(axes.flat, panels, strict=True):
        _draw(axis, title, image, label, spacing)
    figure.savefig(out, dpi=80)
    return 0


Panel = tuple[str, NDArray[np.float64], NDArray[np.float64] | None, float]


def _heart(server: LabelServer, patients: Path, folder: Path) -> list[Panel]:
    """Return what the tasks of short-axis stacks make of the middle slice."""
    image = nib.load(patients / "patient001" / f"{STUDY}.nii.gz")
    segmented = _answer(server.infer("cardiac_segmentation", STUDY, "image", save_label=True), folder)
    holed = _with_hole(segmented)
    path = folder / "holed.nii.gz"
    nib.save(holed, path)
    repaired = _answer(server.infer("repair", STUDY, "image", label=path), folder)
    cases = {}
    for task in ("synthesize", "vary"):
        for result in ("image", "label"):
            cases[task, result] = _answer(server.infer(task, STUDY, "image", seed=SEED, result=result), folder)
    pairs = {
        "image and segmentation": (image, segmented),
        "a segmentation with a hole": (image, holed),
        "repair": (image, repaired),
        "synthesize": (cases["synthesize", "image"], cases["synthesize", "label"]),
        "vary": (cases["vary", "image"], cases["vary", "label"]),
    }
    return [(title, *_middle(*pair), float(pair[0].header.get_zooms()[0])) for title, pair in pairs.items()]


def _vessel(server: LabelServer, folder: Path) -> list[Panel]:
    """Return the region of an aorta, its healthy version and the difference, after a bright spot was put into it."""
    made = write_mmwhs_phantom(folder, 1, 0, "mr")
    path = next(made.glob("*_image.nii.gz"))
    with next(made.glob("*_descending_aorta.csv")).open() as table:
        points = list(csv.DictReader(table))
    point = points[len(points) // 2]
    centre = [float(point[axis]) for axis in ("x", "y", "slice")]
    file = nib.load(path)
    values, spacing = file.get_fdata(), np.array(file.header.get_zooms()[:3])
    places = np.stack(np.meshgrid(*map(np.arange, values.shape), indexing="ij"), axis=-1)
    spot = np.linalg.norm((places - centre - np.array([3, 0, 0]) / spacing) * spacing, axis=-1) < 5
    values[spot] = 0.15 * values.max()  # a dark, round filling defect of 10 mm
    changed = folder / "changed.nii.gz"
    nib.save(nib.Nifti1Image(values.astype(np.float32), file.affine), changed)
    sent = server.put("/datastore/image?image=thorax", files={"file": (changed.name, changed.read_bytes())})
    sent.raise_for_status()
    shown = {}
    for result in ("healthy", "anomaly"):
        shown[result] = _answer(server.infer("inpaint", "thorax", "image", centre=centre, result=result), folder)
    healthy, anomaly = (shown[name].get_fdata()[..., 0] for name in ("healthy", "anomaly"))
    corner = np.linalg.inv(file.affine) @ shown["healthy"].affine
    grid = np.stack(np.meshgrid(*map(np.arange, healthy.shape), indexing="ij"), axis=-1)
    at = (grid @ corner[:2, :2].T + corner[:2, 3]).round().astype(int)
    level = round(float(corner[2, 3]))
    inside = [np.clip(at[..., axis], 0, values.shape[axis] - 1) for axis in (0, 1)]
    region = values[inside[0], inside[1], level]
    width = float(shown["healthy"].header.get_zooms()[0])
    return [
        ("aorta with a dark spot put in", region, None, width),
        ("inpaint: healthy", healthy, None, width),
        ("inpaint: anomaly", anomaly, None, width),
    ]


def _answer(answer: requests.Response, folder: Path) -> nib.Nifti1Image:
    if answer.status_code != 200:
        raise RuntimeError(answer.text)
    path = folder / "answer.nii.gz"
    path.write_bytes(answer.content)
    file = nib.load(path)
    return nib.Nifti1Image(file.get_fdata(), file.affine)


def _with_hole(label: nib.Nifti1Image) -> nib.Nifti1Image:
    """Return a label map with part of the myocardium's ring cut out in each slice."""
    codes = label.get_fdata().astype(np.uint8)
    for level in range(codes.shape[2]):
        x, y = np.nonzero(codes[..., level] == 3)
        if len(x):
            side = np.arange(codes.shape[1])
            gap = (
                (codes[..., level] == 2)
                & (side > y.mean() + 2)
                & (np.abs(np.arange(codes.shape[0]) - x.mean()) < 4)[:, None]
            )
            codes[..., level][gap] = 0
    return nib.Nifti1Image(codes, label.affine)


def _middle(image: nib.Nifti1Image, label: nib.Nifti1Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle of the heart's slices, cropped about the heart."""
    codes = label.get_fdata()
    levels = np.nonzero((codes == 3).any(axis=(0, 1)))[0]
    level = int(levels[len(levels) // 2])
    centre = np.argwhere(codes[..., level] > 0).mean(axis=0)
    half = _HALF / float(image.header.get_zooms()[0])
    crop = tuple(slice(max(int(place - half), 0), int(place + half)) for place in centre)
    return image.get_fdata()[..., level][crop], codes[..., level][crop]


def _draw(
    axis: Axes, title: str, image: NDArray[np.float64], label: NDArray[np.float64] | None, spacing: float
) -> None:
    extent = (0, image.shape[0] * spacing, image.shape[1] * spacing, 0)
    colours = "inferno" if title.endswith("anomaly") else "gray"
    axis.imshow(image.T, cmap=colours, extent=extent, vmin=image.min(), vmax=np.percentile(image, 99.5))
    if label is not None:
        axis.imshow(label.T, cmap=mpl.colors.ListedColormap(_COLOURS), extent=extent, vmin=0, vmax=3, alpha=0.45)
    axis.set(title=title, xlabel="mm", ylabel="mm")


if __name__ == "__main__":
    sys.exit(main())
