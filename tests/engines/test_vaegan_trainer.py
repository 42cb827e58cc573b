"""Both halves in one run."""

from __future__ import annotations

import io

import pytest
import torch
from monai.data import DataLoader, Dataset
from small_hearts import hearts, tiny_gan, tiny_vae

from monai_cardiacgen.anatomy.placement import centre_heart
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines.vaegan_trainer import VAEGANTrainer
from monai_cardiacgen.errors import CheckpointError
from monai_cardiacgen.losses import DiffAugment


def trainer(max_epochs: int, label=None, augment=None, **changes) -> VAEGANTrainer:
    image, given = hearts(8)
    label = given if label is None else label
    gan, vae = tiny_gan(augment=augment), tiny_vae()
    painters = [*gan.generator.parameters(), *gan.style_encoder.parameters()]
    slices = [{"image": one, "label": other} for one, other in zip(image, label, strict=True)]
    return VAEGANTrainer(
        device="cpu",
        max_epochs=max_epochs,
        train_data_loader=DataLoader(Dataset(slices), batch_size=4),
        vae=vae,
        vae_optimizer=torch.optim.Adam(vae.parameters(), lr=1e-2),
        gan=gan,
        generator_optimizer=torch.optim.Adam(painters, lr=1e-3),
        discriminator_optimizer=torch.optim.Adam(gan.discriminator.parameters(), lr=1e-3),
        scheme=ACDC,
        **changes,
    )


def weights(one: VAEGANTrainer) -> list[torch.Tensor]:
    return [*one.vae.state_dict().values(), *one.gan.state_dict().values(), *one.gan_average.state_dict().values()]


def test_shape_model_learns_the_centred_hearts():
    one = trainer(30)
    one.run()
    _, label = hearts(8)
    centred, _ = centre_heart(label[:, 0])
    with torch.no_grad():
        found = one.vae.eval()(ACDC.one_hot(centred)).argmax(dim=1)
    foreground = (centred > 0) | (found > 0)
    assert float((found == centred)[foreground].float().mean()) > 0.85
    assert {"vae", "discriminator", "adversarial", "loss"} <= set(one.state.output)


@pytest.mark.parametrize("augment", [None, DiffAugment(2)])
def test_resume_is_bit_for_bit_through_a_safe_file(augment):
    whole = trainer(3, augment=augment)
    whole.run()
    half = trainer(1, augment=augment)
    half.run()
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    rest = trainer(3, augment=augment)
    rest.load_state_dict(torch.load(file, weights_only=True))
    rest.run()
    assert rest.state.iteration == whole.state.iteration == 6
    for one, other in zip(weights(rest), weights(whole), strict=True):
        assert torch.equal(one, other)


def test_slices_without_a_heart_leave_the_shape_model_alone():
    one = trainer(1, label=torch.zeros(8, 1, 32, 32, dtype=torch.int64))
    before = [parameter.detach().clone() for parameter in one.vae.parameters()]
    one.run()
    assert "vae" not in one.state.output
    for parameter, old in zip(one.vae.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_the_average_follows_the_weights_slowly():
    one = trainer(2, ema_decay=0.9)
    one.run()
    pairs = list(zip(one.gan.generator.parameters(), one.gan_average.module.generator.parameters(), strict=True))
    assert any(not torch.equal(live, slow) for live, slow in pairs)


def test_state_of_another_trainer_is_refused():
    one = trainer(1)
    with pytest.raises(CheckpointError, match="of another trainer"):
        one.load_state_dict({"training": {"epoch": 1}})
