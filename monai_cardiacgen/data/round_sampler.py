"""Shuffling that can go on where it stopped: the order of a round follows from its number alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from ..errors import InputError
from ..seeding import seeded


class RoundSampler(Sampler[int]):
    """Gives a fixed number of draws a round: one shuffle of all elements after the other.

    A MONAI engine takes a round as an epoch. Set `round_number` when one begins; the draws depend on it and on the
    seed, not on what was drawn before, so a training that is continued sees what it would have seen.

    Several ranks deal the same draws out as PyTorch's `DistributedSampler` does: rank r of n gets each n-th, from the
    r-th on. So their batches together are the batch that one process would draw.

    Args:
        length: number of elements to draw from.
        draws: indices a round, of all ranks together.
        seed: of the whole training, the same on every rank.
        num_replicas: number of ranks.
        rank: this process's number among them.

    Raises:
        InputError: when there is nothing to draw from, the ranks cannot share the draws evenly, or `rank` is none of
            theirs.

    Example:
        >>> sampler = RoundSampler(length=3, draws=6, seed=1)
        >>> first = list(sampler)
        >>> sampler.round_number = 2
        >>> sorted(first[:3]), sorted(first[3:]), list(sampler) != first
        ([0, 1, 2], [0, 1, 2], True)
    """

    def __init__(self, length: int, draws: int, seed: int, num_replicas: int = 1, rank: int = 0) -> None:
        if length < 1 or draws < 1:
            raise InputError(f"Expected at least one element and one draw, got {length} and {draws}.")
        if not 0 <= rank < num_replicas or draws % num_replicas:
            raise InputError(
                f"Expected a rank below num_replicas and draws that these share evenly, got rank {rank} of "
                f"{num_replicas} and {draws} draws; draw the batch size times num_replicas an iteration."
            )
        self.length = length
        self.draws = draws
        self.seed = seed
        self.num_replicas = num_replicas
        self.rank = rank
        self.round_number = 1

    def __len__(self) -> int:
        return self.draws // self.num_replicas

    def __iter__(self) -> Iterator[int]:
        generator = seeded(self.seed * 1_000_003 + self.round_number)
        shuffles = -(-self.draws // self.length)
        order = torch.cat([torch.randperm(self.length, generator=generator) for _ in range(shuffles)])
        return iter(order[self.rank : self.draws : self.num_replicas].tolist())
