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


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_ranks_batches_together_are_the_batch_of_one_process(ranks):
    whole = list(RoundSampler(7, 12, seed=3))
    shares = [list(RoundSampler(7, 12, seed=3, num_replicas=ranks, rank=rank)) for rank in range(ranks)]
    assert {len(share) for share in shares} == {12 // ranks}
    assert len(RoundSampler(7, 12, seed=3, num_replicas=ranks, rank=0)) == 12 // ranks
    batch = 12 // ranks // 2
    first = [index for share in shares for index in share[:batch]]
    assert sorted(first) == sorted(whole[: batch * ranks])
    assert [shares[row % ranks][row // ranks] for row in range(12)] == whole


@pytest.mark.parametrize(("draws", "num_replicas", "rank"), [(5, 2, 0), (4, 2, 2), (4, 2, -1), (4, 0, 0)])
def test_draws_that_ranks_cannot_share_are_refused(draws, num_replicas, rank):
    with pytest.raises(InputError, match="share evenly"):
        RoundSampler(3, draws, seed=0, num_replicas=num_replicas, rank=rank)
