"""The sampler on an autoencoder that is written out: a disc of blood in a wall, by radius and thickness."""

from __future__ import annotations

import pickle

import pytest
import torch
from disc_hearts import SIDE, SPACING, DiscVAE, latents
from disc_hearts import disc_sampler as sampler

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.heart_size import measure_hearts
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import InputError, LabelError, SamplingError, ShapeError
from monai_cardiacgen.inferers.heart_attributes import HeartAttributes
from monai_cardiacgen.inferers.latent_sampler import LatentSampler
from monai_cardiacgen.seeding import seeded


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


def test_conditions_are_asked_for_when_the_autoencoder_has_them_and_only_then():
    with pytest.raises(ShapeError, match=r"conditions \(40, 1\)"):
        LatentSampler(DiscVAE(condition_size=1), ACDC, SPACING, latents(), torch.zeros(40, 2), check=None)
    with pytest.raises(ShapeError, match=r"conditions \(40, 0\)"):
        sampler(conditions=torch.zeros(40, 1))


class TwoViewVAE(DiscVAE):
    """In the second of two views the cavity is 3 pixels wider, of the same latent."""

    def __init__(self):
        super().__init__(condition_size=2)

    def decode(self, latent, condition=None):
        return super().decode(latent + 3 * condition[:, 1:] * torch.tensor([1.0, 0.0]))

    def encode(self, one_hot, condition=None):
        mean, log_variance = super().encode(one_hot)
        return mean - 3 * condition[:, 1:] * torch.tensor([1.0, 0.0]), log_variance


#: Hearts of the second view lie 6 pixels further along the first axis; there are three of them to one of the first.
VIEWS = torch.tensor([[1.0, 0.0]] + [[0.0, 1.0]] * 3).repeat(10, 1)


def two_views(proposal: str = "kernel_density") -> LatentSampler:
    offsets = torch.randint(-2, 3, (40, 2), generator=seeded(1)) + (6 * VIEWS[:, 1:] * torch.tensor([1, 0])).long()
    names = HeartAttributes({}, {}, {"view": ["2CH" if one else "4CH" for one in VIEWS[:, 0].tolist()]})
    arguments = {"conditions": VIEWS, "attributes": names, "check": AnatomyCheck(ACDC)}
    return LatentSampler(TwoViewVAE(), ACDC, SPACING, 0.4 * latents(), offsets, proposal, **arguments)


def radius(label: torch.Tensor) -> torch.Tensor:
    return ((label == 3).flatten(1).sum(dim=1) / torch.pi).sqrt()


@pytest.mark.parametrize("proposal", ["kernel_density", "gaussian", "prior"])
def test_shape_and_place_of_a_drawn_heart_go_with_its_condition(proposal):
    one = two_views(proposal)
    hearts = one.sample(60, seeded(3))
    assert hearts.condition.shape == (60, 2)
    assert torch.equal(one.decode(hearts.latent, hearts.offset, hearts.condition), hearts.label)
    wide = hearts.condition[:, 1] > 0
    assert float(wide.float().mean()) == pytest.approx(0.75, abs=0.15)
    assert float(radius(hearts.label)[wide].mean() - radius(hearts.label)[~wide].mean()) == pytest.approx(3, abs=0.7)
    apart = hearts.offset[wide, 0].float().mean() - hearts.offset[~wide, 0].float().mean()
    assert float(apart) == pytest.approx(6, abs=1.5)


def test_a_view_can_be_asked_for_and_is_decoded_as_that_view():
    one = two_views()
    for view, told in (("2CH", [1.0, 0.0]), ("4CH", [0.0, 1.0])):
        hearts = one.targeted(12, seeded(4), {"view": view})
        assert hearts.condition.tolist() == [told] * 12
        assert float(radius(hearts.label).mean()) == pytest.approx(6 + 3 * told[1], abs=0.6)


def test_neighbours_stay_in_their_view_told_or_not():
    """Radius and wall of both views overlap but little, so that a map tells its view."""
    one = two_views()
    start = one.sample(10, seeded(5))
    for told in (start.condition, None):
        near = one.near(start.label, 0.01, seeded(6), told)
        if told is not None:
            assert torch.equal(near.condition, start.condition)
        assert float((near.label == start.label).float().mean()) > 0.98
        assert torch.equal(near.label, one.decode(near.latent, near.offset, near.condition))
    swapped = one.near(start.label, 0.01, seeded(6), 1 - start.condition)  # told otherwise, the latent makes up for it
    assert float((swapped.label == start.label).float().mean()) > 0.98
    assert float((swapped.latent - start.latent)[:, 0].abs().min()) > 2


