"""The image half alone: it learns each class's intensity, and keeps its promises as a trainer."""

from __future__ import annotations

import torch
from ignite.engine import Events
from monai.engines import IterationEvents
from small_hearts import hearts, tiny_gan

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines.spade_gan_trainer import SPADEGANTrainer


def trainer(max_epochs: int, batches, gan=None, **changes) -> SPADEGANTrainer:
    gan = gan or tiny_gan()
    painters = [*gan.generator.parameters(), *gan.style_encoder.parameters()]
    return SPADEGANTrainer(
        device="cpu",
        max_epochs=max_epochs,
        train_data_loader=batches,
        gan=gan,
        generator_optimizer=torch.optim.Adam(painters, lr=2e-3, betas=(0.0, 0.999)),
        discriminator_optimizer=torch.optim.Adam(gan.discriminator.parameters(), lr=2e-3, betas=(0.0, 0.999)),
        scheme=ACDC,
        **changes,
    )


def batches(sizes=(4, 4, 3)):
    image, label = hearts(sum(sizes))
    return [{"image": one, "label": other} for one, other in zip(image.split(sizes), label.split(sizes), strict=True)]


def test_learns_what_each_structure_looks_like_on_hearts_it_never_saw():
    one = trainer(25, batches(), ema_decay=0.9)
    one.run()
    image, label = hearts(6, seed=99)
    painter = one.average.module.eval()
    with torch.no_grad():
        painted = painter.generator(ACDC.one_hot(label[:, 0]), painter.style_encoder(image))
    for code, brightness in ((1, 0.8), (2, 0.1), (3, 0.9)):
        assert abs(float(painted[label == code].mean()) - brightness) < 0.15


def test_each_real_batch_is_seen_once_with_its_own_size():
    seen = []
    one = trainer(2, batches())
    one.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: seen.append(tuple(engine.state.output["pred"].shape))
    )
    one.run()
    assert seen == [(4, 1, 32, 32), (4, 1, 32, 32), (3, 1, 32, 32)] * 2


def test_a_conditional_painter_is_told_each_batchs_condition():
    gan, told = tiny_gan(condition_size=2), []
    conditions = [torch.eye(2)[torch.arange(size) % 2] for size in (4, 4, 3)]
    data = [{**batch, "condition": one} for batch, one in zip(batches(), conditions, strict=True)]
    one = trainer(1, data, gan=gan)
    paint = gan.generator.forward
    gan.generator.forward = lambda *given: (told.append(given[3]), paint(*given))[1]
    one.run()
    assert all(torch.equal(found, given) for found, given in zip(told, conditions, strict=True))


def test_all_iteration_events_fire_in_order():
    fired = []
    one = trainer(1, batches()[:1])
    for event in IterationEvents:
        if event in (IterationEvents.INNER_ITERATION_STARTED, IterationEvents.INNER_ITERATION_COMPLETED):
            continue  # MONAI's optimiser-per-sample loops only
        one.add_event_handler(event, lambda engine, event=event: fired.append(event))
    one.run()
    assert fired == [
        IterationEvents.FORWARD_COMPLETED,
        IterationEvents.LOSS_COMPLETED,
        IterationEvents.BACKWARD_COMPLETED,
        IterationEvents.MODEL_COMPLETED,
    ]


def test_handlers_never_find_the_output_of_the_batch_before():
    one, seen = trainer(1, batches((4, 3))), []
    one.add_event_handler(
        IterationEvents.FORWARD_COMPLETED,
        lambda engine: seen.append((len(engine.state.output["image"]), "pred" in engine.state.output)),
    )
    one.run()
    assert seen == [(4, False), (3, False)]


def test_postprocessing_runs_on_the_output():
    one = trainer(1, batches()[:1], decollate=True, postprocessing=lambda row: {**row, "doubled": 2 * row["pred"]})
    one.run()
    rows = one.state.output
    assert len(rows) == 4
    assert torch.equal(rows[0]["doubled"], 2 * rows[0]["pred"])
