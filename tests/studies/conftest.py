"""Tiny patients with round hearts, written as the challenge's files."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

SPACING = (3.0, 3.0, 10.0)


def round_heart(shape, centre, radius):
    """Codes of a disc (LV), a ring (myocardium) and a second disc (RV); the first slice is empty."""
    x, y = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    far = np.hypot(x - centre[0], y - centre[1])
    beside = np.hypot(x - centre[0], y - centre[1] + 2.2 * radius)
    plane = np.zeros(shape[:2], dtype=np.uint8)
    plane[beside < radius] = 1
    plane[far < 1.5 * radius] = 2
    plane[far < radius] = 3
    label = np.repeat(plane[..., None], shape[2], axis=2)
    label[..., 0] = 0
    return label


@pytest.fixture(scope="session")
def items(tmp_path_factory):
    """Six patients with two phases each, as `read_acdc` lists them."""
    folder = tmp_path_factory.mktemp("patients")
    rng = np.random.default_rng(0)
    items = []
    for number in range(6):
        for phase, radius in (("ED", 5.0), ("ES", 4.0)):
            label = round_heart((40, 48, 4), (20 + rng.normal(), 24 + rng.normal()), radius)
            grey = np.array([40.0, 160.0, 80.0, 200.0])[label] + rng.normal(0, 5, label.shape)
            paths = {}
            for key, content in (("image", grey.astype(np.float32)), ("label", label)):
                paths[key] = str(folder / f"patient{number:03d}_{phase}_{key}.nii.gz")
                nib.save(nib.Nifti1Image(content, np.diag([-3.0, -3.0, 10.0, 1.0])), paths[key])
            items.append(
                {**paths, "patient": f"patient{number:03d}", "phase": phase, "group": "NOR", "spacing": SPACING}
            )
    return items
