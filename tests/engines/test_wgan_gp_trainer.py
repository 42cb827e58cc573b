"""The trainer keeps its promises, finds every mode of a mixture, and its critic measures known distances."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import MetaTensor
from monai.engines import IterationEvents
from scipy.integrate import trapezoid
from scipy.stats import norm
from small_wgan import LATENT, adam, batches, points, ring, small_critic, small_network, trainer
from torch import nn

from monai_cardiacgen.engines import WGANGPTrainer
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.handlers import LossCurves
from monai_cardiacgen.networks.nets import WGANCritic, WGANGenerator
from monai_cardiacgen.seeding import seeded


class Handing:
    """A loader that counts what it hands out."""

    def __init__(self, batches: list) -> None:
        self.batches, self.handed = batches, 0

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self):
        for batch in self.batches:
            self.handed += 1
            yield batch


class Fixed(nn.Module):
    """Gives latents back, times a weight of 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, latent):
        return self.weight * latent


def weights(one: WGANGPTrainer) -> torch.Tensor:
    parts = (one.network, one.critic, one.average)
    return torch.cat([value.detach().flatten().double() for part in parts for value in part.state_dict().values()])


def test_every_critic_step_sees_a_batch_that_no_other_step_sees():
    """Its own batch of the loader, whole, once: what the critic judged as real, in the loader's order."""
    loader, critic, judged = Handing(batches((4, 4, 3, 4, 2))), small_critic(), []
    one = trainer(2, loader, critic=critic, critic_steps=2)
    hook = critic.register_forward_hook(lambda module, given, scores: judged.append(given[0].detach().clone()))
    one.run()
    hook.remove()
    real = [batch["image"] for batch in loader.batches] * 2
    calls = iter(judged)
    for iteration, expected in enumerate(real, start=1):
        both, between = next(calls), next(calls)
        assert torch.equal(both[: len(expected)], expected)
        assert len(both) == 2 * len(between) == 2 * len(expected)
        if iteration % 2 == 0:
            assert len(next(calls)) == len(expected)  # the generator's fakes alone
    assert next(calls, None) is None
    assert loader.handed == len(real)
    assert one.state.iteration == len(real)


def test_fakes_are_detached_and_as_many_as_the_real_rows():
    one, seen = trainer(1, critic_steps=99), []
    before = weights(one)
    one.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: seen.append(engine.state.output["pred"]))
    one.run()
    assert [tuple(fake.shape) for fake in seen] == [(4, 2), (4, 2), (3, 2)]
    assert not any(fake.requires_grad for fake in seen)
    assert all(parameter.grad is None for parameter in one.network.parameters())
    assert not torch.equal(before, weights(one))
    assert all(
        torch.equal(one, other)
        for one, other in zip(one.network.parameters(), small_network().parameters(), strict=True)
    )


def test_latents_are_the_generators_draws():
    one = trainer(1, batches((4,)), seed=5)
    one.run()
    expected = small_network()(torch.randn(4, LATENT, generator=seeded(5)))
    torch.testing.assert_close(one.state.output["pred"], expected.detach())


def test_the_generators_step_leaves_the_critic_as_it_was():
    with_it, without = trainer(1, batches((4,)), critic_steps=1), trainer(1, batches((4,)), critic_steps=2)
    for one in (with_it, without):
        one.run()
    for one, other in zip(with_it.critic.parameters(), without.critic.parameters(), strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one.grad, other.grad)
        assert one.requires_grad
    assert "generator_loss" in with_it.state.output
    assert "generator_loss" not in without.state.output
    assert not torch.equal(with_it.network[0].weight, without.network[0].weight)


def test_all_iteration_events_fire_in_order_and_never_with_the_output_of_the_batch_before():
    one, seen = trainer(1, batches((4, 3)), critic_steps=2), []
    for event in IterationEvents:
        one.add_event_handler(event, lambda engine, event: seen.append((event, sorted(engine.state.output))), event)
    one.run()
    whole = ["critic_estimate", "gradient_norm", "image", "loss", "pred"]
    events = (
        IterationEvents.FORWARD_COMPLETED,
        IterationEvents.LOSS_COMPLETED,
        IterationEvents.BACKWARD_COMPLETED,
    )
    assert seen == [
        *((event, ["image"]) for event in events),
        (IterationEvents.MODEL_COMPLETED, whole),
        *((event, ["image"]) for event in events),
        (IterationEvents.MODEL_COMPLETED, sorted([*whole, "generator_loss"])),
    ]


def test_estimate_and_gradient_norm_become_curves():
    one, curves = trainer(3, batches((4, 4, 3, 4, 4))), LossCurves()
    curves.attach(one)
    one.run()
    assert [row["iteration"] for row in curves.rows] == [5, 10, 15]
    for row in curves.rows:
        assert {"loss", "critic_estimate", "gradient_norm", "generator_loss"} <= row.keys()
        assert row["gradient_norm"] > 0


def test_postprocessing_runs_on_rows():
    one = trainer(1, batches((4,)), decollate=True, postprocessing=lambda row: {**row, "size": row["pred"].shape})
    one.run()
    assert [row["size"] for row in one.state.output] == [(2,)] * 4


@pytest.mark.parametrize("loader", [[MetaTensor(torch.ones(3, 2))], [{"reals": torch.ones(3, 2)}]])
def test_all_forms_of_a_batch_without_labels_are_taken(loader):
    one = trainer(1, loader)
    one.run()
    assert type(one.state.output["image"]) is torch.Tensor
    assert one.state.output["image"].shape == (3, 2)


