"""The study across modalities from its files to the table and the picture, very small."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.files import read_csv, save_checkpoint
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.conditional_painter import ConditionalPainter
from monai_cardiacgen.studies.translation_study import TranslationStudySettings, run_translation_study


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
    for name in ("ct_to_mr", "mr_to_ct"):
        state = ConditionalUNetGenerator(2, 1, channels=[12 * one for one in (1, 2, 4, 8, 8, 8, 8)]).state_dict()
        save_checkpoint(tmp_path / "out" / f"{name}.pt", state)
    text = run_translation_study(tmp_path / "out", TranslationStudySettings(), tmp_path / "bundle")
    assert len(text.splitlines()) == 2 + 6
    rows = {(row["wanted"], row["way"], row["patient"]): row for row in read_csv(tmp_path / "out" / "translation.csv")}
    expected = float((slices[2]["ct"] - slices[2]["mr"]).abs().mean())
    for wanted, way in (("MR", "CT as it is"), ("CT", "MR as it is")):
        assert abs(float(rows[wanted, way, "p2"]["mae"]) - expected) < 1e-5
    assert (tmp_path / "out" / "translation.png").stat().st_size > 5000
