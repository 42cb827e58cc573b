"""Synthesis in the first epochs of a training, then augmentation: the `prepare_batch` of a segmentation bundle."""

from __future__ import annotations

import torch
from ignite.engine import Engine, Events
from monai.engines import default_prepare_batch

from ..anatomy.labels import LabelScheme
from ..data.round_sampler import RoundSampler
from ..seeding import seeded
from ..transforms import RandCardiacSynthd
from .augmented_batch import Augmentation, AugmentedBatch


class SynthesizedBatch(AugmentedBatch):
    """Replaces samples of whole batches by synthetic ones, augments all, and gives the loss channel numbers.

    The last epochs see real samples alone: fine-tuning within one training, as in the study that this repeats.

    Args:
        synth: the transform; none for real samples alone.
        augment: of images and label maps; real and synthetic alike.
        scheme: of the label maps' codes.
        sampler: of the loader; its seed is that of all draws, and its rank tells this process's apart.
        synthetic_epochs: how many epochs, the first ones, `synth` acts in.

    Source:
        Skandarani et al., MIDL 2020: synthetic cases first, then real ones alone.
    """

    def __init__(
        self,
        synth: RandCardiacSynthd | None,
        augment: Augmentation,
        scheme: LabelScheme,
        sampler: RoundSampler,
        synthetic_epochs: int,
    ) -> None:
        super().__init__(augment, scheme)
        self.synth = synth
        self.sampler = sampler
        self.synthetic_epochs = synthetic_epochs

    def begin(self, epoch: int) -> None:
        """Begin an epoch from its number: order, synthesis, augmentation and dropout follow from it and the seed."""
        self.sampler.round_number = epoch
        # Below 2**31, as MONAI wants it; another rank's stream is another one.
        seed = (self.sampler.seed * 1_000_003 + epoch + self.sampler.rank * 10_000_019) % 2**31
        self.generator = seeded(seed)
        torch.manual_seed(seed)
        self.prepare = default_prepare_batch
        if self.synth is not None and epoch <= self.synthetic_epochs:
            self.synth.set_random_state(seed=seed)
            self.prepare = self.synth.prepare_batch()


class SynthesizedEpochs:
    """Begins the epochs of a trainer's `SynthesizedBatch`; a training that is stopped goes on as if it had not been.

    Args:
        batches: the trainer's `prepare_batch`.
    """

    def __init__(self, batches: SynthesizedBatch) -> None:
        self.batches = batches

    def attach(self, engine: Engine) -> None:
        """Follow this trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, lambda: self.batches.begin(engine.state.epoch))


__all__ = ["SynthesizedBatch", "SynthesizedEpochs"]
