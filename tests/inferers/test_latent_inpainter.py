"""Inpainting by toy generators whose answers are known, and what real networks must not be done."""

from __future__ import annotations

import pytest
import torch
from toy_generators import Bowl, Convolutions, Identity, Indifferent, Linear, Scores

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.inferers import LatentInpainter
from monai_cardiacgen.networks.nets import WGANCritic, WGANGenerator
from monai_cardiacgen.seeding import row_generators, seeded


def square(*shape: int) -> torch.Tensor:
    mask = torch.zeros(shape, dtype=torch.bool)
    mask[tuple(slice(side // 3, side // 3 + 3) for side in shape)] = True
    return mask


@pytest.mark.parametrize("shape", [(2, 8, 9), (1, 6, 7, 5)])
def test_hidden_pixels_of_a_linear_generator_are_found(shape):
    network = Linear(5, shape)
    truth = torch.tensor([[0.5, -2.5, 1.0, 0.2, -0.7]], dtype=torch.float64)  # beyond [-1, 1] too
    whole = network(truth)[0].detach()
    mask = square(*shape[1:])
    hidden = torch.where(mask, 0.1, whole)
    inpainter = LatentInpainter(network, Indifferent(), 5, starts=4, candidates=7, prior_weight=0, steps=3000)
    found = inpainter(hidden, mask, seeded(0))
    torch.testing.assert_close(found.images, whole.expand(4, *shape), atol=0.01, rtol=0)
    torch.testing.assert_close(found.latents, truth.expand(4, 5), atol=0.05, rtol=0)
    assert torch.equal(found.images[..., ~mask], whole[:, ~mask].expand(4, -1, -1))
    assert torch.equal(found.image, found.images[found.best])
    assert found.region.shape == (shape[0], *(3,) * (len(shape) - 1))
    assert torch.equal(found.region.flatten(1), found.image[:, mask])
    torch.testing.assert_close(found.anomaly, torch.where(mask, (whole - 0.1).abs(), 0.0), atol=0.01, rtol=0)


def test_the_loss_has_the_minimum_that_its_formula_has():
    """G(z) = z: a known pixel is its own value or soft-thresholded; a hidden one balances critic and prior."""
    shape, centre, weight, prior = (1, 4, 4), 0.8, 0.25, 0.9
    mask = square(4, 4) & (torch.arange(16).reshape(4, 4) % 2 == 0)
    y = torch.rand(shape, generator=seeded(1), dtype=torch.float64)
    inpainter = LatentInpainter(
        Identity(shape),
        Bowl(centre),
        16,
        starts=2,
        candidates=3,
        perceptual_weight=weight,
        prior_weight=prior,
        steps=6000,
        learning_rate=0.02,
        tolerance=1e-5,
    )
    found = inpainter(y, mask, seeded(0))
    z = torch.linspace(-0.5, 1.5, 20001, dtype=torch.float64)
    known = int((~mask).sum())
    for place in torch.cartesian_prod(torch.arange(4), torch.arange(4)).tolist():
        row, column = place
        near = weight / 2 * (z - centre) ** 2 + prior / 2 * z**2 / 16
        if not mask[row, column]:
            near = near + (z - y[0, row, column]).abs() / known
        expected = z[near.argmin()]  # no pixel enters the others' terms
        assert abs(found.generated[found.best, 0, row, column] - expected) < 0.01


def test_a_start_does_not_depend_on_the_others():
    generators = row_generators(seeded(3), 4)
    image, mask = torch.rand(1, 8, 8, generator=seeded(4)), square(8, 8)
    settings = {"latent_size": 6, "candidates": 5, "steps": 60, "window": 5}
    states = [one.get_state() for one in generators]
    together = LatentInpainter(Convolutions(), Scores(), starts=4, **settings)(image, mask, generators)
    assert len(together.steps.unique()) > 1  # some end before others
    for row, state in enumerate(states):
        generators[row].set_state(state)
        alone = LatentInpainter(Convolutions(), Scores(), starts=1, **settings)(image, mask, [generators[row]])
        torch.testing.assert_close(together.latents[row], alone.latents[0], atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(together.images[row], alone.image, atol=1e-3, rtol=0)


def test_same_seed_same_result_and_the_best_candidate_is_taken():
    image, mask = torch.rand(1, 8, 8, generator=seeded(4)), square(8, 8)
    inpainter = LatentInpainter(Convolutions(), Scores(), 6, starts=3, candidates=9, steps=5)
    first, again, other = (inpainter(image[None], mask[None, None], seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.latents, again.latents)
    assert not torch.equal(first.latents, other.latents)
    for row, draws in enumerate(row_generators(seeded(1), 3)):
        candidates = torch.randn(9, 6, generator=draws)
        away = (inpainter.decode(candidates) - image).abs()[:, :, ~mask].mean(dim=(1, 2))
        assert torch.equal(first.path[row, 0], candidates[away.argmin()])


def test_networks_come_back_as_they_went():
    network, critic = Convolutions(), Scores()
    network.layers[2].eval()
    network.first.bias.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    image, mask = torch.rand(1, 8, 8), square(8, 8)
    LatentInpainter(network, critic, 6, starts=2, steps=4)(image, mask, seeded(0))
    assert [part.training for part in network.layers] == [True, True, False, True, True]
    assert critic.training
    for network_ in (network, critic):
        learning = {name: weight.requires_grad for name, weight in network_.named_parameters()}
        assert learning.pop("first.bias", False) is False
        assert all(learning.values())
        assert all(weight.grad is None for weight in network_.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    with pytest.raises(ShapeError):
        LatentInpainter(network, critic, 6)(image[:, :4], mask[:4], seeded(0))
    assert network.training


def test_blending_joins_without_a_seam():
    network = Linear(1, (1, 12, 12))
    with torch.no_grad():
        network.a.fill_(0.1)  # flat images only
    image = torch.linspace(0.2, 0.8, 12, dtype=torch.float64).expand(1, 12, 12)
    mask = square(12, 12)
    settings = {"latent_size": 1, "starts": 2, "steps": 200, "prior_weight": 0}
    pasted = LatentInpainter(network, Indifferent(), **settings)(image, mask, seeded(0))
    blended = LatentInpainter(network, Indifferent(), **settings, blending="poisson")(image, mask, seeded(0))
    assert pasted.anomaly.max() > 0.03
    torch.testing.assert_close(blended.image, image, atol=1e-9, rtol=0)  # the only image without gradients inside
    assert torch.equal(blended.image[:, ~mask], image[:, ~mask])


def test_a_planted_lesion_lights_up_and_nothing_else():
    network = Linear(5, (1, 16, 16))
    draws = seeded(7)
    healthy = network(torch.randn(1, 5, generator=draws, dtype=torch.float64))[0].detach()
    healthy = healthy + 0.01 * torch.randn(healthy.shape, generator=draws, dtype=torch.float64)
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[5:12, 5:12] = True
    lesion = torch.zeros_like(mask)
    lesion[7:9, 8:11] = True
    inpainter = LatentInpainter(network, Indifferent(), 5, starts=5, steps=1500)
    unchanged = inpainter(healthy, mask, seeded(0))
    diseased = inpainter(healthy + 0.3 * lesion, mask, seeded(0))
    assert torch.equal(unchanged.image, diseased.image)  # the lesion is hidden from the search
    assert unchanged.z_score.max() < 5
    assert diseased.z_score[0, lesion].min() > 15
    assert torch.equal(diseased.z_score[0, ~lesion], unchanged.z_score[0, ~lesion])
    assert 0.008 < diseased.misfit < 0.012  # the noise that no latent makes
    assert not diseased.z_score[0, ~mask].any()


def test_the_spread_over_starts_is_the_deviation_of_the_score():
    """Hidden pixels that nothing pulls stay where each start has them."""
    network, mask = Identity((1, 6, 6)), square(6, 6)
    image = torch.full((1, 6, 6), 0.5, dtype=torch.float64)
    inpainter = LatentInpainter(network, Indifferent(), 36, starts=40, candidates=1, prior_weight=0, steps=2000)
    found = inpainter(image, mask, seeded(0))
    assert 0.7 < found.spread[0, mask].mean() < 1.3  # of N(0, 1)
    assert not found.spread[0, ~mask].any()
    expected = found.images.numpy().std(axis=0)
    torch.testing.assert_close(found.spread, torch.from_numpy(expected))
    torch.testing.assert_close(found.z_score[0, mask], found.anomaly[0, mask] / found.spread[0, mask])
    exact = LatentInpainter(network, Bowl(0.5), 36, starts=3, perceptual_weight=1.0, prior_weight=0, floor=0.04)
    found = exact(image + 0.2 * mask, mask, seeded(0))
    torch.testing.assert_close(found.z_score[0, mask].mean().item(), 5.0, atol=0.3, rtol=0)  # 0.2 over the floor


def test_the_networks_of_the_package_fit():
    generator, critic = WGANGenerator(2, patch_size=16, features=4), WGANCritic(2, patch_size=16, features=4)
    image = generator(torch.randn(1, 100, generator=seeded(0)))[0].detach()
    found = LatentInpainter(generator, critic, starts=2, candidates=3, steps=10)(image, square(16, 16), seeded(0))
    assert (found.losses < found.trace[:, 0]).all()
    assert found.image.shape == (1, 16, 16)


def test_bad_input_is_refused():
    inpainter = LatentInpainter(Convolutions(), Scores(), 6, starts=2, steps=2)
    image, mask = torch.rand(1, 8, 8), square(8, 8)
    with pytest.raises(ShapeError, match="one by one"):
        inpainter(image[None].expand(2, 1, 8, 8), mask, seeded(0))
    with pytest.raises(ShapeError, match=r"\(1, 8, 8\)"):
        inpainter(image[:, :7], mask, seeded(0))
    with pytest.raises(ShapeError, match="mask"):
        inpainter(image, mask[:7], seeded(0))
    with pytest.raises(InputError, match="bool mask"):
        inpainter(image, mask.float(), seeded(0))
    with pytest.raises(InputError, match="empty"):
        inpainter(image, torch.zeros_like(mask), seeded(0))
    with pytest.raises(InputError, match="covers all"):
        inpainter(image, torch.ones_like(mask), seeded(0))
    with pytest.raises(IntensityError, match="NaN"):
        inpainter(torch.full_like(image, torch.nan), mask, seeded(0))
    with pytest.raises(InputError, match="one generator for each of 2"):
        inpainter(image, mask, [seeded(0)])
    for wrong in ({"starts": 0}, {"prior_weight": -1}, {"floor": 0}, {"blending": "feather"}):
        with pytest.raises(InputError, match="Expected"):
            LatentInpainter(Convolutions(), Scores(), 6, **wrong)


def test_pixels_near_the_mask_count_more_by_the_formula():
    mask = torch.zeros(9, 9, dtype=torch.bool)
    mask[4, 4] = True
    near = LatentInpainter(Identity((1, 9, 9)), Indifferent(), 81, near=2.0)
    rows, columns = torch.meshgrid(torch.arange(9.0) - 4, torch.arange(9.0) - 4, indexing="ij")
    expected = torch.where(mask, 0.0, (-torch.hypot(rows, columns) / 2).exp() + 0.1)
    torch.testing.assert_close(near.weights(mask), expected)
    image, generated = torch.zeros(1, 9, 9), torch.rand(3, 1, 9, 9, generator=seeded(0))
    weighted = (generated[:, 0] * expected).sum(dim=(1, 2)) / expected.sum()
    torch.testing.assert_close(near.contextual_loss(generated, image, mask), weighted)
    # Of a constant difference the weights do not matter.
    torch.testing.assert_close(near.contextual_loss(image[None] + 0.3, image, mask), torch.tensor([0.3]))


@pytest.mark.parametrize("near", [0.0, -1.0, float("nan")])
def test_a_distance_that_is_not_positive_is_refused(near):
    with pytest.raises(InputError, match="near"):
        LatentInpainter(Identity((1, 4, 4)), Indifferent(), 16, near=near)


def test_with_contrast_a_dull_scan_of_a_known_anatomy_is_found():
    network, shape = Linear(5, (1, 8, 9)), (1, 8, 9)
    whole = network(torch.tensor([[0.5, -2.5, 1.0, 0.2, -0.7]], dtype=torch.float64))[0].detach()
    mask, dull = square(8, 9), 0.3 * whole + 5  # no latent of a prior with mean 0 draws the offset
    found, without = (
        LatentInpainter(
            network, Indifferent(), 5, starts=3, candidates=7, prior_weight=0, steps=500, contrast=contrast
        )(torch.where(mask, 0.1, dull), mask, seeded(0))
        for contrast in (True, False)
    )
    torch.testing.assert_close(found.image, dull.expand(shape), atol=0.05, rtol=0)
    assert float((without.image - dull).abs().max()) > 0.5
