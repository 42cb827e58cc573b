"""The study across modalities from its files to the table and the picture, very small."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.files import read_csv, save_checkpoint
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter
from monai_cardiacgen.studies.whole_heart.translation_study import (
    TranslationStudySettings,
    matched_greys,
    run_translation_study,
)


def test_every_way_has_its_line_and_the_images_themselves_their_scores(tmp_path):
    generator = seeded(0)
    slices = [
        {
            "ct": torch.rand(1, 128, 128, generator=generator),
            "mr": torch.rand(1, 128, 128, generator=generator),
            "label": torch.tensor(MM_WHS.codes)[torch.randint(8, (1, 128, 128), generator=generator)],
            "patient": f"p{number}",
        }
        for number in range(4)
    ]
    save_checkpoint(tmp_path / "out" / "pairs.pt", {"training": slices[:2], "testing": slices[2:]})
    network = ConditionalUNetGenerator(2, 8, channels=(4, 4))
    ConditionalPainter(network, about={"side": 128, "window": [-200.0, 600.0]}).to_bundle(tmp_path / "bundle")
    for name, told in (("ct_to_mr", 1), ("mr_to_ct", 1), ("label_to_mr", 8)):
        state = ConditionalUNetGenerator(2, told, channels=[12 * one for one in (1, 2, 4, 8, 8, 8, 8)]).state_dict()
        save_checkpoint(tmp_path / "out" / f"{name}.pt", state)
    text = run_translation_study(tmp_path / "out", TranslationStudySettings(), tmp_path / "bundle")
    assert len(text.splitlines()) == 2 + 11
    rows = {(row["wanted"], row["way"], row["patient"]): row for row in read_csv(tmp_path / "out" / "translation.csv")}
    expected = float((slices[2]["ct"] - slices[2]["mr"]).abs().mean())
    for wanted, way in (("MR", "as it is"), ("CT", "as it is")):
        assert abs(float(rows[wanted, way, "p2"]["mae"]) - expected) < 1e-5
    assert (tmp_path / "out" / "translation.png").stat().st_size > 5000


def test_matched_greys_have_the_wanted_histogram_and_keep_their_order():
    source = torch.rand(4, 1, 32, 32, generator=seeded(0))
    target = torch.rand(4, 1, 32, 32, generator=seeded(1)).square()
    matched = matched_greys(source, source, target)
    shares = torch.linspace(0.05, 0.95, 10)
    assert float((matched.quantile(shares) - target.quantile(shares)).abs().max()) < 0.01
    order = source.flatten().argsort()
    assert bool((matched.flatten()[order].diff() >= 0).all())
    skimage = pytest.importorskip("skimage.exposure")
    expected = skimage.match_histograms(source.numpy(), target.numpy())
    assert float((matched - torch.from_numpy(expected)).abs().max()) < 0.02
