"""Rounds that follow from their number alone."""

from __future__ import annotations

from collections import Counter

import pytest

from monai_cardiacgen.data.round_sampler import RoundSampler
from monai_cardiacgen.errors import InputError


def test_every_element_comes_equally_often():
    assert Counter(RoundSampler(length=5, draws=15, seed=0)) == dict.fromkeys(range(5), 3)


def test_a_round_does_not_depend_on_earlier_ones():
    straight, jumping = RoundSampler(7, 10, seed=3), RoundSampler(7, 10, seed=3)
    rounds = []
    for straight.round_number in (1, 2, 3):
        rounds.append(list(straight))
    jumping.round_number = 3
    assert list(jumping) == rounds[2]
    assert rounds[0] != rounds[1]
    assert len(jumping) == len(rounds[2]) == 10


def test_seeds_differ():
    assert list(RoundSampler(20, 20, seed=1)) != list(RoundSampler(20, 20, seed=2))


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(InputError, match="at least one element"):
        RoundSampler(0, 4, seed=0)
