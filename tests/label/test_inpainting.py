"""The patch about a point, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.errors import InputError, IntensityError
from monai_cardiacgen.label.inpainting import Inpaint

BUNDLE = Path(__file__).parents[2] / "bundles" / "aorta_wgan_gp"


@pytest.fixture(scope="module")
def task():
    return Inpaint(BUNDLE)


@pytest.fixture
def volume():
    """A volume in RAS with one bright voxel, of which each patch must show the one it is centred on."""
    values = torch.rand(60, 50, 6, generator=torch.Generator().manual_seed(0)) * 0.1
    values[20:23, 30:33, 2] = 5.0
    affine = torch.diag(torch.tensor([2.0, 2.0, 5.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-60.0, -50.0, 7.0])
    return MetaTensor(values, affine=affine, meta={"original_channel_dim": "no_channel"})


def ask(task, volume, **settings):
    return task(volume, None, {**task.settings, "centre": [21, 31, 2], **settings})


def test_results_lie_where_they_were_asked_for(task, volume):
    found = ask(task, volume)
    assert list(found.volumes) == ["anomaly", "z_score", "healthy"]
    wanted = volume.affine @ torch.tensor([21.0, 31.0, 2.0, 1.0], dtype=torch.float64)
    for made in found.volumes.values():
        assert made.shape == (64, 64, 1)
        torch.testing.assert_close(made.affine @ torch.tensor([32.0, 32.0, 0.0, 1.0], dtype=torch.float64), wanted)
    anomaly, healthy = found.volumes["anomaly"].as_tensor(), found.volumes["healthy"].as_tensor()
    assert anomaly[:19].max() == 0
    torch.testing.assert_close(anomaly[31:34, 31:34], 1 - healthy[31:34, 31:34])  # the bright voxels are 1
    assert healthy[31:34, 31:34].mean() < 1
    assert found.report["largest_z_score"] == pytest.approx(float(found.volumes["z_score"].max()))


def test_the_same_question_has_the_same_answer(task, volume):
    first, again = (ask(task, volume).volumes["healthy"] for _ in range(2))
    assert torch.equal(first, again)


def test_a_viewers_text_is_a_place(task, volume):
    text, program = ask(task, volume, centre="21, 31, 2"), ask(task, volume)
    assert torch.equal(text.volumes["healthy"], program.volumes["healthy"])


@pytest.mark.parametrize("centre", ["", "a, b, c", [1, 2], [60, 0, 0], [-1, 0, 0], None, [float("nan")] * 3])
def test_places_that_are_none(task, volume, centre):
    with pytest.raises(InputError, match="three voxel numbers"):
        ask(task, volume, centre=centre)


@pytest.mark.parametrize("settings", [{"mask_size": 64}, {"mask_size": 1}])
def test_settings_out_of_range(task, volume, settings):
    with pytest.raises(InputError):
        ask(task, volume, **settings)


def test_an_image_without_contrast(task):
    with pytest.raises(IntensityError):
        ask(task, MetaTensor(torch.ones(60, 50, 6)))
