"""The command hands its arguments to the study."""

from __future__ import annotations

from pathlib import Path

from benchmarks import aorta_inpainting
from monai_cardiacgen.studies.vessels.inpainting_study import InpaintingStudySettings


def test_arguments_reach_the_study_and_the_defaults_are_the_pages(monkeypatch, capsys):
    told = []

    def study(out, settings, bundle, progress):
        told.append((out, settings, bundle))
        progress("inpainting", 3, 3)
        return "the table"

    monkeypatch.setattr(aorta_inpainting, "run_inpainting_study", study)
    aorta_inpainting.main([])
    aorta_inpainting.main(["--out", "o", "--seed", "101", "--patients", "20", "--latents", "9", "--each", "2"])
    usual = InpaintingStudySettings()
    assert (usual.patients, usual.seed, usual.each, usual.latents, usual.accepted) == (200, 107, 2, 20_000, 64)
    assert told[0] == (Path("runs/aorta_inpainting"), usual, Path("bundles/aorta_wgan_gp"))
    assert told[1][:2] == (Path("o"), InpaintingStudySettings(patients=20, seed=101, each=2, latents=9))
    assert capsys.readouterr().out.count("the table") == 2