@pytest.mark.parametrize("halves", [1, 2])
def test_resume_is_bit_for_bit_also_between_two_steps_of_the_generator(halves):
    """Epochs of 3 critic steps, the generator after each 2: a checkpoint can lie between."""
    whole = trainer(4, critic_steps=2)
    whole.run()
    half = trainer(halves, critic_steps=2)
    half.run()
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    other = small_network()
    nn.init.zeros_(other[0].weight)
    rest = trainer(4, network=other, critic_steps=2, seed=77)
    rest.load_state_dict(torch.load(file, weights_only=True))
    rest.run()
    assert (rest.state.epoch, rest.state.iteration) == (4, 12)
    assert torch.equal(weights(rest), weights(whole))
    assert torch.equal(rest.generator.get_state(), whole.generator.get_state())
    assert not torch.equal(weights(half), weights(whole))


def test_average_follows_the_network_at_its_own_steps():
    one, states = trainer(4, batches((4,)), critic_steps=2, ema_decay=0.75), []
    one.add_event_handler(
        Events.ITERATION_COMPLETED(event_filter=lambda engine, iteration: iteration % 2 == 0),
        lambda engine: states.append(one.network[0].weight.detach().clone()),
    )
    one.run()
    torch.testing.assert_close(one.average.module[0].weight.detach(), 0.75 * states[0] + 0.25 * states[1])


def test_the_penalty_leaves_mixed_precision(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)  # bfloat16 on any CPU, however slowly
    torch.manual_seed(0)
    network, critic, mixed = WGANGenerator(2, 8, features=2), WGANCritic(2, 8, features=2), []
    images = [{"image": torch.rand(3, 1, 8, 8, generator=seeded(seed))} for seed in range(4)]
    one = trainer(2, images, network, critic, latent_size=100, critic_steps=2, amp=True)
    critic.register_forward_hook(lambda *_: mixed.append(torch.is_autocast_enabled("cpu")))
    one.run()
    assert mixed == [True, False, True, False, True] * 4
    assert one.state.output["pred"].dtype == torch.float32
    assert torch.isfinite(weights(one)).all()


@pytest.mark.parametrize(("dims", "rows"), [(2, 49), (3, 2)])
def test_trains_the_patch_networks_with_the_papers_batch(dims, rows):
    torch.manual_seed(0)
    network, critic = WGANGenerator(dims, 8, features=2), WGANCritic(dims, 8, features=2)
    images = [{"image": torch.rand(size, 1, *(8,) * dims)} for size in (rows, rows, 1)]
    one = trainer(1, images, network, critic, latent_size=100, critic_steps=2, amp=True)
    before = weights(one)
    one.run()
    assert one.state.output["pred"].shape == (1, 1, *(8,) * dims)
    assert torch.isfinite(weights(one)).all()
    assert not torch.equal(before, weights(one))


def test_finds_all_modes_of_a_mixture_of_8_normal_distributions():
    """200 steps of the generator; a sample is near a mode within 4 standard deviations of its middle."""
    deviation, draws = 0.1, seeded(0)
    real = [
        {"image": ring()[torch.randint(8, (128,), generator=draws)] + deviation * torch.randn(128, 2, generator=draws)}
        for _ in range(1000)
    ]
    one = trainer(1, real, critic_steps=5, penalty_weight=1.0, ema_decay=0.9)
    start = shares(one, deviation)
    one.run()
    found = shares(one, deviation)
    assert (found > 0.03).all(), found  # of all samples; an eighth of those that are near any
    assert float(found.sum()) > 2 * float(start.sum())
    assert float(found.max() / found.min()) < 3


def shares(one: WGANGPTrainer, deviation: float) -> torch.Tensor:
    """The share of samples near each mode."""
    with torch.no_grad():
        samples = one.average.module(points(4000, seed=9, columns=LATENT))
    distance, mode = torch.cdist(samples, ring()).min(dim=1)
    return torch.bincount(mode[distance < 4 * deviation], minlength=8) / len(samples)


@pytest.mark.parametrize(("shift", "weight"), [(0.5, 10.0), (2.0, 10.0), (2.0, 100.0)])
def test_the_critics_estimate_is_the_known_distance_of_shifted_normal_distributions(shift, weight):
    """Their Wasserstein-1 distance is the shift. The soft penalty adds a bias, which is known in one dimension too.

    There `E D(x) - E D(G(z))` is the integral of `D' * (F_fake - F_real)`, of the distribution functions, and is
    greatest, less the penalty, for `D' = 1 + (F_fake - F_real) / (2 lambda density)`, with the density of the points
    of the penalty.
    """
    x = np.linspace(-6, 6 + shift, 2001)
    gap = norm.cdf(x) - norm.cdf(x - shift)
    u = (np.arange(200) + 0.5) / 200
    density = norm.pdf(x[:, None], (1 - u) * shift, np.sqrt(u**2 + (1 - u) ** 2)).mean(axis=1)
    biased = trapezoid(gap * (1 + gap / (2 * weight * density)), x)

    draws = seeded(1)
    real = [{"image": torch.randn(512, 1, generator=draws) + shift} for _ in range(100)]
    network, critic, curves = Fixed(), small_critic(1), LossCurves()
    one = trainer(
        4,
        real,
        network,
        critic,
        latent_size=1,
        penalty_weight=weight,
        critic_steps=1000,
        critic_optimizer=adam(critic, 2e-3),
    )
    curves.attach(one)
    one.run()
    estimate = curves.rows[-1]["critic_estimate"]
    assert estimate == pytest.approx(biased, rel=0.05)
    assert estimate == pytest.approx(shift, rel=0.05 + shift / (2 * weight))


def test_no_critic_step_and_no_latent_are_refused():
    with pytest.raises(InputError, match="critic_steps=0"):
        trainer(critic_steps=0)
    with pytest.raises(InputError, match="latent_size"):
        trainer(latent_size=0)
