"""The measures of new hearts on hearts that are known by construction, and the study's files."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.files import read_csv
from monai_cardiacgen.inferers import CardiacSynthesizer, LatentSampler, StylelessPainter
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.whole_heart.whole_hearts import WholeHeartBudget, load_whole_hearts, train_whole_hearts
from monai_cardiacgen.studies.whole_heart.whole_hearts_study import closest_dice, mean_dice, study_whole_hearts

LV, MYO = MM_WHS.code("left ventricular cavity"), MM_WHS.code("myocardium")


def boxes(*widths: int) -> torch.Tensor:
    """A cavity of some width in a wall, `(N, 16, 16, 16)`."""
    label = torch.zeros(len(widths), 16, 16, 16, dtype=torch.int64)
    for row, width in enumerate(widths):
        label[row, 2:14, 4:12, 4:12] = MYO
        label[row, 8 - width // 2 : 8 + width // 2, 6:10, 6:10] = LV
    return label


def test_dice_by_structure_is_monai_s():
    monai = pytest.importorskip("monai.metrics")
    first, second = boxes(4, 8), boxes(6, 8)
    expected = monai.compute_dice(MM_WHS.one_hot(first), MM_WHS.one_hot(second), include_background=False)
    found = mean_dice(first, second)
    shown = ~found.isnan()
    assert shown.sum() == 4  # two structures of two hearts
    torch.testing.assert_close(found[shown], expected[shown])


def test_the_closest_heart_is_found_wherever_it_lies():
    known = boxes(4, 8)
    moved = known[1:].roll(2, 2)
    assert float(closest_dice(moved, known)) == 1.0
    between = float(closest_dice(boxes(6), known))
    # Of 12 x 8 x 8 voxels 2 x 4 x 4 are another structure: at every second voxel as at all.
    assert between == pytest.approx(1 - 2 * 16 / (12 * 64))


def test_the_study_writes_its_tables_and_its_picture(tmp_path):
    write_mmwhs_phantom(tmp_path / "volumes", 4, 5, "ct", size=(40, 40, 26), spacing=(7.0, 7.0, 9.0))
    spacing = (8.0, 8.0, 7.0)
    hearts = load_whole_hearts(tmp_path / "volumes", spacing, (32, 32, 32))
    budget = WholeHeartBudget(iterations=2, iterations_per_round=2, batch_size=2, channels=(4, 8), latent_size=3)
    vae = train_whole_hearts(hearts[:2], tmp_path / "training", budget)
    labels = torch.stack([one["label"][0] for one in hearts[:2]]).long()
    sampler = LatentSampler.fit(vae, MM_WHS, spacing, labels, check=None)
    # Hardly trained, the autoencoder gives no heart; its decoder is replaced by one that knows a single heart by heart.
    vae.decoder = Remembered(MM_WHS.one_hot(labels[:1])[:, :, ::4, ::4, ::4])
    painter = StylelessPainter(ConditionalUNetGenerator(2, 8, channels=(4, 4)), spatial_dims=3)
    synthesizer = CardiacSynthesizer(MM_WHS, spacing, sampler, painter, None, torch.zeros(2, 0), view="axial")
    text = study_whole_hearts(tmp_path / "out", synthesizer, hearts[:2], hearts[2:], count=2)
    lines = text.splitlines()
    assert lines[2].startswith("| new | 2 draws | 2 of 2 (100%) |")
    assert lines[3].startswith("| test patients | 2 |")
    assert len(lines) == 5 + 1 + 2 + 7
    rows = read_csv(tmp_path / "out" / "hearts.csv")
    assert [row["group"] for row in rows].count("new") == 2
    assert (tmp_path / "out" / "hearts.png").stat().st_size > 5000


class Remembered(torch.nn.Module):
    """A decoder that gives the same logits whatever it is told."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("logits", 10 * logits)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(latent), -1, -1, -1, -1)
