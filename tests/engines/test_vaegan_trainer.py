"""Both halves in one run."""

from __future__ import annotations

import io

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset
from monai.handlers.utils import from_engine
from small_hearts import hearts, tiny_gan, tiny_vae

from monai_cardiacgen.anatomy.placement import centre_heart
from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, CAMUS_SECTOR
from monai_cardiacgen.engines.spade_gan import SPADEGAN
from monai_cardiacgen.engines.vaegan_trainer import VAEGANTrainer
from monai_cardiacgen.errors import CheckpointError, LabelError, ShapeError
from monai_cardiacgen.losses import DiffAugment
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.networks.nets.multiscale_discriminator import MultiscaleDiscriminator
from monai_cardiacgen.networks.nets.spade_generator import SPADEGenerator
from monai_cardiacgen.networks.nets.style_encoder import StyleEncoder


def trainer(
    max_epochs: int, label=None, augment=None, vae=None, gan=None, conditions=None, scheme=ACDC, **changes
) -> VAEGANTrainer:
    image, given = hearts(8)
    label = given if label is None else label
    gan, vae = gan or tiny_gan(augment=augment), vae or tiny_vae()
    painters = [*gan.generator.parameters(), *gan.style_encoder.parameters()]
    slices = [{"image": one, "label": other} for one, other in zip(image, label, strict=True)]
    if conditions is not None:
        slices = [{**one, "condition": told} for one, told in zip(slices, conditions, strict=True)]
    return VAEGANTrainer(
        device="cpu",
        max_epochs=max_epochs,
        train_data_loader=DataLoader(Dataset(slices), batch_size=4),
        vae=vae,
        vae_optimizer=torch.optim.Adam(vae.parameters(), lr=1e-2),
        gan=gan,
        generator_optimizer=torch.optim.Adam(painters, lr=1e-3),
        discriminator_optimizer=torch.optim.Adam(gan.discriminator.parameters(), lr=1e-3),
        scheme=scheme,
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


CONDITIONS = torch.eye(3)[torch.arange(8) % 3]


def conditional(max_epochs: int, conditions=CONDITIONS, **changes) -> VAEGANTrainer:
    torch.manual_seed(1)
    vae = AnatomicalVAE(2, 4, (32, 32), latent_size=4, channels=(16, 32), condition_size=3)
    return trainer(max_epochs, vae=vae, conditions=conditions, **changes)


def test_conditional_shape_model_is_told_the_condition_of_each_heart():
    _, label = hearts(8)
    label[::3] = 0  # without a heart: 0, 3 and 6 train the painter alone
    one, told = conditional(1, label=label), []
    encode = one.vae.encode
    one.vae.encode = lambda one_hot, condition=None: (told.append(condition), encode(one_hot, condition))[1]
    one.run()
    assert torch.equal(torch.cat(told), CONDITIONS[[1, 2, 4, 5, 7]])
    assert "vae" in one.state.output


def test_conditional_painter_is_told_the_condition_of_every_slice():
    one, told = conditional(1, gan=tiny_gan(condition_size=3)), []
    paint = one.gan.generator.forward
    one.gan.generator.forward = lambda *given: (told.append(given[3]), paint(*given))[1]
    one.run()
    assert torch.equal(torch.cat(told), CONDITIONS)


@pytest.mark.parametrize("painter", [0, 3])
def test_conditional_training_goes_on_bit_for_bit(painter):
    whole, half, rest = (conditional(epochs, gan=tiny_gan(condition_size=painter)) for epochs in (2, 1, 2))
    whole.run()
    half.run()
    rest.load_state_dict(half.state_dict())
    rest.run()
    for one, other in zip(weights(rest), weights(whole), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("conditions", [None, CONDITIONS[:, :2]])
def test_missing_or_unfit_condition_is_refused(conditions):
    one = conditional(1, conditions=conditions)
    one.logger.disabled = True
    with pytest.raises(ShapeError, match="EncodeHeartConditiond"):
        one.run()


def test_shape_model_learns_the_heart_without_the_sector_that_the_painter_sees():
    _, label = hearts(8)
    in_sector = label.clone()
    in_sector[:, :, 2:30, 1:31] = torch.where(label == 0, 4, label)[:, :, 2:30, 1:31]
    with pytest.raises(LabelError, match="heart alone"):
        trainer(1, label=in_sector, scheme=CAMUS_SECTOR)
    torch.manual_seed(2)
    gan = SPADEGAN(
        SPADEGenerator(2, 5, channels=(8, 8, 8), hidden_channels=8, style_size=6, start_size=(8, 8)),
        StyleEncoder(2, channels=(8, 8, 8), style_size=6, end_size=(4, 4)),
        MultiscaleDiscriminator(2, 6, channels=(8, 8), scales=2),
    )
    seen, painted = [], []
    one = trainer(1, label=in_sector, gan=gan, scheme=CAMUS_SECTOR, shape_scheme=CAMUS)
    encode, paint = one.vae.encode, one.gan.generator.forward
    one.vae.encode = lambda one_hot, condition=None: (seen.append(one_hot), encode(one_hot, condition))[1]
    one.gan.generator.forward = lambda one_hot, *rest: (painted.append(one_hot), paint(one_hot, *rest))[1]
    one.run()
    assert torch.equal(torch.cat(seen), CAMUS.one_hot(centre_heart(label[:, 0])[0]))
    assert torch.equal(torch.cat(painted), CAMUS_SECTOR.one_hot(in_sector[:, 0]))


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


def test_decollated_outputs_are_what_monai_handlers_read():
    """MONAI's trackers take the loss of the first row, and find one number there."""
    read = []
    one = trainer(1, decollate=True)
    one.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda engine: read.append((from_engine(["loss"], first=True)(engine.state.output), len(engine.state.output))),
    )
    one.run()
    plain = trainer(1)
    losses = []
    plain.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output["loss"]))
    plain.run()
    assert read == [(loss, 4) for loss in losses]
    assert all(isinstance(loss, float) for loss in losses)
