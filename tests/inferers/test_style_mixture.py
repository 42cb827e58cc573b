"""Mixtures of two candidates, each row from its own generator."""

from __future__ import annotations

import torch

from monai_cardiacgen.inferers.style_mixture import mixed_styles
from monai_cardiacgen.seeding import row_generators, seeded


def test_a_mixture_lies_on_the_line_between_two_candidates():
    styles = torch.eye(5)
    mixed = mixed_styles(styles, torch.tensor([[0, 2], [1, 3], [4, 4]]), row_generators(seeded(0), 3))
    assert torch.allclose(mixed.sum(dim=1), torch.ones(3))
    assert mixed[0, [1, 3, 4]].tolist() == mixed[1, [0, 2, 4]].tolist() == [0, 0, 0]
    assert torch.equal(mixed[2], styles[4])


def test_a_row_does_not_depend_on_the_others():
    styles, candidates = torch.randn(6, 4, generator=seeded(1)), torch.arange(6).expand(4, -1)
    every = mixed_styles(styles, candidates, row_generators(seeded(2), 4))
    assert torch.equal(every[2:3], mixed_styles(styles, candidates[:1], row_generators(seeded(2), 4)[2:3]))
    assert len(every.unique(dim=0)) == 4
