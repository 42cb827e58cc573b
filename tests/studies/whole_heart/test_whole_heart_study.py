"""The study from volumes to tables and pictures, very small, and from its files again."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.files import read_csv, read_json, save_checkpoint, write_csv
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter
from monai_cardiacgen.studies.whole_heart.whole_heart_study import WholeHeartStudySettings, run_whole_heart_study

SETTINGS = WholeHeartStudySettings(
    patients=(3, 2, 3), step=1, segmentation=2, memorised=2, memorising=4, refused=0.5
)  # fmt: skip


def test_tables_pictures_and_files(tmp_path):
    folder, out, bundle = tmp_path / "volumes", tmp_path / "out", tmp_path / "bundle"
    for number, (part, count) in enumerate(zip(("training", "validation", "testing"), (3, 2, 3), strict=True)):
        write_mmwhs_phantom(folder / part, count, number, "ct", size=(64, 64, 10), spacing=(4.0, 4.0, 12.0))
    about = {"side": 64, "window": [-200.0, 600.0]}
    torch.manual_seed(0)
    ConditionalPainter(ConditionalUNetGenerator(2, 8, channels=(4, 4)), about=about).to_bundle(bundle)
    curves = [{"iteration": n, "loss": 1, "discriminator": 1, "real_accuracy": 1, "fake_accuracy": 1} for n in (1, 2)]
    write_csv(bundle / "models" / "curves.csv", curves)
    shown = {"image": torch.rand(2, 1, 64, 64), "label": torch.zeros(2, 1, 64, 64, dtype=torch.int16)}
    save_checkpoint(bundle / "models" / "shown.pt", shown)
    save_checkpoint(bundle / "models" / "samples.pt", {"0": shown["image"], "1": shown["image"]})
    stages = []
    text = run_whole_heart_study(out, SETTINGS, bundle, folder, lambda stage, done, total: stages.append(stage))
    assert (out / "tables.md").read_text(encoding="utf-8") == text + "\n"
    for name in ("conditions", "pairs", "curves", "progress"):
        assert (out / f"{name}.png").stat().st_size > 2000
    for structure in MM_WHS.names[1:]:
        assert text.count(f"| {structure} |") == 3  # as a condition, in the whole heart, and alone
    for condition in ("whole heart", "whole heart, mean greys", "training patients"):
        assert f"| {condition} | " in text
    refused = {row["images"]: row for row in read_csv(out / "filter.csv")}
    assert int(refused["real, test patients"]["count"]) > 0
    results = read_json(out / "results.json")
    assert results["settings"]["patients"] == [3, 2, 3]
    assert set(results["validation_dice"]) == set(MM_WHS.names[1:])
    assert "segmentation" in stages
    stages.clear()
    assert run_whole_heart_study(out, SETTINGS, bundle, folder, lambda stage, done, total: stages.append(stage)) == text
    assert "conditions" not in stages
