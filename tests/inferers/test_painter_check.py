"""A painter that differs is not taken."""

from __future__ import annotations

import pytest
import torch
from small_hearts import conditional_synthesizer, hearts, tiny_synthesizer

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.inferers import fast_painter, painter_check
from monai_cardiacgen.inferers.fast_painter import FastPainter
from monai_cardiacgen.inferers.painter_check import fitting_format, verified_painter
from monai_cardiacgen.seeding import seeded


@pytest.fixture(scope="module")
def synthesizer():
    return tiny_synthesizer()


def test_an_optimized_synthesizer_makes_the_same_cases(synthesizer):
    plain = synthesizer.sample(3, seeded(4))
    images, labels = hearts(3)
    varied = synthesizer.vary(images, labels[:, 0], 0.5, seeded(5))
    assert synthesizer.optimize(torch.float32) is synthesizer
    assert synthesizer.painter is not None
    fast = synthesizer.sample(3, seeded(4))
    assert torch.equal(fast.label, plain.label)
    torch.testing.assert_close(fast.image, plain.image, rtol=0, atol=1e-5)
    again = synthesizer.vary(images, labels[:, 0], 0.5, seeded(5))
    torch.testing.assert_close(again.image, varied.image, rtol=0, atol=1e-5)
    with pytest.raises(ShapeError, match="style"):
        synthesizer.synthesize(labels[:, 0], torch.zeros(3, 2), seeded(0))
    synthesizer.painter = None


@pytest.mark.parametrize("style_size", [6, 0])
def test_an_optimized_conditional_synthesizer_makes_the_same_cases(style_size):
    synthesizer = conditional_synthesizer(style_size)
    plain = synthesizer.sample(3, seeded(4))
    assert synthesizer.optimize(torch.float32).painter is not None
    fast = synthesizer.sample(3, seeded(4))
    assert torch.equal(fast.label, plain.label)
    torch.testing.assert_close(fast.image, plain.image, rtol=0, atol=1e-5)


def test_the_hearts_patches_are_known_before_the_first_image(synthesizer):
    painter = verified_painter(synthesizer.generator, synthesizer.sampler, torch.float32)
    before = [len(level.tables) for level in painter._levels]
    assert min(before) > 10
    painter.learn(
        synthesizer.scheme.to_channels(
            synthesizer.sampler.decode(synthesizer.sampler.latents[:1], synthesizer.sampler.offsets[:1])
        )
    )
    assert [len(level.tables) for level in painter._levels] == before


def test_a_painter_that_differs_is_refused_with_a_warning(synthesizer, monkeypatch):
    true = FastPainter.forward
    monkeypatch.setattr(FastPainter, "forward", lambda self, *given: true(self, *given) + 2e-4)
    with pytest.warns(UserWarning, match="differ from the generator's by 2.0e-04 in float32"):
        assert verified_painter(synthesizer.generator, synthesizer.sampler, torch.float32) is None
    monkeypatch.setattr(painter_check, "TOLERANCE", {torch.float32: 1e-3})
    assert verified_painter(synthesizer.generator, synthesizer.sampler, torch.float32) is not None


def test_a_painter_that_differs_in_bfloat16_alone_paints_in_float32(synthesizer, monkeypatch):
    monkeypatch.setattr(painter_check, "TOLERANCE", {torch.float32: 1e-5, torch.bfloat16: 1e-5})
    with pytest.warns(UserWarning, match="in bfloat16, more than 1e-05; float32 is tried") as told:
        painter = verified_painter(synthesizer.generator, synthesizer.sampler, torch.bfloat16)
    assert len(told) == 1
    assert painter.dtype == torch.float32
    label = synthesizer.sample(1, seeded(0)).label
    style, channels = synthesizer.styles[:1], synthesizer.scheme.to_channels(label)
    plain = synthesizer.generator(synthesizer.scheme.one_hot(label), style)
    torch.testing.assert_close(painter(channels, style), plain, rtol=0, atol=1e-5)


def test_without_a_compiler_nothing_is_compiled(synthesizer, monkeypatch):
    def missing(device: torch.device, dtype: torch.dtype) -> None:
        raise RuntimeError("no compiler\nand many lines more")

    monkeypatch.setattr(fast_painter, "compiled_modulate", missing)
    with pytest.warns(UserWarning, match="nothing is compiled: no compiler$"):
        painter = verified_painter(synthesizer.generator, synthesizer.sampler, torch.float32, compiled=True)
    assert painter is not None
    assert not painter.compiled


@pytest.mark.parametrize(("amx", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_half_precision_only_where_the_processor_gains_by_it(monkeypatch, amx, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert fitting_format(torch.device("cpu")) == expected
