"""Synthesis in the first epochs, augmentation in all, everything from the epoch's number."""

from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine
from small_hearts import SIDE, hearts, tiny_synthesizer

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data import RoundSampler
from monai_cardiacgen.studies.synthesized_batch import SynthesizedBatch, SynthesizedEpochs
from monai_cardiacgen.transforms import RandCardiacSynthd

IMAGES, LABELS = hearts(4)
BATCH = {"image": IMAGES, "label": LABELS}


def noisy(image, label, generator):
    return image + 0.01 * torch.randn(image.shape, generator=generator), label


def unchanged(image, label, generator):
    return image, label


@pytest.fixture(scope="module")
def synthesizer():
    return tiny_synthesizer()


def batches(synthesizer, augment=unchanged, rank: int = 0) -> SynthesizedBatch:
    synth = RandCardiacSynthd(
        ("image", "label"), synthesizer, prob=1.0, mode="restyle", intensity_range=(0, 1), spacing=(2, 2)
    )
    return SynthesizedBatch(synth, augment, ACDC, RoundSampler(4, 4, 3, num_replicas=2, rank=rank), synthetic_epochs=2)


def at_epoch(made: SynthesizedBatch, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    made.begin(epoch)
    return made(BATCH)


def test_only_the_first_epochs_are_synthetic(synthesizer):
    made = batches(synthesizer)
    for epoch, real in ((1, False), (2, False), (3, True)):
        image, label = at_epoch(made, epoch)
        assert torch.equal(image, IMAGES) == real
        assert torch.equal(label, ACDC.to_channels(LABELS))
        assert image.shape == (4, 1, SIDE, SIDE)
        assert made.sampler.round_number == epoch


def test_an_epoch_follows_from_its_number(synthesizer):
    first = batches(synthesizer, noisy)
    at_epoch(first, 1)
    second, dropped = at_epoch(first, 2), torch.rand(3)
    again, dropped_again = at_epoch(batches(synthesizer, noisy), 2), torch.rand(3)
    assert torch.equal(second[0], again[0])
    assert torch.equal(dropped, dropped_again)
    assert not torch.equal(second[0], at_epoch(batches(synthesizer, noisy, rank=1), 2)[0])


def test_without_a_transform_all_is_real():
    made = SynthesizedBatch(None, unchanged, ACDC, RoundSampler(4, 4, 0), synthetic_epochs=5)
    assert torch.equal(at_epoch(made, 1)[0], IMAGES)


def test_the_handler_begins_the_epochs_of_a_trainer(synthesizer):
    made, seen = batches(synthesizer), []
    trainer = Engine(lambda engine, one: seen.append((engine.state.epoch, made.sampler.round_number)))
    SynthesizedEpochs(made).attach(trainer)
    trainer.run([0], max_epochs=3)
    assert seen == [(1, 1), (2, 2), (3, 3)]
