"""The anatomical autoencoder: its formula, its condition, its refusals."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.seeding import seeded


def small(condition_size: int = 0) -> AnatomicalVAE:
    torch.manual_seed(0)
    return AnatomicalVAE(2, 4, (16, 32), latent_size=5, channels=(8, 16), condition_size=condition_size).eval()


def maps(batch: int = 2) -> torch.Tensor:
    return torch.rand(batch, 4, 16, 32, generator=seeded(0))


def test_defaults_are_the_published_ones():
    vae = AnatomicalVAE(2, 4, (256, 256))
    strided = [m for m in vae.encoder.modules() if isinstance(m, torch.nn.Conv2d) and m.stride == (2, 2)]
    assert [conv.out_channels for conv in strided] == [48, 96, 192, 384]
    assert vae.mean.in_features == 48 * 16 * 16
    assert vae.mean.out_features == 16


def test_forward_is_the_reparameterised_decoding():
    vae, one_hot = small(), maps()
    noise = torch.randn(2, 5, generator=seeded(1))
    mean, log_variance = vae.encode(one_hot)
    expected = vae.decode(
        torch.distributions.Normal(mean, log_variance.exp().sqrt()).icdf(torch.special.ndtr(noise.double())).float()
    )
    torch.testing.assert_close(vae(one_hot, noise=noise), expected, rtol=1e-3, atol=1e-4)
    assert torch.equal(vae(one_hot), vae.decode(mean))


def test_condition_reaches_both_halves():
    vae, one_hot = small(condition_size=2), maps()
    low, high = torch.zeros(2, 2), torch.ones(2, 2)
    assert not torch.equal(vae.encode(one_hot, low)[0], vae.encode(one_hot, high)[0])
    latent = torch.zeros(2, 5)
    assert not torch.equal(vae.decode(latent, low), vae.decode(latent, high))


@pytest.mark.parametrize(
    ("condition_size", "condition"),
    [(0, torch.zeros(2, 1)), (2, None), (2, torch.zeros(2, 3)), (2, torch.zeros(1, 2))],
)
def test_other_conditions_are_refused(condition_size, condition):
    with pytest.raises(ShapeError, match="condition"):
        small(condition_size).encode(maps(), condition)


def test_another_size_is_refused():
    with pytest.raises(ShapeError, match=r"\(16, 32\)"):
        small().encode(torch.rand(1, 4, 32, 32))


def test_another_latent_is_refused():
    with pytest.raises(ShapeError, match="latents"):
        small().decode(torch.zeros(2, 4))


def test_an_indivisible_size_is_refused_when_built():
    with pytest.raises(ShapeError, match="multiple of 16"):
        AnatomicalVAE(2, 4, (100, 96))


@pytest.mark.parametrize(("size", "channels"), [((16, 16, 16), (8,)), ((16, 16), ())])
def test_other_arguments_are_refused(size, channels):
    with pytest.raises(InputError, match="level"):
        AnatomicalVAE(2, 4, size, channels=channels)


def test_pooling_averages_blocks_and_interpolates_back_with_the_same_weights():
    plain = small()
    pooled = AnatomicalVAE(2, 4, (32, 64), latent_size=5, channels=(8, 16), pooling=2).eval()
    pooled.load_state_dict(plain.state_dict())
    one_hot = torch.rand(2, 4, 32, 64, generator=seeded(0))
    blocks = one_hot.unflatten(3, (32, 2)).unflatten(2, (16, 2)).mean(dim=(3, 5))
    for found, expected in zip(pooled.encode(one_hot), plain.encode(blocks), strict=True):
        torch.testing.assert_close(found, expected)
    latent = torch.randn(2, 5, generator=seeded(1))
    fine, coarse = pooled.decode(latent), plain.decode(latent)
    assert fine.shape == (2, 4, 32, 64)
    # A quarter of a block from its own block's middle, three quarters from the next one's: twice, along both axes.
    expected = 0.75 * (0.75 * coarse[..., 4, 7] + 0.25 * coarse[..., 4, 8]) + 0.25 * (
        0.75 * coarse[..., 5, 7] + 0.25 * coarse[..., 5, 8]
    )
    torch.testing.assert_close(fine[..., 9, 15], expected)
    with pytest.raises(ShapeError):
        AnatomicalVAE(2, 4, (36, 64), channels=(8, 16), pooling=2)
    with pytest.raises(InputError, match="pooling"):
        AnatomicalVAE(2, 4, (16, 32), channels=(8, 16), pooling=0)
