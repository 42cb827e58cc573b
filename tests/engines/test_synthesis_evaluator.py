"""Cases from seeds, through MONAI's evaluator to files."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader
from monai.transforms import Compose, SaveImaged
from small_hearts import tiny_synthesizer

from monai_cardiacgen.data import SeedDataset
from monai_cardiacgen.engines import SynthesisEvaluator
from monai_cardiacgen.seeding import seeded


@pytest.fixture(scope="module")
def synthesizer():
    return tiny_synthesizer()


def cases_of(synthesizer, batch_size, **changes):
    seen = []
    evaluator = SynthesisEvaluator(
        "cpu", DataLoader(SeedDataset(3, seed=1), batch_size=batch_size), synthesizer, **changes
    )
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: seen.extend(engine.state.output))
    evaluator.run()
    return seen


def test_a_seed_gives_its_case_in_any_batch(synthesizer):
    one_by_one, together = cases_of(synthesizer, 1), cases_of(synthesizer, 3)
    for first, second in zip(one_by_one, together, strict=True):
        assert torch.equal(first["label"], second["label"])
        torch.testing.assert_close(first["image"].as_tensor(), second["image"].as_tensor(), rtol=0, atol=1e-5)
        expected = synthesizer.sample(1, [seeded(first["seed"])])
        assert torch.equal(first["label"].as_tensor()[0], expected.label[0])


def test_cases_reach_files_with_their_spacing(synthesizer, tmp_path):
    save = Compose(
        [
            SaveImaged(
                key,
                output_dir=tmp_path,
                output_postfix=key,
                separate_folder=False,
                squeeze_end_dims=False,  # MONAI 1.6.1 cannot write a 2D image to NIfTI otherwise
                print_log=False,
            )
            for key in ("image", "label")
        ]
    )
    cases_of(synthesizer, 3, postprocessing=save)
    files = sorted(path.name for path in tmp_path.glob("*.nii.gz"))
    assert len(files) == 6
    assert files[0] == "synthetic_000000_image.nii.gz"
    written = nibabel.load(tmp_path / files[0])
    assert written.shape[:2] == (32, 32)
    assert np.allclose(written.header.get_zooms()[:2], (2.0, 2.0))
