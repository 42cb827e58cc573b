"""The sampler on an autoencoder that is written out: a disc of blood in a wall, by radius and thickness."""

from __future__ import annotations

import pickle

import pytest
import torch

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import InputError, LabelError, SamplingError, ShapeError
from monai_cardiacgen.inferers.latent_sampler import LatentSampler
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
from monai_cardiacgen.seeding import seeded

SIDE, SPACING = 40, (2.0, 2.0)


class DiscVAE(AnatomicalVAE):
    """Latent: the cavity's radius minus 6 and the wall's thickness minus 3, in pixels."""

    def __init__(self, spatial_dims: int = 2, condition_size: int = 0) -> None:
        super().__init__(
            spatial_dims, 4, (SIDE,) * spatial_dims, latent_size=2, channels=(2,), condition_size=condition_size
        )
        axis = torch.arange(SIDE) - (SIDE - 1) / 2
        grid = torch.meshgrid(*[axis] * spatial_dims, indexing="ij")
        self.register_buffer("distance", sum(one**2 for one in grid).sqrt())

    def decode(self, latent, condition=None):
        view = (-1, *[1] * self.spatial_dims)
        radius, wall = (6 + latent[:, 0]).view(view), (3 + latent[:, 1]).view(view)
        outer = radius + wall - self.distance
        inner = radius - self.distance
        return torch.stack((-outer, torch.full_like(outer, -99), torch.minimum(outer, -inner), inner), dim=1)

    def encode(self, one_hot, condition=None):
        area = one_hot.flatten(2).sum(dim=2)
        radius, outer = (area[:, 3] / torch.pi).sqrt(), ((area[:, 3] + area[:, 2]) / torch.pi).sqrt()
        mean = torch.stack((radius - 6, outer - radius - 3), dim=1)
        return mean, torch.zeros_like(mean)


def latents(count: int = 40) -> torch.Tensor:
    return 0.7 * torch.randn(count, 2, generator=seeded(0)).clamp(-2, 2)


def sampler(proposal="kernel_density", **changes) -> LatentSampler:
    offsets = torch.randint(-5, 6, (40, 2), generator=seeded(1))
    arguments = {"latents": latents(), "offsets": offsets, "check": AnatomyCheck(ACDC), **changes}
    return LatentSampler(DiscVAE(), ACDC, SPACING, proposal=proposal, **arguments)


@pytest.mark.parametrize("proposal", ["kernel_density", "gaussian", "prior"])
def test_hearts_are_valid_varied_and_repeat(proposal):
    one = sampler(proposal)
    hearts = one.sample(12, seeded(5))
    again = one.sample(12, seeded(5))
    assert torch.equal(hearts.label, again.label)
    assert AnatomyCheck(ACDC)(hearts.label, SPACING).valid.all()
    assert hearts.valid.all()
    assert (hearts.label == 3).flatten(1).any(dim=1).all()
    assert len({tuple(row) for row in hearts.label.flatten(1).tolist()}) > 8
    assert torch.equal(one.decode(hearts.latent, hearts.offset), hearts.label)


def test_a_row_depends_on_its_own_generator_only():
    one = sampler("gaussian", latents=latents() - torch.tensor([0.0, 2.4]))
    together = one.sample(5, [seeded(seed) for seed in range(5)])
    assert int(together.draws.max()) > 1
    for seed in range(5):
        alone = one.sample(1, [seeded(seed)])
        assert torch.equal(alone.label[0], together.label[seed])
        assert int(alone.draws) == int(together.draws[seed])


def test_shape_and_place_are_drawn_together():
    """Where large training hearts lie low, large new hearts lie low."""
    shapes = latents(80)
    offsets = torch.stack(((4 * shapes[:, 0]).round(), torch.zeros(80)), dim=1).to(torch.int64)
    for proposal in ("kernel_density", "gaussian"):
        hearts = sampler(proposal, latents=shapes, offsets=offsets).sample(40, seeded(2))
        together = torch.corrcoef(torch.stack((hearts.latent[:, 0], hearts.offset[:, 0].float())))[0, 1]
        assert float(together) > 0.7
        assert not hearts.offset[:, 1].any()


