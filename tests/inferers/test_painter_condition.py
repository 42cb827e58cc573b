"""What the painter is told: what is known, else what the shape says, else the average."""

from __future__ import annotations

import pytest
import torch
from small_hearts import conditional_synthesizer, hearts, tiny_gan, tiny_synthesizer

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer
from monai_cardiacgen.inferers.painter_condition import painter_condition

LABEL = hearts(3, seed=5)[1][:, 0]


@pytest.fixture(scope="module")
def sampler():
    return conditional_synthesizer().sampler


def test_a_painter_without_a_condition_is_told_nothing(sampler):
    assert painter_condition(0, sampler, LABEL, torch.eye(2)[:1]) is None


def test_a_known_condition_is_told(sampler):
    known = torch.tensor([[0, 1], [1, 0], [0, 1]])
    assert torch.equal(painter_condition(2, sampler, LABEL, known), known.float())


def test_else_the_likeliest_and_the_average_for_a_map_without_a_heart(sampler):
    label = LABEL.clone()
    label[1] = 0
    told = painter_condition(2, sampler, label, None)
    assert torch.equal(told[[0, 2]], sampler.likeliest_condition(LABEL[[0, 2]]))
    assert torch.equal(told[1], torch.tensor([0.5, 0.5]))
    assert torch.equal(painter_condition(2, sampler, torch.zeros_like(label), None), torch.full((3, 2), 0.5))


def test_a_painter_that_is_told_what_no_heart_is_told_is_refused():
    plain, gan = tiny_synthesizer(), tiny_gan(condition_size=2)
    with pytest.raises(InputError, match="one HeartCondition"):
        CardiacSynthesizer(plain.scheme, plain.spacing, plain.sampler, gan.generator, gan.style_encoder, plain.styles)
