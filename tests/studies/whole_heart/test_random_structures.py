"""Label maps with some of their structures: shares and sets against counting, images untouched."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.errors import InputError, LabelError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.whole_heart.random_structures import RandomStructures

CODES = MM_WHS.codes[1:4]


def batch(rows: int) -> dict[str, torch.Tensor]:
    """Rows that all show the same three structures, one pixel each, and a background pixel."""
    label = torch.tensor([0, *CODES], dtype=torch.int16).view(1, 1, 2, 2).repeat(rows, 1, 1, 1)
    return {"image": torch.rand(rows, 1, 2, 2), "label": label}


def test_half_are_whole_and_the_others_have_each_count_as_often():
    given = batch(3000)
    image, label = RandomStructures(MM_WHS)(given, "cpu")
    assert torch.equal(image, given["image"])
    assert bool(((label == given["label"]) | (label == 0)).all())
    counts = Counter((label > 0).flatten(1).sum(dim=1).tolist())
    # whole by 1/2, else 1, 2 or 3 by 1/6 each; within 4 standard errors
    for count, share in ((1, 1 / 6), (2, 1 / 6), (3, 4 / 6)):
        assert abs(counts[count] / 3000 - share) < 4 * (share * (1 - share) / 3000) ** 0.5
    alone = label[(label > 0).flatten(1).sum(dim=1) == 1].flatten(1).amax(dim=1)
    for code in CODES:
        assert abs(float((alone == code).float().mean()) - 1 / 3) < 0.09


def test_chosen_structures_are_the_only_ones_and_a_single_one_always_stays():
    name = MM_WHS.names[2]
    _, label = RandomStructures(MM_WHS, [name], whole=0)(batch(20), "cpu")
    assert torch.equal(label.unique(), torch.tensor([0, MM_WHS.code(name)], dtype=torch.int16))
    assert bool((label == MM_WHS.code(name)).flatten(1).any(dim=1).all())


def test_whole_conditions_are_untouched_and_seeds_repeat():
    given = batch(30)
    assert torch.equal(RandomStructures(MM_WHS, whole=1)(given, "cpu")[1], given["label"])
    one, other = RandomStructures(MM_WHS, whole=0), RandomStructures(MM_WHS, whole=0)
    one.generator, other.generator = seeded(4), seeded(4)
    drawn = one(given, "cpu")[1]
    assert torch.equal(drawn, other(given, "cpu")[1])
    assert not torch.equal(drawn, one(given, "cpu")[1])


def test_wrong_arguments_are_refused():
    with pytest.raises(InputError, match="probability"):
        RandomStructures(MM_WHS, whole=1.5)
    with pytest.raises(LabelError, match="one of"):
        RandomStructures(MM_WHS, ["left ear"])
