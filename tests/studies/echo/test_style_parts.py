"""What a style changes, parted into brightness, contrast, a grey-level curve and structure."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_hearts import hearts, tiny_synthesizer

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import randn_rows
from monai_cardiacgen.studies.echo.style_parts import Difference, difference_of, measure_style_parts


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).beta(2, 3, size=(80, 90))


def parts(one: Difference) -> np.ndarray:
    return np.array([one.brightness, one.contrast, one.curve, one.structure])


@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up_to_the_mean_squared_difference(seed):
    x, y = picture(seed), 0.4 * picture(seed) ** 2 + 0.6 * picture(seed + 9)
    found = difference_of(x, y)
    assert found.whole == pytest.approx(np.mean((x - y) ** 2))
    assert (parts(found) >= 0).all()
    np.testing.assert_allclose(parts(found), parts(difference_of(y, x)))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda x: x + 0.2, "brightness"),
        (lambda x: x.mean() + 0.5 * (x - x.mean()), "contrast"),
        (lambda x: x.mean() + x.std() * (lambda z: (z - z.mean()) / z.std())(np.minimum(x, 0.3)), "curve"),
        (lambda x: x[::-1, ::-1], "structure"),
    ],
)
def test_each_change_is_in_its_own_part(change, part):
    x = picture()
    found = difference_of(x, change(x))
    assert getattr(found, part) > 0.97 * found.whole > 0


def test_equal_and_constant_pictures():
    assert difference_of(picture(), picture()).whole == pytest.approx(0, abs=1e-12)
    found = difference_of(np.full((9, 9), 0.5), np.full((9, 9), 0.7))
    np.testing.assert_allclose(parts(found), [0.04, 0, 0, 0], atol=1e-12)


class Painter:
    """Paints noise on a label map; a style's first value is its brightness, its second turns the noise."""

    def synthesize(self, label, style, generator):
        noise = randn_rows(generator, tuple(label.shape[1:]))
        turned = torch.stack([torch.roll(one, int(s[1]), 0) for one, s in zip(noise, style, strict=True)])
        return (label + 0.1 * turned + style[:, :1, None])[:, None]


def test_a_style_of_brightness_alone_is_told_from_one_of_texture():
    label = hearts(3)[1][:, 0]
    bright = measure_style_parts(Painter(), label, torch.tensor([[0.0, 0], [0.3, 0], [0.6, 0]]))
    assert bright.beyond_grey_levels < 1e-6
    assert bright.styles.brightness == pytest.approx((0.09 + 0.36 + 0.09) / 3)
    assert bright.noise.whole == pytest.approx(2 * 0.1**2, rel=0.1)  # two independent noises
    assert bright.noise.structure > 0.8 * bright.noise.whole
    turned = measure_style_parts(Painter(), label, torch.tensor([[0.0, 0], [0.0, 5], [0.0, 9]]))
    assert turned.beyond_grey_levels > 0.8
    assert "styles" in bright.table()
    assert "100%" in bright.table()


def test_synthesizer_paints_with_one_noise_for_all_styles():
    synthesizer = tiny_synthesizer()
    label = hearts(2)[1][:, 0]
    same = measure_style_parts(synthesizer, label, synthesizer.styles[:1].expand(3, -1))
    assert same.styles.whole == pytest.approx(0, abs=1e-12)
    assert same.noise.structure >= 0  # this painter is not trained: noise has no part in it
    assert "j" not in same.table()
    assert measure_style_parts(synthesizer, label, synthesizer.styles[:3]).styles.whole > 0


def test_too_little_to_compare_is_refused():
    label = hearts(1)[1][:, 0]
    with pytest.raises(InputError, match="two styles"):
        measure_style_parts(Painter(), label, torch.zeros(1, 2))
    with pytest.raises(InputError, match="got 0 and 2"):
        measure_style_parts(Painter(), label[:0], torch.zeros(2, 2))
