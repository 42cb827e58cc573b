"""Label maps painted anew in an evaluator."""

from __future__ import annotations

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator
from small_hearts import conditional_synthesizer, hearts, tiny_synthesizer

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.repainting import PrepareRepainting, RepaintingInferer
from monai_cardiacgen.seeding import seeded

IMAGES, LABELS = hearts(3)


def painted(synthesizer, batches: list[dict], inferer: RepaintingInferer) -> torch.Tensor:
    evaluator = SupervisedEvaluator(
        torch.device("cpu"),
        DataLoader(Dataset(batches), batch_size=2),
        synthesizer,
        prepare_batch=PrepareRepainting(),
        inferer=inferer,
        decollate=False,
    )
    found = []
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: found.append(engine.state.output))
    evaluator.run()
    assert torch.equal(torch.cat([one["label"] for one in found]), torch.stack([one["image"] for one in batches]))
    return torch.cat([one["pred"] for one in found])


def test_the_own_style_is_that_of_each_image():
    synthesizer = tiny_synthesizer()
    batches = [{"image": image, "label": label} for image, label in zip(IMAGES, LABELS, strict=True)]
    found = painted(synthesizer, batches, RepaintingInferer("own", seed=3))
    generator = seeded(3)
    expected = [
        synthesizer.synthesize(LABELS[rows, 0], synthesizer.encode_style(IMAGES[rows]), generator)
        for rows in (slice(0, 2), slice(2, 3))
    ]
    assert torch.allclose(found, torch.cat(expected), atol=1e-6)


def test_a_new_style_goes_with_the_seed_and_the_condition_is_told():
    synthesizer = conditional_synthesizer()
    conditions = torch.eye(2)[[0, 1, 0]]
    batches = [
        {"image": image, "label": label, "condition": told}
        for image, label, told in zip(IMAGES, LABELS, conditions, strict=True)
    ]
    found = painted(synthesizer, batches, RepaintingInferer(seed=4))
    generator = seeded(4)
    expected = [
        synthesizer.synthesize(LABELS[rows, 0], None, generator, conditions[rows])
        for rows in (slice(0, 2), slice(2, 3))
    ]
    assert torch.allclose(found, torch.cat(expected), atol=1e-6)
    assert not torch.allclose(found, painted(synthesizer, batches, RepaintingInferer(seed=5)))


def test_another_style_is_refused():
    with pytest.raises(InputError, match="'new' or 'own'"):
        RepaintingInferer("real")
