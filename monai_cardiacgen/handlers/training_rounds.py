"""Begins each epoch from its number alone, so that a training can go on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from ignite.engine import Engine, Events
from torch.optim import Optimizer

from ..data.round_sampler import RoundSampler
from ..errors import InputError
from ..seeding import seeded


class Drawing(Protocol):
    """Something that draws from a generator of its own, for example an augmentation of whole batches."""

    generator: torch.Generator


class TrainingRounds:
    """Sets the sampler's round, the augmentation's generator and the learning rates when an epoch begins.

    The rates are constant over a first part of the training, by default the half, and fall linearly over the rest.

    Args:
        sampler: of the loader.
        augmentation: gets a generator seeded by the sampler's seed, the epoch and the sampler's rank.
        optimizers: whose learning rates fall; each starts from the rates that it was built with.
        constant: share of the epochs before they fall, in [0, 1).
        planned: epochs that the rates' fall is planned for, where a training ends earlier; by default the engine's.

    Raises:
        InputError: for a share outside [0, 1).
    """

    def __init__(
        self,
        sampler: RoundSampler,
        augmentation: Drawing,
        optimizers: Sequence[Optimizer],
        constant: float = 0.5,
        planned: int | None = None,
    ) -> None:
        if not 0 <= constant < 1:
            raise InputError(f"Expected a share of constant rates in [0, 1), got {constant}.")
        self.sampler = sampler
        self.augmentation = augmentation
        self.optimizers = list(optimizers)
        self.constant = constant
        self.planned = planned
        self.rates = [[float(group["lr"]) for group in one.param_groups] for one in self.optimizers]

    def attach(self, engine: Engine) -> None:
        """Follow this engine."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)

    def _begin(self, engine: Engine) -> None:
        epoch, epochs = engine.state.epoch, self.planned or engine.state.max_epochs
        self.sampler.round_number = epoch
        # Each rank moves its own rows; its stream of draws must not be another rank's.
        stream = (self.sampler.seed + 1) * 1_000_003 + epoch + self.sampler.rank * 1_000_000_007
        self.augmentation.generator = seeded(stream)
        share = min(1.0, (1 - (epoch - 1) / epochs) / (1 - self.constant))
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = share * rate
