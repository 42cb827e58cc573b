"""Pictures hold what was given, turned as radiologists see it."""

from __future__ import annotations

import numpy as np
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.inferers.similarity_filter import Nearest
from monai_cardiacgen.studies.whole_heart.whole_heart_figures import (
    closest_pairs_figure,
    coloured,
    conditions_figure,
    translation_figure,
)


def test_codes_take_the_schemes_colours():
    picture = coloured(torch.tensor([[0, MM_WHS.codes[3]]]))
    assert picture.shape == (1, 2, 3)
    np.testing.assert_allclose(picture[0, 1], MM_WHS.structures[2].colour)
    assert (picture[0, 0] == 0).all()


def test_a_row_is_a_condition_with_three_pictures_a_patient():
    codes = [[torch.zeros(6, 4, dtype=torch.int64)] * 2] * 3
    images = [[torch.rand(6, 4) for _ in range(2)] for _ in range(3)]
    made = [[torch.rand(6, 4) for _ in range(2)] for _ in range(3)]
    figure = conditions_figure(["a", "b", "c"], codes, images, made)
    assert len(figure.axes) == 3 * 6
    assert [axis.get_title() for axis in figure.axes[:6]] == 2 * ["condition", "original", "generated"]
    np.testing.assert_array_equal(figure.axes[6 + 4].images[0].get_array(), images[1][1].numpy().T)
    np.testing.assert_array_equal(figure.axes[6 + 5].images[0].get_array(), made[1][1].numpy().T)
    assert figure.axes[12].get_ylabel() == "c"


def test_pairs_come_closest_first_with_their_verdict():
    images, training = torch.rand(3, 1, 5, 5), torch.rand(4, 1, 5, 5)
    nearest = Nearest(
        torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 0.9, 0.7]), torch.tensor([0, 1, 2]), torch.tensor([3, 1, 2])
    )
    figure = closest_pairs_figure([("some", images, nearest, torch.tensor([True, False, True]))], training, shown=2)
    assert len(figure.axes) == 4
    assert [axis.get_title().split("\n")[0] for axis in figure.axes[:2]] == ["refused", "passes"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), images[1, 0].numpy().T)
    np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), training[1, 0].numpy().T)


def test_columns_are_named_above():
    figure = translation_figure([("CT", torch.rand(2, 1, 4, 6)), ("MR", torch.rand(2, 1, 4, 6))])
    assert [axis.get_title() for axis in figure.axes] == ["CT", "MR", "", ""]
    assert figure.axes[0].images[0].get_array().shape == (6, 4)
