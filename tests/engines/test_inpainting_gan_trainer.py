"""The trainer of the inpainting GAN: what it tells, exact resume, two ranks as one, and hidden vessels found again."""

from __future__ import annotations

import io

import inpainting_on_ranks
import pytest
import torch
from inpainting_on_ranks import small_trainer
from monai.engines import IterationEvents
from torch import nn
from wgan_on_ranks import torchrun

from monai_cardiacgen.engines import InpaintingGANTrainer
from monai_cardiacgen.engines.inpainting_gan_trainer import LOSSES
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.handlers import LossCurves
from monai_cardiacgen.inferers import ConditionalInpainter
from monai_cardiacgen.networks.nets import InpaintingGenerator, WGANCritic
from monai_cardiacgen.seeding import seeded


def weights(one: InpaintingGANTrainer) -> torch.Tensor:
    parts = (one.network, one.critic, one.average)
    return torch.cat([value.detach().flatten().double() for part in parts for value in part.state_dict().values()])


def test_its_output_has_images_masks_and_losses_and_becomes_curves():
    one, curves, seen = small_trainer(2), LossCurves(), []
    curves.attach(one)
    for event in IterationEvents:
        one.add_event_handler(event, lambda engine, event: seen.append((event, sorted(engine.state.output))), event)
    one.run()
    names = {"critic_loss", "critic_estimate", "gradient_norm", *LOSSES}
    assert set(one.state.output) == names | {"image", "label", "pred", "loss"}
    assert one.state.output["loss"] == pytest.approx(sum(one.state.output[name] for name in LOSSES))
    image, label, made = (one.state.output[key] for key in ("image", "label", "pred"))
    mask = label[:, :1]
    assert torch.equal(made[mask == 0], image[mask == 0])
    assert not torch.equal(made[mask == 1], image[mask == 1])
    assert [row["iteration"] for row in curves.rows] == [3, 6]
    assert all(names <= row.keys() for row in curves.rows)
    early = {event: keys for event, keys in seen if event != IterationEvents.MODEL_COMPLETED}
    assert list(early.values()) == [["image", "label"]] * 3


def test_resume_is_bit_for_bit():
    whole, half = small_trainer(4), small_trainer(2)
    whole.run()
    half.run()
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    rest = small_trainer(4)
    for parameter in rest.network.parameters():
        nn.init.zeros_(parameter)
    rest.load_state_dict(torch.load(file, weights_only=True))
    rest.run()
    assert torch.equal(weights(rest), weights(whole))
    assert not torch.equal(weights(half), weights(whole))


def test_two_ranks_train_as_one(tmp_path):
    torchrun(tmp_path, inpainting_on_ranks.__file__)
    expected = inpainting_on_ranks.result(small_trainer(2))
    for rank in range(2):
        found = torch.load(tmp_path / f"rank{rank}.pt", weights_only=True)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")


def test_a_hidden_disc_is_made_where_its_surroundings_say_and_as_large_as_others():
    """A bar tells the row of the hidden disc, give or take a pixel; its brightness is drawn."""

    def batch(generator: torch.Generator) -> dict[str, torch.Tensor]:
        rows = torch.randint(6, 10, (16,), generator=generator)
        off = torch.randint(-1, 2, (16,), generator=generator)
        bright = 0.5 + 0.4 * torch.rand(16, generator=generator)
        places = torch.arange(16.0)
        disc = torch.hypot(places[:, None] - (rows + off)[:, None, None], places - 8) < 2.6
        image = torch.where(disc, bright[:, None, None], 0.2)
        image[:, :, :2] = (places == rows[:, None]).float()[:, :, None]
        mask = torch.zeros(16, 16, 16, dtype=torch.bool)
        mask[:, 2:14, 4:13] = True
        return {"image": image[:, None], "label": torch.stack([mask, disc], dim=1), "rows": rows}

    draws = seeded(0)
    torch.manual_seed(0)
    network, critic = InpaintingGenerator(2, channels=(16, 16)), WGANCritic(2, 16, in_channels=2, features=4)
    optimizers = [torch.optim.Adam(one.parameters(), lr=2e-3, betas=(0.5, 0.99)) for one in (network, critic)]
    one = InpaintingGANTrainer(
        "cpu", 1, [batch(draws) for _ in range(300)], network, critic, *optimizers, adversarial=0.002, ema_decay=0.9
    )
    one.run()
    test = batch(draws)
    inpainter = ConditionalInpainter(one.average.module)
    places = torch.arange(16.0)
    for image, label, row in zip(test["image"], test["label"], test["rows"].tolist(), strict=True):
        found = inpainter(image, label[0])
        disc = (found.image[0] > 0.35) & label[0]
        assert int(disc.sum()) == pytest.approx(int(label[1].sum()), abs=3)
        assert float(disc.sum(dim=1) @ places.long() / disc.sum()) == pytest.approx(row, abs=0.75)
    # A brightness drawn evenly from a range of 0.4 is 0.1 from the middle, on average; about the disc all is 0.2.
    hidden = test["label"][:, :1].float()
    with torch.no_grad():
        expected = one.average.module(torch.cat([test["image"], hidden, torch.zeros_like(hidden)], dim=1))[:, 1]
    inner = torch.stack([row[at, 8] for row, at in zip(expected, test["rows"].tolist(), strict=True)]).mean()
    assert float(inner) == pytest.approx(0.1, abs=0.05)
    assert float(expected[:, 2, 5:12].mean()) < float(inner) / 2


def test_the_penalty_leaves_mixed_precision(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)  # bfloat16 on any CPU, however slowly
    torch.manual_seed(0)
    network, critic, mixed = InpaintingGenerator(2, channels=(2, 2)), WGANCritic(2, 8, 2, features=2), []
    critic.register_forward_hook(lambda *_: mixed.append(torch.is_autocast_enabled("cpu")))
    label = torch.zeros(3, 2, 8, 8)
    label[..., 3:6, 2:5] = 1
    optimizers = [torch.optim.SGD(one.parameters(), lr=1e-3) for one in (network, critic)]
    images = [{"image": torch.rand(3, 1, 8, 8), "label": label}] * 2
    one = InpaintingGANTrainer("cpu", 1, images, network, critic, *optimizers, amp=True)
    one.run()
    assert mixed == [True, False, True] * 2
    assert torch.isfinite(weights(one)).all()


def test_a_batch_that_hides_nothing_is_refused():
    one = small_trainer(1)
    one.data_loader = [{"image": torch.rand(2, 1, 8, 8).double(), "label": torch.zeros(2, 2, 8, 8).double()}]
    one.state.dataloader_iter = None
    with pytest.raises(InputError, match="hide none"):
        one._iteration(one, one.data_loader[0])
