"""A painter is written and read back whole, and paints what its generator makes of the condition."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.errors import CheckpointError
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter


def painter(structures=None) -> ConditionalPainter:
    channels = 1 + (len(structures) if structures else MM_WHS.num_classes - 1)
    torch.manual_seed(0)
    generator = ConditionalUNetGenerator(2, channels, channels=(4, 8))
    return ConditionalPainter(generator, structures, {"window": [-200.0, 600.0]}).eval()


def labels(rows: int) -> torch.Tensor:
    return torch.tensor(MM_WHS.codes)[torch.randint(8, (rows, 1, 8, 8))].to(torch.int16)


def test_paints_the_one_hot_map_however_many_together():
    one, label = painter(), labels(5)
    channels = torch.stack([label[:, 0] == code for code in MM_WHS.codes], dim=1).float()
    with torch.no_grad():
        expected = one.generator(channels)
    torch.testing.assert_close(one(label), expected)
    torch.testing.assert_close(one(label, together=2), expected)


def test_a_single_structure_and_a_folder(tmp_path):
    name = MM_WHS.names[1]
    one, label = painter([name]), labels(3)
    found = ConditionalPainter.from_bundle(one.to_bundle(tmp_path))
    assert found.about == {"window": [-200.0, 600.0]}
    torch.testing.assert_close(found(label), one(label))
    only = torch.where(label == MM_WHS.code(name), label, 0)
    torch.testing.assert_close(one(only), one(label))
    assert float(F.l1_loss(one(torch.zeros_like(label)), one(label))) > 0


def test_an_empty_or_damaged_folder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="trained conditional generator"):
        ConditionalPainter.from_bundle(tmp_path)
    painter().to_bundle(tmp_path)
    (tmp_path / "models" / "model.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        ConditionalPainter.from_bundle(tmp_path)
