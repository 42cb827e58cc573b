"""What paints without drawing hearts: conditions in words, and what a subclass inherits."""

from __future__ import annotations

import pytest
import torch
from small_hearts import VIEWS, conditional_synthesizer, hearts, tiny_synthesizer

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.inferers.label_painter import LabelPainter
from monai_cardiacgen.seeding import seeded

LABEL = hearts(3, seed=5)[1][:, 0]


@pytest.fixture(scope="module")
def painter() -> LabelPainter:
    whole = conditional_synthesizer(heart_condition=VIEWS)
    rest = (whole.sampler, whole.generator, whole.style_encoder, whole.styles)
    return LabelPainter(whole.scheme, whole.spacing, *rest, heart_condition=VIEWS)


def test_a_synthesizer_paints_as_its_painter_does(painter):
    whole = conditional_synthesizer(heart_condition=VIEWS)
    assert isinstance(whole, CardiacSynthesizer)
    images = [one.synthesize(LABEL, None, seeded(0)) for one in (painter, whole)]
    assert torch.equal(*images)


def test_words_and_their_vectors_paint_the_same(painter):
    words = [{"view": "4CH", "patient": "a"}, {"view": "2CH", "patient": "a"}, {"view": "4CH", "patient": "b"}]
    style = painter.styles[:3]
    by_words = painter.synthesize(LABEL, style, seeded(0), words)
    assert torch.equal(by_words, painter.synthesize(LABEL, style, seeded(0), VIEWS.encode(words)))
    other = painter.synthesize(LABEL, style, seeded(0), {"view": "2CH"})
    assert torch.equal(by_words[1], other[1])
    assert not torch.allclose(by_words[0], other[0], atol=1e-3)


def test_it_says_what_it_would_tell_the_generator(painter):
    assert torch.equal(painter.condition_of(LABEL, None), painter.sampler.likeliest_condition(LABEL))
    assert tiny_synthesizer().condition_of(LABEL, None) is None


def test_words_for_hearts_without_a_condition_are_refused(painter):
    with pytest.raises(ShapeError, match="leave it out"):
        tiny_synthesizer().synthesize(LABEL, None, seeded(0), {"view": "4CH"})
    with pytest.raises(InputError, match="'view'"):
        painter.synthesize(LABEL, None, seeded(0), {"phase": "ED"})
