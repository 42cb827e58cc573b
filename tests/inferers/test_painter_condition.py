"""What the painter is told: what is known, else what the shape says, else the average."""

from __future__ import annotations

import pytest
import torch
from small_hearts import VIEWS, conditional_synthesizer, hearts, tiny_gan, tiny_synthesizer

from monai_cardiacgen.anatomy import APICAL_CONDITION
from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers.cardiac_synthesizer import CardiacSynthesizer
from monai_cardiacgen.inferers.painter_condition import painter_condition, told_conditions

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


def test_conditions_in_words_and_as_vectors_one_for_all_or_one_a_heart():
    rows = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    words = [{"view": view} for view in ("4CH", "2CH", "4CH")]
    assert torch.equal(told_conditions(2, VIEWS, words, 3), rows)
    assert torch.equal(told_conditions(2, VIEWS, rows, 3), rows)
    assert torch.equal(told_conditions(2, VIEWS, words[0], 2), rows[[0, 0]])
    assert torch.equal(told_conditions(2, None, rows[0], 2), rows[[0, 0]])
    assert told_conditions(2, VIEWS, None, 3) is None


def test_conditions_that_cannot_be_are_refused():
    with pytest.raises(InputError, match=r"\('2CH', '4CH'\) as 'view'.*'PLAX'"):
        told_conditions(2, VIEWS, {"view": "PLAX"}, 1)
    with pytest.raises(InputError, match="as vectors"):
        told_conditions(2, None, {"view": "4CH"}, 1)
    with pytest.raises(ShapeError, match="one for all, or one a heart"):
        told_conditions(2, VIEWS, [{"view": "4CH"}] * 2, 3)
    for one in (torch.eye(2), {"view": "4CH"}):
        with pytest.raises(ShapeError, match="has none"):
            told_conditions(0, None, one, 2)


def test_words_that_do_not_fit_the_vectors_are_refused():
    with pytest.raises(InputError, match="length 2"):
        conditional_synthesizer(heart_condition=APICAL_CONDITION)
