"""Synthesis that polices itself, by a made-up training and by a real one with a deliberately bad synthesizer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from monai.networks.nets import UNet
from torch import nn

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.handlers import SynthesisController
from monai_cardiacgen.inferers.synthetic_cases import SyntheticCases
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.segmentation import segmentation_loss
from monai_cardiacgen.transforms import RandCardiacSynthd
from tests.small_hearts import SIDE, hearts


@dataclass
class Counter:
    """A "network" whose skill grows by what an epoch with or without synthesis is worth."""

    skill: float = 0.0

    def state_dict(self) -> dict[str, float]:
        return {"skill": self.skill}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.skill = state["skill"]


@dataclass
class Transform:
    prob: float = 0.5


@dataclass
class Training:
    """Epochs of a made-up training whose validation has eight patients."""

    gain: Callable[[float, int], float]
    network: Counter = field(default_factory=Counter)
    transform: Transform = field(default_factory=Transform)
    probs: list[float] = field(default_factory=list)

    def scores(self) -> torch.Tensor:
        return self.network.skill + 0.01 * torch.arange(8.0).sin()

    def controller(self, **more: Any) -> SynthesisController:
        return SynthesisController(self.transform, {"network": self.network}, self.scores, **more)

    def run(self, epochs: int, controller: SynthesisController) -> None:
        engine = Engine(lambda engine, batch: None)
        controller.attach(engine)

        engine.add_event_handler(Events.EPOCH_STARTED, self.learn)
        engine.run([0], max_epochs=epochs)

    def learn(self, engine: Engine) -> None:
        self.probs.append(self.transform.prob)
        self.network.skill += self.gain(self.transform.prob, engine.state.epoch)


def _helps(prob: float, epoch: int) -> float:
    return 0.2 if prob else 0.1


def _hurts(prob: float, epoch: int) -> float:
    return -0.2 if prob else 0.1


def test_what_helps_goes_on_from_its_own_side() -> None:
    training = Training(_helps)
    controller = training.controller(trials=(1,), length=2)
    training.run(6, controller)
    assert training.probs == [0.5, 0.5, 0.5, 0.0, 0.0, 0.5]
    assert training.network.skill == pytest.approx(0.2 * 4)  # the two epochs without are gone
    assert [row["prob"] for row in controller.history] == [0.5]
    assert controller.history[0]["with"] - controller.history[0]["without"] == pytest.approx(0.2)


def test_what_hurts_is_switched_off_and_leaves_no_trace() -> None:
    training = Training(_hurts)
    controller = training.controller(trials=(0,), length=1)
    training.run(4, controller)
    assert training.probs == [0.5, 0.0, 0.0, 0.0]
    assert training.network.skill == pytest.approx(0.1 * 3)
    assert controller.history[0]["p_value"] < 0.05


def test_a_later_trial_may_find_otherwise() -> None:
    training = Training(lambda prob, epoch: (-0.2 if epoch < 3 else 0.3) if prob else 0.1)
    training.run(6, training.controller(trials=(0, 3), length=1))
    assert training.probs == [0.5, 0.0, 0.0, 0.5, 0.0, 0.5]


def test_no_difference_is_no_harm() -> None:
    training = Training(lambda prob, epoch: 0.1)
    training.run(2, training.controller(trials=(0,)))
    assert training.transform.prob == 0.5


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_stopped_training_goes_on(stop: int) -> None:
    whole = Training(_hurts)
    whole.run(5, whole.controller(trials=(1,), length=1))
    first = Training(_hurts)
    begun = first.controller(trials=(1,), length=1)
    first.run(stop, begun)
    second = Training(_hurts, network=copy.deepcopy(first.network))
    goes_on = second.controller(trials=(1,), length=1)
    goes_on.load_state_dict(begun.state_dict())
    engine = Engine(lambda engine, batch: None)
    goes_on.attach(engine)
    engine.add_event_handler(Events.EPOCH_STARTED, second.learn)
    engine.load_state_dict({"epoch": stop, "max_epochs": 5, "epoch_length": 1})
    engine.run([0], max_epochs=5)
    assert first.probs + second.probs == whole.probs
    assert second.network.skill == pytest.approx(whole.network.skill)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trials": ()}, "Expected trials"),
        ({"length": 0}, "Expected trials"),
        ({"level": 1.0}, "Expected trials"),
        ({"trials": (1, 2), "length": 1}, "at least 2 epochs"),
    ],
)
def test_wrong_arguments(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Training(_helps).controller(**wrong)


def test_a_transform_that_is_off_cannot_be_tried() -> None:
    with pytest.raises(InputError, match="prob above 0"):
        Training(_helps, transform=Transform(0.0)).controller()


def test_one_score_for_all_patients_is_refused() -> None:
    training = Training(_helps)
    controller = SynthesisController(training.transform, {}, lambda: torch.tensor(0.5), trials=(0,))
    with pytest.raises(ShapeError, match="score each patient"):
        training.run(2, controller)


class Shifted:
    """A synthesizer whose label maps lie `shift` pixels beside their images."""

    scheme, spacing, spatial_size = ACDC, (1.0, 1.0), (SIDE, SIDE)
    provenance = {"name": "shifted", "version": "0"}  # noqa: RUF012

    def __init__(self, shift: int) -> None:
        images, labels = hearts(64, seed=50)
        self.image, self.label = images, labels[:, 0].roll(shift, dims=1)

    def sample(self, n: int, generator: Any) -> SyntheticCases:
        rows = [int(torch.randint(64, (), generator=one)) for one in generator]
        return SyntheticCases(self.image[rows], self.label[rows])

    def vary(self, *_: Any) -> None:
        raise AssertionError("only new hearts are asked for")

    restyle = vary


def _train(shift: int | None, controlled: bool) -> tuple[np.ndarray, SynthesisController | None]:
    """Return Dice of 12 test patients (an image each) after 12 epochs of 12 steps on 4 real images."""
    torch.manual_seed(0)
    network = UNet(2, 1, 4, (8, 16, 32), (2, 2), norm="INSTANCE")
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    images, labels = hearts(4, seed=1)
    synth = None
    if shift is not None:
        transform = RandCardiacSynthd(("image", "label"), Shifted(shift), 0.6, intensity_range=(0, 1), spacing=(1, 1))
        transform.set_random_state(seed=0)
        synth = transform.prepare_batch()
    loss, draws = segmentation_loss(), seeded(0)

    def step(engine: Engine, _: Any) -> None:
        rows = torch.randint(4, (8,), generator=draws)
        batch: Any = {"image": images[rows], "label": labels[rows]}
        image, label = (batch["image"], batch["label"]) if synth is None else synth(batch, torch.device("cpu"))
        optimizer.zero_grad()
        loss(network(image), label).backward()
        optimizer.step()

    engine = Engine(step)
    controller = None
    if controlled:
        parts: dict[str, Any] = {"network": network, "optimizer": optimizer}
        controller = SynthesisController(synth, parts, lambda: _dice(network, 30), trials=(2,), length=2)
        controller.attach(engine)
    engine.run(range(12), max_epochs=12 + (2 if controlled else 0))
    return _dice(network, 40).numpy(), controller


def _dice(network: nn.Module, seed: int) -> torch.Tensor:
    image, label = hearts(12, seed=seed)
    with torch.no_grad():
        found, truth = ACDC.one_hot(network(image).argmax(dim=1)), ACDC.one_hot(label[:, 0])
    overlap = 2 * (found * truth).sum(dim=(2, 3)) / (found + truth).sum(dim=(2, 3))
    return overlap[:, 1:].mean(dim=1)


def test_a_bad_synthesizer_hurts_and_with_the_controller_it_does_not() -> None:
    alone, _ = _train(None, controlled=False)
    hurt, _ = _train(8, controlled=False)
    guarded, controller = _train(8, controlled=True)
    assert controller is not None
    assert controller.history[0]["prob"] == 0.0
    error = (alone - hurt).std(ddof=1) / np.sqrt(12)
    assert (alone - hurt).mean() > 3 * error
    assert (alone - guarded).mean() < 0.03


def test_a_good_synthesizer_stays() -> None:
    _, controller = _train(0, controlled=True)
    assert controller is not None
    assert controller.history[0]["prob"] == 0.6