def test_no_border_cuts_a_heart():
    hearts = sampler(offsets=torch.randint(-30, 31, (40, 2), generator=seeded(3))).sample(20, seeded(4))
    rim = torch.ones(SIDE, SIDE, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    assert not hearts.label[:, rim].any()
    areas = (hearts.label == 3).flatten(1).sum(dim=1)
    expected = torch.pi * (6 + hearts.latent[:, 0]) ** 2
    torch.testing.assert_close(areas.float(), expected, rtol=0.15, atol=4)


def test_exhausted_draws_say_what_was_broken():
    thin = latents() * 0.01 + torch.tensor([0.0, -3.5])
    with pytest.raises(SamplingError, match=r"3 rows got none; most often broken: LV-background frontier \(15x\)"):
        sampler(latents=thin, max_draws=5).sample(3, seeded(0))


def test_an_empty_map_is_no_heart():
    gone = latents() * 0.01 - 9
    with pytest.raises(SamplingError, match=r"no heart \(4x\)"):
        sampler(latents=gone, max_draws=2).sample(2, seeded(0))


def test_a_heart_larger_than_its_map_is_cut():
    large = latents() * 0.01 + torch.tensor([12.0, 2.0])
    with pytest.raises(SamplingError, match="cut off at the border"):
        sampler(latents=large, max_draws=2).sample(1, seeded(0))


def test_encode_undoes_decode():
    one = sampler()
    shapes, offsets = latents(6), torch.randint(-5, 6, (6, 2), generator=seeded(8))
    label = one.decode(shapes, offsets)
    found_shapes, found_offsets = one.encode(label)
    assert torch.equal(found_offsets, offsets)
    torch.testing.assert_close(found_shapes, shapes, atol=0.3, rtol=0)


def test_fit_is_encoding_the_hearts():
    one = sampler()
    label = one.decode(latents(6), torch.randint(-5, 6, (6, 2), generator=seeded(8)))
    fitted = LatentSampler.fit(DiscVAE(), ACDC, SPACING, label, "gaussian", check=None, max_draws=7)
    assert torch.equal(fitted.latents, one.encode(label)[0])
    assert torch.equal(fitted.offsets, one.encode(label)[1])
    assert (fitted.proposal, fitted.max_draws) == ("gaussian", 7)


def test_a_near_heart_is_valid_stays_and_moves_with_strength():
    one = sampler()
    label = one.decode(torch.zeros(8, 2), torch.randint(-5, 6, (8, 2), generator=seeded(8)))
    distances = []
    for strength in (0.05, 0.5, 1.0):
        hearts = one.near(label, strength, seeded(9))
        assert hearts.valid.all()
        assert AnatomyCheck(ACDC)(hearts.label, SPACING).valid.all()
        assert torch.equal(hearts.offset, one.encode(label)[1])
        distances.append(float((hearts.latent - one.encode(label)[0]).norm(dim=1).mean()))
    assert distances == sorted(distances)
    spread = latents().std(dim=0).norm()
    assert distances[-1] == pytest.approx(float(spread), rel=0.5)


def test_a_near_heart_depends_on_its_own_generator_only():
    one = sampler()
    label = one.decode(latents(4), torch.zeros(4, 2, dtype=torch.int64))
    together = one.near(label, 1.0, [seeded(seed) for seed in range(4)])
    for seed in range(4):
        assert torch.equal(one.near(label[seed : seed + 1], 1.0, [seeded(seed)]).label[0], together.label[seed])


def test_a_heart_without_valid_neighbour_comes_back_unchanged():
    """It touches the border: nothing near it, at its place, is whole."""
    one = sampler(max_draws=3)
    label = torch.zeros(2, SIDE, SIDE, dtype=torch.int64)
    whole = one.decode(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.int64))[0]
    label[0], label[1] = torch.roll(whole, 17, dims=0), whole
    label[0, :11] = 0
    hearts = one.near(label, 0.5, seeded(1))
    assert hearts.valid.tolist() == [False, True]
    assert torch.equal(hearts.label[0], label[0])
    assert int(hearts.draws[0]) == 3
    assert not torch.equal(hearts.label[1], label[1])


def test_given_label_maps_are_left_as_they_were():
    one = sampler()
    label = one.decode(latents(2), torch.zeros(2, 2, dtype=torch.int64))
    before = label.clone()
    one.near(label, 1.0, seeded(1)).label.zero_()
    assert torch.equal(label, before)


def test_pickle_and_state_give_an_equal_sampler():
    one = sampler()
    twin = pickle.loads(pickle.dumps(one))
    other = sampler(latents=latents() + 0.5)
    other.load_state_dict(one.state_dict())
    expected = one.sample(3, seeded(1)).label
    assert torch.equal(twin.sample(3, seeded(1)).label, expected)
    assert torch.equal(other.sample(3, seeded(1)).label, expected)


def test_stays_in_evaluation_mode_without_freezing_the_autoencoder():
    one = sampler()
    one.train()
    assert not one.vae.training
    assert all(parameter.requires_grad for parameter in one.vae.parameters())
    assert not one.sample(1, seeded(0)).latent.requires_grad


def test_volumes_without_a_check():
    hearts = LatentSampler(
        DiscVAE(3), ACDC, (2.0, 2.0, 2.0), latents(), torch.zeros(40, 3, dtype=torch.int64), "gaussian", check=None
    ).sample(2, seeded(0))
    assert hearts.label.shape == (2, SIDE, SIDE, SIDE)
    assert (hearts.label == 3).flatten(1).any(dim=1).all()


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"proposal": "uniform"}, InputError, "proposals"),
        ({"max_draws": 0}, InputError, "max_draws"),
        ({"latents": torch.zeros(40, 3)}, ShapeError, r"latents \(N, 2\)"),
        ({"offsets": torch.zeros(39, 2)}, ShapeError, "offsets"),
        ({"latents": torch.zeros(1, 2), "offsets": torch.zeros(1, 2)}, ShapeError, "at least 2 hearts"),
    ],
)
def test_other_arguments_are_refused(changes, error, match):
    with pytest.raises(error, match=match):
        sampler(**changes)


def test_a_conditional_autoencoder_is_refused():
    with pytest.raises(InputError, match="without a condition"):
        LatentSampler(DiscVAE(condition_size=1), ACDC, SPACING, latents(), torch.zeros(40, 2), check=None)


@pytest.mark.parametrize("strength", [0.0, 1.5, float("nan")])
def test_other_strengths_are_refused(strength):
    with pytest.raises(InputError, match="strength"):
        sampler().near(torch.ones(1, SIDE, SIDE, dtype=torch.int64), strength, seeded(0))


def test_a_map_without_heart_is_refused():
    with pytest.raises(LabelError, match="heart"):
        sampler().near(torch.zeros(1, SIDE, SIDE, dtype=torch.int64), 0.5, seeded(0))
