"""CT and MR slices of the same hearts, and translators that learn from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    LoadImaged,
    ResampleToMatch,
    ScaleIntensityRangePercentilesd,
)

from ...anatomy.structure_condition import StructureCondition
from ...data.axial_slices import CT_WINDOW, axial_preprocessing
from ...data.files import load_checkpoint, save_checkpoint
from ...data.mmwhs import read_mmwhs
from ...data.round_sampler import RoundSampler
from ...data.slices import IMAGE, LABEL
from ...engines import ConditionalGANTrainer
from ...errors import DataError
from ...handlers import TrainingRounds
from ...networks.nets import ConditionalPatchCritic, ConditionalUNetGenerator
from ...seeding import seeded
from ..synthesis import plain

CT, MR = "ct", "mr"


class PairedSlices(Dataset):
    """Axial slices with a heart of patients that were scanned twice, MR resampled to the grid of CT.

    Volumes belong together by their number: `ct_train_1001_...` and `mr_train_1001_...` of two phantom folders with one
    seed are the same heart in the same chest. (The challenge's own numbers are *not* the same patients.)

    Each element has plain tensors `ct` and `mr` `(1, H, W)` in [0, 1], `label` `(1, H, W)` in MM-WHS's codes, of CT,
    and `patient`; CT in its window, MR between the 0.5 and 99.5 percentiles of its volume.

    Args:
        ct: folder of CT.
        mr: folder of MR.
        spatial_size: pixels `(H, W)`; whole slices of CT are resized to them.
        step: every how many slices of a volume one is taken.
        patients: at most as many, the first ones; all by default.
        progress: called with the number of pairs read, after each.

    Attributes:
        elements: the same as a list.

    Raises:
        DataError: when no number is in both folders, or a file is damaged.
    """

    def __init__(
        self,
        ct: str | Path,
        mr: str | Path,
        spatial_size: Sequence[int],
        step: int = 2,
        patients: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        folders = {
            modality: {one["patient"][-4:]: one for one in read_mmwhs(folder) if one["modality"] == modality.upper()}
            for modality, folder in ((CT, ct), (MR, mr))
        }
        both = sorted(folders[CT].keys() & folders[MR].keys())[:patients]
        if not both:
            raise DataError(f"Expected volumes of the same numbers in {ct} and {mr}, got none.")
        load, load_mr = axial_preprocessing(spatial_size, "CT", CT_WINDOW), _mr_volume()
        self.elements: list[dict[str, Any]] = []
        for done, number in enumerate(both, 1):
            volume = load(folders[CT][number])
            other = load_mr({IMAGE: folders[MR][number][IMAGE]})[IMAGE]
            self.elements += _pairs(volume, other, number, step)
            if progress is not None:
                progress(done)
        super().__init__(self.elements)


class KeyedBatch:
    """Takes condition and image from a batch by their keys: MONAI's `prepare_batch` of a translator's training.

    Args:
        source: key of the condition.
        target: key of the image.

    Attributes:
        generator: asked for by `TrainingRounds`; nothing is drawn.
    """

    def __init__(self, source: str, target: str) -> None:
        self.source = source
        self.target = target
        self.generator = seeded(0)

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device | str | None, non_blocking: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return target and source of the batch on the device."""
        target, source = (plain(batch[key]).to(device, non_blocking=non_blocking) for key in (self.target, self.source))
        return target, source


def train_translator(
    slices: Sequence[Mapping[str, Any]],
    source: str,
    target: str,
    path: Path,
    *,
    iterations: int = 400,
    iterations_per_round: int = 50,
    batch_size: int = 8,
    features: int = 12,
    rate: float = 1e-3,
    adversarial: float = 0.012,
    seed: int = 0,
    to_condition: StructureCondition | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ConditionalUNetGenerator:
    """Train the conditional GAN with one modality as the condition of the other, and return its generator's average.

    With `to_condition` the source is the label map, and nothing but slices of the target and their own labels is used.

    Args:
        slices: of `PairedSlices`.
        source: key of the modality that is given.
        target: key of the one that is wanted.
        path: of the weights, which are read back where they exist.
        iterations: in all, a multiple of `iterations_per_round`.
        iterations_per_round: steps between two learning rates.
        batch_size: slices a step.
        features: of the first level; seven levels, as for label maps.
        rate: of Adam; it falls in the second half.
        adversarial: weight of the adversarial term.
        seed: of weights and batches.
        to_condition: what the networks see of a source of label maps; None for an image.
        progress: called with the number of iterations done and their total.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        told = 1 if to_condition is None else to_condition.channels
        generator = ConditionalUNetGenerator(2, told, channels=[features * one for one in (1, 2, 4, 8, 8, 8, 8)])
        critic = ConditionalPatchCritic(2, 1 + told, channels=[features * one for one in (1, 2, 4, 8)])
    if not path.is_file():
        optimizers = [torch.optim.Adam(network.parameters(), lr=rate) for network in (generator, critic)]
        sampler, batches = (
            RoundSampler(len(slices), iterations_per_round * batch_size, seed),
            KeyedBatch(source, target),
        )
        images = Dataset([{key: one[key] for key in (source, target)} for one in slices])
        trainer = ConditionalGANTrainer(
            "cpu",
            iterations // iterations_per_round,
            DataLoader(images, batch_size=batch_size, sampler=sampler, generator=seeded(seed)),
            generator,
            critic,
            optimizers[0],
            optimizers[1],
            to_condition=to_condition,
            adversarial=adversarial,
            ema_decay=0.99,
            prepare_batch=batches,
            train_handlers=[TrainingRounds(sampler, batches, optimizers)],
            amp=False,
        )
        if progress is not None:
            trainer.add_event_handler(
                "ITERATION_COMPLETED", lambda engine: progress(engine.state.iteration, iterations)
            )
        trainer.run()
        save_checkpoint(path, trainer.average.module.state_dict())
    generator.load_state_dict(load_checkpoint(path))
    return generator.eval()


def _mr_volume() -> Compose:
    scaled = ScaleIntensityRangePercentilesd(IMAGE, lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True)
    return Compose([LoadImaged(IMAGE), EnsureChannelFirstd(IMAGE), scaled])


def _pairs(volume: Mapping[str, Any], other: MetaTensor, number: str, step: int) -> list[dict[str, Any]]:
    """Return the elements of one patient."""
    matched = ResampleToMatch(mode="bilinear", padding_mode="zeros")(other, volume[IMAGE])
    ct, mr, label = (plain(one).to(torch.float32) for one in (volume[IMAGE], matched, volume[LABEL]))
    return [
        {
            CT: ct[..., at].contiguous(),
            MR: mr[..., at].clamp(0, 1).contiguous(),
            LABEL: label[..., at].to(torch.int16).contiguous(),
            "patient": number,
        }
        for at in range(0, ct.shape[-1], step)
        if bool((label[..., at] > 0).any())
    ]


__all__ = ["CT", "MR", "KeyedBatch", "PairedSlices", "train_translator"]
