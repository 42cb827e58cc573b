"""A generator that is made to memorise does."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter
from monai_cardiacgen.studies.whole_heart.memorising import memorising_painter


def test_it_paints_its_few_images_and_is_read_back(tmp_path):
    generator = seeded(0)
    few = [
        {
            "image": torch.rand(1, 4, 4, generator=generator).repeat_interleave(4, 1).repeat_interleave(4, 2),
            "label": torch.tensor(MM_WHS.codes)[torch.randint(8, (1, 16, 16), generator=generator)],
            "patient": "p",
        }
        for _ in range(3)
    ]
    like = ConditionalPainter(ConditionalUNetGenerator(2, 8, channels=(16, 16)))
    told = []
    painter = memorising_painter(few, tmp_path / "m.pt", 260, like, lambda *given: told.append(given), rate=5e-3)
    assert told[-1] == ("memoriser", 260, 260)
    label, image = (torch.stack([one[key] for one in few]) for key in ("label", "image"))
    assert float((painter(label) - image).abs().mean()) < 0.3 * float((image - image.mean()).abs().mean())
    told.clear()
    again = memorising_painter(few, tmp_path / "m.pt", 260, like, lambda *given: told.append(given))
    assert told == []
    torch.testing.assert_close(again(label), painter(label))
