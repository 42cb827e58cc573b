"""What an epoch begins with follows from its number."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Engine, Events

from monai_cardiacgen.data.round_sampler import RoundSampler
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.handlers import TrainingRounds


def test_rates_hold_for_half_the_epochs_then_fall_linearly():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizers = [torch.optim.SGD([weight], lr=rate) for rate in (1.0, 0.1)]
    sampler, augmentation = RoundSampler(4, 4, seed=2), SimpleNamespace(generator=None)
    engine, seen, seeds = Engine(lambda engine, batch: None), [], []
    TrainingRounds(sampler, augmentation, optimizers).attach(engine)

    @engine.on(Events.EPOCH_COMPLETED)
    def look():
        assert sampler.round_number == engine.state.epoch
        seen.append([one.param_groups[0]["lr"] for one in optimizers])
        seeds.append(augmentation.generator.initial_seed())

    engine.run([0], max_epochs=4)
    assert [first for first, _ in seen] == pytest.approx([1.0, 1.0, 1.0, 0.5])
    assert [second for _, second in seen] == pytest.approx([0.1, 0.1, 0.1, 0.05])
    assert len(set(seeds)) == 4


def test_ranks_draw_different_augmentations():
    seeds = []
    for rank in range(2):
        sampler = RoundSampler(4, 4, seed=2, num_replicas=2, rank=rank)
        augmentation, engine = SimpleNamespace(generator=None), Engine(lambda engine, batch: None)
        TrainingRounds(sampler, augmentation, []).attach(engine)
        engine.run([0], max_epochs=1)
        seeds.append(augmentation.generator.initial_seed())
    assert seeds[0] != seeds[1]


def test_rates_of_spade_hold_for_thirty_of_fifty_epochs_and_fall_by_a_twentieth():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    engine, seen = Engine(lambda engine, batch: None), []
    rounds = TrainingRounds(RoundSampler(4, 4, seed=2), SimpleNamespace(generator=None), [optimizer], constant=0.6)
    rounds.attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: seen.append(optimizer.param_groups[0]["lr"]))
    engine.run([0], max_epochs=50)
    assert seen == pytest.approx([2.0] * 30 + [2.0 * (20 - step) / 20 for step in range(20)])


def rates_of(epochs: int, planned: int | None) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    engine, seen = Engine(lambda engine, batch: None), []
    rounds = TrainingRounds(RoundSampler(4, 4, seed=2), SimpleNamespace(generator=None), [optimizer], planned=planned)
    rounds.attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: seen.append(optimizer.param_groups[0]["lr"]))
    engine.run([0], max_epochs=epochs)
    return seen


def test_a_training_that_ends_early_has_the_rates_of_the_planned_one():
    assert rates_of(6, planned=8) == rates_of(8, planned=None)[:6]


@pytest.mark.parametrize("constant", [-0.1, 1.0])
def test_a_share_that_leaves_no_fall_is_refused(constant):
    with pytest.raises(InputError, match="constant"):
        TrainingRounds(RoundSampler(4, 4, seed=2), SimpleNamespace(generator=None), [], constant)
