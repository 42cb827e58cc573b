"""Sunnybrook's folders with made-up slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from write_dicom import ALONG_X, ALONG_Y, write_dicom

SIZE, CENTRE = 48, (20.0, 26.0)  # x, y in pixels, counted from 0
NORMAL = np.cross(ALONG_X, ALONG_Y)


def circle(radius: float, centre: tuple[float, float] = CENTRE) -> str:
    """Return a contour as the files have it: counted from 1."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    return "".join(
        f"{x:.2f} {y:.2f}\n"
        for x, y in zip(centre[0] + 1 + radius * np.cos(angle), centre[1] + 1 + radius * np.sin(angle), strict=True)
    )


def write_patient(root: Path, name: str = "SC-HF-I-1", dicoms: str = "SCD0000101", outer: float = 13.0) -> None:
    """Write 3 slices, each at frame 8 (end systole, no outer contour) and frame 20 (end diastole)."""
    contours = root / "contourfiles" / name
    for folder in ("i-contours", "o-contours"):
        (contours / folder).mkdir(parents=True)
    y, x = np.mgrid[:SIZE, :SIZE]
    for place in range(3):
        for frame, radius in ((8, 6.0), (20, 9.0)):
            number = 20 * place + frame
            pixels = 100 * (np.hypot(x - CENTRE[0], y - CENTRE[1]) < radius)
            origin = [float(value) for value in 8 * place * NORMAL]
            write_dicom(root / "dicoms" / dicoms / f"{number}.dcm", pixels, number, ImagePositionPatient=origin)
            (contours / "i-contours" / f"IM-0001-{number:04d}-icontour-manual.txt").write_text(circle(radius))
            if frame == 20:
                (contours / "o-contours" / f"IM-0001-{number:04d}-ocontour-manual.txt").write_text(circle(outer))
    links = root / "link.csv"
    known = links.read_text() if links.exists() else "patient_id,original_id\n"
    links.write_text(f"{known}{dicoms},{name}\n")
