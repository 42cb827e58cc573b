"""Cases of a stored label."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from small_hearts import tiny_synthesizer
from stacks import heart_stack

from monai_cardiacgen.errors import InputError, LabelError
from monai_cardiacgen.label.painting import Synthesize, Vary


@pytest.fixture(scope="module")
def synthesizer():
    return tiny_synthesizer()


@pytest.fixture(params=[Synthesize, Vary])
def task(request, synthesizer):
    return request.param(synthesizer)


def ask(task, seed=3, **settings):
    return task(*heart_stack(), {**task.settings, "seed": seed, **settings})


def test_same_seed_same_case(task):
    first, again, other = ask(task), ask(task), ask(task, seed=4)
    for name, volume in first.volumes.items():
        assert torch.equal(volume, again.volumes[name])
    assert not torch.equal(first.volumes["image"], other.volumes["image"])
    assert first.report["seed"] == 3
    assert first.report["bundle"] == "tiny"


def test_a_negative_seed_is_drawn_and_told(task):
    told = ask(task, seed=-1)
    assert told.report["seed"] >= 0
    assert torch.equal(ask(task, seed=told.report["seed"]).volumes["image"], told.volumes["image"])


def test_a_painted_label_lies_where_it_lay(synthesizer):
    made = ask(Synthesize(synthesizer)).volumes
    _, before = heart_stack()
    assert made["image"].shape == made["label"].shape == (32, 32, 3)
    assert 0 <= made["image"].min() < made["image"].max() <= 1
    for code in (1, 2, 3):  # no resampling here, so each structure keeps its voxels, in mm
        places = [
            (volume.affine @ torch.cat([voxels, torch.ones(len(voxels), 1)], dim=1).to(torch.float64).T).mean(dim=1)
            for volume in (before, made["label"])
            for voxels in [torch.nonzero(volume.as_tensor() == code).to(torch.float32)]
        ]
        torch.testing.assert_close(places[0], places[1], rtol=0, atol=1e-3)


def test_all_slices_have_one_style(synthesizer, monkeypatch):
    drawn = []
    kept = synthesizer.draw_styles
    monkeypatch.setattr(synthesizer, "draw_styles", lambda *given: drawn.append(kept(*given)) or drawn[-1])
    ask(Synthesize(synthesizer))
    assert len(drawn[0]) == 3
    assert torch.equal(drawn[0], drawn[0][:1].expand(3, -1))


def test_varying_keeps_the_surroundings_and_slices_without_a_heart(synthesizer):
    image, _ = heart_stack()
    made = ask(Vary(synthesizer), strength=1.0).volumes
    assert made["image"].shape == image.shape
    assert torch.equal(made["image"][:4], image.as_tensor()[:4])
    assert torch.equal(made["image"][..., -1], image.as_tensor()[..., -1])
    assert not torch.equal(made["image"][..., 0], image.as_tensor()[..., 0])
    assert torch.equal(made["image"].affine, image.affine)


@pytest.mark.parametrize("settings", [{"seed": "x"}, {"strength": 0}, {"strength": "much"}])
def test_settings_out_of_range(synthesizer, settings):
    with pytest.raises(InputError):
        ask(Vary(synthesizer), **settings)


def test_an_empty_label_is_refused(task):
    image, label = heart_stack()
    with pytest.raises(LabelError, match="with a heart"):
        task(image, MetaTensor(torch.zeros_like(label.as_tensor()), affine=label.affine), dict(task.settings))
