"""Impossible label maps: refused by the gate, painted all the same where nobody asks it, and measured."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from small_hearts import sector_synthesizer

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR
from monai_cardiacgen.data import EchoFrames
from monai_cardiacgen.errors import InputError, LabelError, ShapeError
from monai_cardiacgen.phantom import write_camus_phantom
from monai_cardiacgen.studies import (
    check_label_maps,
    impossible_maps,
    paint_wrong_maps,
    wrong_conditioning_figure,
)

FAULTS = ["hole in the wall", "cavity in the atrium", "atrium in the cavity", "no wall"]
BRIGHTNESS = torch.tensor([0.1, 0.2, 0.8, 0.5, 0.9])


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> EchoFrames:
    return EchoFrames(write_camus_phantom(tmp_path_factory.mktemp("camus"), 1, 0), (96, 96))


@pytest.fixture(scope="module")
def label(frames) -> torch.Tensor:
    return frames[0]["label"][0]


def painter(frames, paint, check=True) -> SimpleNamespace:
    """A synthesizer that paints each label map `(B, H, W)` as `paint` does."""
    return SimpleNamespace(
        sampler=SimpleNamespace(check=AnatomyCheck(CAMUS, "apical") if check else None),
        generator=SimpleNamespace(condition_size=0),
        styles=torch.zeros(2, 3),
        scheme=CAMUS,
        spacing=frames.spacing,
        sectors=None,
        hearts_in=lambda label: label,
        synthesize=lambda label, style, generator, condition: paint(label)[:, None],
    )


def test_each_fault_is_one_place_of_a_possible_map(label):
    wrong = impossible_maps(label, CAMUS)
    assert list(wrong) == FAULTS
    changed = {fault: label[one != label].unique().tolist() for fault, one in wrong.items()}
    assert changed == dict(zip(FAULTS, ([2], [3], [1], [2]), strict=True))
    became = {fault: one[one != label].unique().tolist() for fault, one in wrong.items()}
    assert became == dict(zip(FAULTS, ([0], [1], [3], [0]), strict=True))
    assert not bool((wrong["no wall"] == 2).any())


def test_the_gate_lets_real_maps_pass_and_refuses_each_fault(frames):
    synthesizer = painter(frames, None)
    check_label_maps(synthesizer, torch.cat([one["label"] for one in frames]))
    for one in frames:
        for wrong in impossible_maps(one["label"][0], CAMUS).values():
            with pytest.raises(LabelError, match=r"map 1 breaks .* criteria: .*RepairAnatomy"):
                check_label_maps(synthesizer, torch.stack([one["label"][0], wrong]))


def test_a_painter_that_follows_the_map_has_1_and_one_that_does_not_0(frames, label):
    wrong = impossible_maps(label, CAMUS)
    image, painted = paint_wrong_maps(painter(frames, lambda one: BRIGHTNESS[one]), label, wrong)
    assert torch.equal(image, BRIGHTNESS[label])
    for fault, one in painted.items():
        assert torch.equal(one.label, wrong[fault])
        assert torch.equal(one.image, BRIGHTNESS[wrong[fault]])
        assert one.obedience == pytest.approx(1, abs=1e-5)
        assert one.reasons
    _, painted = paint_wrong_maps(painter(frames, lambda one: BRIGHTNESS[label][None]), label, wrong)
    assert [one.obedience for one in painted.values()] == pytest.approx([0] * 4)
    half = (BRIGHTNESS[label] + 0.5 * (BRIGHTNESS[wrong["no wall"]] - BRIGHTNESS[label]))[None]
    possible = painter(frames, lambda one: BRIGHTNESS[one] if torch.equal(one[0], label) else half)
    _, painted = paint_wrong_maps(possible, label, {"no wall": wrong["no wall"]})
    assert painted["no wall"].obedience == pytest.approx(0.5, abs=1e-5)


def test_classes_of_one_brightness_cannot_tell(frames, label):
    _, painted = paint_wrong_maps(
        painter(frames, lambda one: torch.full(one.shape, 0.5)), label, impossible_maps(label, CAMUS)
    )
    assert all(math.isnan(one.obedience) for one in painted.values())


def test_a_conditional_synthesizer_with_sectors_paints_them_in_one_sector():
    synthesizer = sector_synthesizer()
    synthesizer.sampler.check = AnatomyCheck(CAMUS, "apical")
    label = synthesizer.sectors.around(
        synthesizer.sampler.decode(
            synthesizer.sampler.latents[:1], synthesizer.sampler.offsets[:1], synthesizer.sampler.conditions[:1]
        ),
        torch.Generator().manual_seed(0),
    )[0]
    image, painted = paint_wrong_maps(synthesizer, label, impossible_maps(synthesizer.hearts_in(label[None])[0], CAMUS))
    assert image.shape == (32, 32)
    for one in painted.values():
        assert torch.equal(one.label > 0, label > 0)  # what a fault leaves free is sector
        assert not torch.equal(one.image, image)
        assert one.reasons
    assert CAMUS_SECTOR.code("ultrasound sector") in painted["no wall"].label[label == 2]


def test_the_figure_says_what_the_gate_says(frames, label):
    synthesizer = painter(frames, lambda one: BRIGHTNESS[one])
    image, painted = paint_wrong_maps(synthesizer, label, impossible_maps(label, CAMUS))
    figure = wrong_conditioning_figure(synthesizer, label, image, painted)
    titles = [axis.get_title() for axis in figure.axes[:5]]
    assert titles[0] == "possible heart\nthe gate lets it pass"
    for title, (fault, one) in zip(titles[1:], painted.items(), strict=True):
        assert title == f"{fault}\nrefused: {len(one.reasons)} criteria"
    assert [axis.get_xlabel() for axis in figure.axes[6:]] == ["follows the map by 1.00"] * 4


def test_what_cannot_be_judged_is_refused(frames, label):
    with pytest.raises(InputError, match="anatomy check"):
        check_label_maps(painter(frames, None, check=False), label[None])
    with pytest.raises(ShapeError, match="one label map"):
        impossible_maps(label[None], CAMUS)
    with pytest.raises(LabelError, match="left atrium"):
        impossible_maps(label.masked_fill(label == 3, 0), CAMUS)
    with pytest.raises(LabelError, match="heart alone"):
        impossible_maps(label, CAMUS_SECTOR)