def test_between_two_views_is_between_their_conditions():
    one = two_views()
    first, second = (one.targeted(6, seeded(7), {"view": view}) for view in ("2CH", "4CH"))
    between = one.between(first.label, second.label, seeded(8))
    assert bool(((between.condition >= 0) & (between.condition <= 1)).all())
    torch.testing.assert_close(between.condition.sum(dim=1), torch.ones(6))


def test_hearts_most_alike_are_of_the_same_view():
    one = two_views()
    hearts = one.sample(10, seeded(9))
    alike = one.nearest_training_hearts(hearts, 6)
    assert torch.equal(one.conditions[alike], hearts.condition[:, None].expand(-1, 6, -1))


def test_fit_encodes_each_map_under_its_condition():
    one = two_views()
    hearts = one.sample(20, seeded(10))
    told = {"view": ["2CH" if row[0] else "4CH" for row in hearts.condition.tolist()]}
    fitted = LatentSampler.fit(
        TwoViewVAE(), ACDC, SPACING, hearts.label, check=None, told=told, conditions=hearts.condition
    )
    torch.testing.assert_close(fitted.latents, hearts.latent, atol=0.4, rtol=0)  # pixels; another view is 3 off
    assert fitted.targeted(3, seeded(0), {"view": "2CH"}).condition.tolist() == [[1, 0]] * 3
    with pytest.raises(ShapeError, match="a condition for each of 20"):
        LatentSampler.fit(TwoViewVAE(), ACDC, SPACING, hearts.label, check=None, conditions=hearts.condition[:3])


@pytest.mark.parametrize("strength", [0.0, 1.5, float("nan")])
def test_other_strengths_are_refused(strength):
    with pytest.raises(InputError, match="strength"):
        sampler().near(torch.ones(1, SIDE, SIDE, dtype=torch.int64), strength, seeded(0))


def test_a_map_without_heart_is_refused():
    with pytest.raises(LabelError, match="heart"):
        sampler().near(torch.zeros(1, SIDE, SIDE, dtype=torch.int64), 0.5, seeded(0))


def asked(**changes) -> LatentSampler:
    """A sampler that knows its hearts: small cavities at end systole."""
    one = sampler(**changes)
    label = one.decode(one.latents, torch.zeros_like(one.offsets))
    sizes = measure_hearts(label, ACDC, SPACING)
    phase = ["ES" if area < 450 else "ED" for area in sizes["cavity area"].tolist()]
    told = {"phase": phase, "position": torch.linspace(0, 1, len(phase)).tolist()}
    return sampler(attributes=HeartAttributes.of(sizes, told), **changes)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("cavity area", 300.0, 350.0), ("wall thickness", 7.0, 8.0), ("share of myocardium", 0.62, 0.66)],
)
def test_hearts_are_as_asked_for(name, low, high):
    hearts = asked().targeted(8, seeded(1), {name: (low, high)})
    values = measure_hearts(hearts.label, ACDC, SPACING)[name]
    assert bool(((values >= low) & (values <= high)).all())
    assert AnatomyCheck(ACDC)(hearts.label, SPACING).valid.all()
    assert len(set(hearts.latent[:, 0].tolist())) == 8


def test_a_rare_size_is_reached_in_few_draws():
    """Of 40 training hearts none has so large a cavity; the regression leads there."""
    one = asked()
    largest = float(one.attributes.measured["cavity area"].max())
    wanted = (1.05 * largest, 1.15 * largest)
    hearts = one.targeted(10, seeded(3), {"cavity area": wanted})
    assert hearts.acceptance > 0.3


def test_two_sizes_at_once():
    hearts = asked().targeted(6, seeded(2), {"cavity area": (380, 420), "wall thickness": (5.5, 6.5)})
    sizes = measure_hearts(hearts.label, ACDC, SPACING)
    assert bool(((sizes["cavity area"] - 400).abs() <= 20).all())
    assert bool(((sizes["wall thickness"] - 6).abs() <= 0.5).all())


def test_a_category_is_that_of_the_training_heart_nearby():
    one = asked(bandwidth=1e-3)
    for phase in ("ED", "ES"):
        hearts = one.targeted(10, seeded(4), {"phase": phase})
        areas = measure_hearts(hearts.label, ACDC, SPACING)["cavity area"]
        assert bool(((areas < 450) == (phase == "ES")).float().mean() > 0.85)


def test_balanced_sampling_evens_out_what_is_rare():
    one = asked()
    areas = one.attributes.measured["cavity area"]
    low, high = torch.quantile(areas, torch.tensor([0.025, 0.975])).tolist()
    hearts = one.balanced(60, seeded(5), by="cavity area")
    drawn = measure_hearts(hearts.label, ACDC, SPACING)["cavity area"]
    counts = torch.histc(drawn, bins=5, min=low, max=high)
    before = torch.histc(areas, bins=5, min=low, max=high)
    assert int(counts.sum()) == 60
    assert float(counts.min() / counts.max()) > 2 * float(before.min() / before.max())


