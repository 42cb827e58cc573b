"""Pictures of label maps: what is drawn where, and that files are whole."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from stack_hearts import disc_patients, stack

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.heart_figures import (
    label_sheet,
    patient_figure,
    save_figure,
    volume_figure,
    write_cine_gif,
)


def test_a_sheet_shows_each_map_in_the_schemes_colours(tmp_path):
    labels = stack(torch.zeros(1, 2), -1.0, 5, 80).label.movedim(2, 0)
    figure = label_sheet(labels, ACDC, "five maps", columns=3)
    shown = [axis for axis in figure.axes if axis.images]
    assert len(shown) == 5
    np.testing.assert_array_equal(shown[2].images[0].get_array(), labels[2].T)
    save_figure(tmp_path / "sheet.png", figure)
    with Image.open(tmp_path / "sheet.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3) / 255
    for structure in ACDC.structures:
        assert np.abs(pixels - structure.colour).max(axis=1).min() < 0.005


def test_a_patient_has_two_rows_with_places_in_mm():
    diastole, systole = stack(torch.zeros(1, 2), -1.0, 6, 80), stack(torch.zeros(1, 2), 1.0, 6, 65)
    figure = patient_figure(diastole, systole, ACDC, "a patient")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [f"{place} mm" for place in (0, 16, 32, 48, 64, 80, 0, 13, 26, 39, 52, 65)]


def test_curves_are_closed_and_labelled():
    axis = volume_figure({"patient": [120.0, 60.0, 90.0]}).axes[0]
    across, up = axis.lines[0].get_data()
    np.testing.assert_allclose(across, [0, 100 / 3, 200 / 3, 100])
    np.testing.assert_allclose(up, [120, 60, 90, 120])
    assert "cardiac cycle" in axis.get_xlabel()
    assert "mL" in axis.get_ylabel()


def test_a_gif_has_the_frames_of_the_cine(tmp_path):
    sampler = disc_patients()
    cine = sampler.cine(sampler.sample(1, seeded(3)).patients[0], 4)
    write_cine_gif(tmp_path / "cine.gif", cine, ACDC, "a patient")
    with Image.open(tmp_path / "cine.gif") as movie:
        assert movie.n_frames == 4
        assert movie.info["loop"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["cine.gif"]
