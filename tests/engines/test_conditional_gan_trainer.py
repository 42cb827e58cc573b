"""The conditional trainer learns grey levels of structures, fires its events and goes on where it was."""

from __future__ import annotations

import io

import torch
from ignite.engine import Events
from monai.engines import IterationEvents
from small_cgan import LEVELS, batches, trainer

from monai_cardiacgen.anatomy import ACDC, StructureCondition
from monai_cardiacgen.handlers import LossCurves
from monai_cardiacgen.networks.nets import ConditionalPatchCritic, ConditionalUNetGenerator


def weights(one) -> torch.Tensor:
    parts = (one.network, one.discriminator, one.average)
    return torch.cat([value.detach().flatten().double() for part in parts for value in part.state_dict().values()])


def test_learns_what_each_structure_looks_like_and_keeps_its_curves():
    one, curves = trainer(60, rate=5e-3, ema_decay=0.9), LossCurves()
    curves.attach(one)
    one.run()
    unseen = batches((4, 4, 4, 4))[3]
    with torch.no_grad():
        painted = one.average.module.eval()(StructureCondition(ACDC)(unseen["label"]))
    for code in (0, 2, 3):
        assert abs(float(painted[unseen["label"] == code].mean() - LEVELS[code])) < 0.08
    first, last = curves.rows[0], curves.rows[-1]
    assert last["reconstruction"] < 0.3 * first["reconstruction"]
    for row in curves.rows:
        assert 0 <= row["real_accuracy"] <= 1
        assert 0 <= row["fake_accuracy"] <= 1


def test_another_modality_may_be_the_condition_by_another_key():
    images = [{"mr": 1 - batch["image"], "ct": batch["image"]} for batch in batches((4, 4))]
    one = trainer(
        2,
        images,
        ConditionalUNetGenerator(2, 1, channels=(8, 8)),
        ConditionalPatchCritic(2, 2, channels=(4, 8, 8)),
        to_condition=None,
        prepare_batch=lambda batch, device, non_blocking, **more: (batch["ct"], batch["mr"]),
    )
    one.run()
    assert torch.equal(one.state.output["label"], images[-1]["mr"])
    assert one.state.output["pred"].shape == images[-1]["ct"].shape


def test_all_iteration_events_fire_and_never_with_the_output_of_the_batch_before():
    one, seen = trainer(1, batches((4, 3))), []
    for event in IterationEvents:
        one.add_event_handler(event, lambda engine, event: seen.append((event, len(engine.state.output))), event)
    one.run()
    whole = 2 + 1 + 1 + 5  # image and label; pred; loss; five terms
    assert seen == 2 * [
        (IterationEvents.FORWARD_COMPLETED, 2),
        (IterationEvents.LOSS_COMPLETED, 2),
        (IterationEvents.BACKWARD_COMPLETED, 2),
        (IterationEvents.MODEL_COMPLETED, whole),
    ]


def test_resume_is_bit_for_bit():
    whole = trainer(4)
    whole.run()
    half = trainer(2)
    half.run()
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    rest = trainer(4, rate=0.7, seed=5)  # what is loaded counts, not what it began with
    rest.load_state_dict(torch.load(file, weights_only=True))
    rest.run()
    assert rest.state.epoch == 4
    assert torch.equal(weights(rest), weights(whole))
    assert not torch.equal(weights(half), weights(whole))


def test_the_average_is_of_the_generator():
    one, states = trainer(1, batches((4, 4)), ema_decay=0.75), []
    one.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda engine: states.append(one.network.to_image.weight.detach().clone()),
    )
    one.run()
    torch.testing.assert_close(one.average.module.to_image.weight.detach(), 0.75 * states[0] + 0.25 * states[1])