def test_a_target_of_a_row_depends_on_that_row_only():
    one = asked()
    targets = [{"cavity area": (300, 350)}, {"phase": "ED"}, {}]
    together = one.targeted(3, [seeded(seed) for seed in range(3)], targets)
    for seed, target in enumerate(targets):
        assert torch.equal(one.targeted(1, [seeded(seed)], target).label[0], together.label[seed])


def test_a_target_out_of_reach_says_so():
    with pytest.raises(SamplingError, match="cavity area outside its target"):
        asked(max_draws=3).targeted(1, seeded(0), {"cavity area": (20000, 30000)})


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ({"mass": (1, 2)}, "Expected a target for one of"),
        ({"phase": "MD"}, r"one of \['ED', 'ES'\] for 'phase', got 'MD'"),
        ({"phase": (1, 2)}, "for 'phase'"),
        ({"cavity area": "large"}, r"range \(low, high\) for 'cavity area'"),
        ({"cavity area": (2, 1)}, "range"),
        ({"cavity area": (float("nan"), 1)}, "range"),
    ],
)
def test_other_targets_are_refused(target, match):
    with pytest.raises(InputError, match=match):
        asked().targeted(1, seeded(0), target)


def test_without_attributes_nothing_can_be_asked_for():
    with pytest.raises(InputError, match="attributes of the training hearts"):
        sampler().targeted(1, seeded(0), {"phase": "ED"})
    with pytest.raises(InputError, match="attributes of the training hearts"):
        sampler().balanced(1, seeded(0), by="phase")
    with pytest.raises(InputError, match="to balance by, got 'mass'"):
        asked().balanced(1, seeded(0), by="mass")


def test_fit_knows_its_hearts_and_whose_they_are():
    one = sampler()
    label = one.decode(latents(6), torch.zeros(6, 2, dtype=torch.int64))
    patients = ["a", "a", "b", "b", "c", "c"]
    fitted = LatentSampler.fit(
        DiscVAE(), ACDC, SPACING, label, check=None, told={"phase": ["ED", "ES"] * 3}, patients=patients
    )
    assert set(fitted.attributes.categories) == {"phase"}
    assert torch.equal(fitted.attributes.measured["cavity area"], (label == 3).flatten(1).sum(1) * 4.0)
    with pytest.raises(InputError, match="group for each of 6 points"):
        LatentSampler.fit(DiscVAE(), ACDC, SPACING, label, check=None, patients=["a"])
    with pytest.raises(InputError, match="every attribute for every heart"):
        LatentSampler.fit(DiscVAE(), ACDC, SPACING, label, check=None, told={"phase": ["ED"]})


def test_hearts_between_two_lie_on_their_line():
    one = sampler()
    places = torch.tensor([[-4, 2]]).expand(24, -1), torch.tensor([[4, -2]]).expand(24, -1)
    first = one.decode(torch.tensor([[-1.0, 0.5]]).expand(24, -1), places[0])
    second = one.decode(torch.tensor([[1.5, -0.5]]).expand(24, -1), places[1])
    hearts = one.between(first, second, seeded(1))
    assert hearts.valid.all()
    (start, _), (end, _) = one.encode(first), one.encode(second)
    share = (hearts.latent[:, 0] - start[:, 0]) / (end[:, 0] - start[:, 0])
    assert bool(((share >= 0) & (share <= 1)).all())
    assert float(share.std()) > 0.2
    torch.testing.assert_close(hearts.latent, start + share[:, None] * (end - start))
    torch.testing.assert_close(hearts.offset[:, 0].float(), -4 + 8 * share, atol=0.51, rtol=0)


def test_rejections_are_counted_by_reason():
    one = sampler(max_draws=4)
    label = torch.zeros(1, SIDE, SIDE, dtype=torch.int64)
    label[0] = torch.roll(one.decode(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.int64))[0], 17, dims=0)
    label[0, :11] = 0
    hearts = one.near(label, 0.5, seeded(1))
    assert hearts.rejections == {"cut off at the border": 4}
    assert hearts.report() == "0 valid hearts of 1 in 4 draws (0.0% accepted); rejected for: cut off at the border 4x"


def test_no_map_at_all_is_refused():
    with pytest.raises(ShapeError, match="at least one label map"):
        sampler().near(torch.zeros(0, SIDE, SIDE, dtype=torch.int64), 0.5, seeded(0))
