"""Which start is chosen, and the box of the region; its statistics are tested with the inpainter."""

from __future__ import annotations

import torch

from monai_cardiacgen.inferers.latent_descent import Descent
from monai_cardiacgen.inferers.searched_image import SearchedImage


def test_the_start_of_lowest_loss_is_compared():
    empty = torch.zeros(3, 0)
    losses = torch.tensor([0.3, 0.1, 0.2])
    descent = Descent(empty, losses, empty, torch.zeros(3), torch.zeros(3, 0, 0), torch.zeros(0))
    real = torch.zeros(1, 4, 5)
    mask = torch.zeros(4, 5, dtype=torch.bool)
    mask[1, 1] = mask[2, 3] = True
    generated = torch.tensor([0.9, 0.2, 0.4]).reshape(3, 1, 1, 1).expand(3, 1, 4, 5)
    found = SearchedImage.from_starts(real, mask, torch.where(mask, generated, real), generated, descent, 0.01)
    assert found.best == 1
    assert torch.equal(found.region[0], torch.tensor([[0.2, 0, 0], [0, 0, 0.2]]))
    assert abs(found.misfit - 0.2) < 1e-6
    deviation = torch.tensor([0.9, 0.2, 0.4]).std(correction=0)
    torch.testing.assert_close(found.spread[0, mask], deviation.expand(2))
    torch.testing.assert_close(found.z_score[0], torch.where(mask, 0.2 / deviation, 0.0))
    # What was planted in the mask has its own score against the same healthy version.
    planted = torch.where(mask, 0.7, real)
    torch.testing.assert_close(found.z_score_of(planted)[0], torch.where(mask, 0.5 / deviation, 0.0))
    torch.testing.assert_close(found.z_score_of(real), found.z_score)
