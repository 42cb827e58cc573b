"""Batches for a segmentation network."""

from __future__ import annotations

import torch
from monai.data import MetaTensor

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.studies.augmented_batch import AugmentedBatch


def noisy(image: torch.Tensor, label: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    return image + torch.rand(image.shape, generator=generator), label.flip(-1)


def test_batches_are_augmented_by_the_generator_and_labels_become_channels() -> None:
    made = AugmentedBatch(noisy, MM_WHS)
    codes = torch.tensor(MM_WHS.codes).reshape(1, 1, 2, 4)
    batch = {"image": MetaTensor(torch.zeros(1, 1, 2, 4)), "label": MetaTensor(codes)}
    made.generator.manual_seed(3)
    image, label = made(batch, "cpu")
    torch.testing.assert_close(image, torch.rand(1, 1, 2, 4, generator=torch.Generator().manual_seed(3)))
    assert type(image) is type(label) is torch.Tensor
    assert label.flatten().tolist() == [3, 2, 1, 0, 7, 6, 5, 4]  # the scheme's order, mirrored
