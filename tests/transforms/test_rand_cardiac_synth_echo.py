"""The transform with a synthesizer of apical echo: view and phase are told, the sector is a class, outside is black."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from monai.data import MetaTensor, list_data_collate
from small_hearts import VIEWS, hearts, in_sectors, sector_synthesizer

from monai_cardiacgen.data import ultrasound_sector
from monai_cardiacgen.errors import InputError, SpacingError
from monai_cardiacgen.transforms import RandCardiacSynth, RandCardiacSynthd
from monai_cardiacgen.transforms.provenance import META_KEY

KEYS = ("image", "label")
MODES = ("new", "vary", "restyle")


@pytest.fixture(scope="module")
def synthesizer():
    return sector_synthesizer(heart_condition=VIEWS)


def sample(number=0, size=(32, 32), spacing=(2.0, 2.0), view="4CH", padding=0):
    """A sample of the phantom echo in CAMUS's codes; `size` pixels of the 32 x 32 pixels of 2 mm, then padding."""
    images, labels = hearts(6, seed=5)
    sectors, _ = in_sectors(labels[:, 0])
    image = (images.clamp_min(0.02) * sectors[:, None])[number][None]
    mask, label = sectors[number][None, None].float(), labels[number][None].float()
    image, mask, label = (F.interpolate(one, size, mode="nearest")[0] for one in (image, mask, label))
    image, mask, label = (F.pad(one, [padding] * 4) for one in (image, mask, label))
    meta = {"affine": torch.diag(torch.tensor([*spacing, 1.0, 1.0], dtype=torch.float64)), "original_affine": 0}
    return {
        "image": MetaTensor(200 * image + 10, meta=dict(meta)),
        "label": MetaTensor(label.to(torch.int64), meta=dict(meta)),
        "view": view,
    }


def synthd(synthesizer, mode, seed=0):
    return RandCardiacSynthd(KEYS, synthesizer, 1.0, mode, intensity_range=(10, 210)).set_random_state(seed)


def told_in(synthesizer, monkeypatch):
    told, paint = [], synthesizer.generator.forward
    monkeypatch.setattr(synthesizer.generator, "forward", lambda *given: (told.append(given[3]), paint(*given))[1])
    return told


@pytest.mark.parametrize("mode", MODES)
def test_the_painter_is_told_the_samples_own_view(synthesizer, monkeypatch, mode):
    told = told_in(synthesizer, monkeypatch)
    for view in ("2CH", "4CH"):
        one = sample(view=view)
        result = synthd(synthesizer, mode)(one)
        assert result["view"] == view
        expected = VIEWS.encode([one])
        assert torch.equal(told.pop(), expected)
        # The same from the metadata alone, and as an argument.
        of_meta = MetaTensor(one["image"].as_tensor(), meta={**one["image"].meta, "view": view})
        array_form = RandCardiacSynth(synthesizer, 1.0, mode, intensity_range=(10, 210))
        for image, words in ((of_meta, None), (one["image"], {"view": view})):
            made = array_form.set_random_state(0)(image, one["label"], words)[0]
            assert torch.equal(made.as_tensor(), result["image"].as_tensor())
            assert torch.equal(told.pop(), expected)


def test_rows_of_a_batch_are_told_their_own(synthesizer, monkeypatch):
    told = told_in(synthesizer, monkeypatch)
    items = [sample(number, view=("2CH", "4CH", "4CH")[number]) for number in range(3)]
    image, label = synthd(synthesizer, "restyle").prepare_batch()(list_data_collate(items))
    assert torch.equal(told[0], VIEWS.encode(items))
    assert image.shape == (3, 1, 32, 32)
    assert torch.equal(label.as_tensor(), torch.stack([one["label"].as_tensor() for one in items]))


@pytest.mark.parametrize("mode", MODES)
def test_remade_from_the_record_it_is_the_same_case(synthesizer, mode):
    one, transform = sample(), synthd(synthesizer, mode)
    made = transform(one)
    again = transform.remake(one, made["image"].meta[META_KEY])
    assert torch.equal(made["image"].as_tensor(), again["image"].as_tensor())


def test_a_sample_that_does_not_tell_its_view_is_refused(synthesizer):
    one = sample()
    del one["view"]
    with pytest.raises(InputError, match=r"\('2CH', '4CH'\) as 'view'.*got None; keep 'view'.*condition="):
        synthd(synthesizer, "new")(one)
    with pytest.raises(InputError, match="got 'PLAX'"):
        synthd(synthesizer, "new")({**one, "view": "PLAX"})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "grid",
    [
        {},
        {"size": (64, 64), "spacing": (1.0, 1.0)},
        {"size": (40, 24), "spacing": (1.6, 2.6667)},
        {"size": (64, 64), "spacing": (1.0, 1.0), "padding": 9},
    ],
    ids=["the synthesizer's", "finer", "stretched", "larger"],
)
def test_outside_of_the_sector_it_stays_black_on_any_grid(synthesizer, mode, grid):
    for number in range(3):
        one = sample(number, **grid)
        made = synthd(synthesizer, mode, seed=number)(one)
        image, label = made["image"].as_tensor(), made["label"].as_tensor()
        assert image.shape == one["image"].shape
        assert set(label.unique().tolist()) == {0, 1, 2, 3}  # without a sector, as it came
        changed = image != one["image"].as_tensor()
        swept = ultrasound_sector(one["image"].as_tensor()[None])
        if mode == "new":
            found = ultrasound_sector(image[None])[0]
            assert bool((image[0][~found] == 10).all())
            assert 0.3 < float(found.float().mean()) / float(swept.float().mean()) < 3
        else:
            assert not bool(changed[~swept].any())
        if mode == "restyle":
            assert torch.equal(label, one["label"].as_tensor())
            assert float(changed[swept].float().mean()) > 0.95
        if mode == "vary":
            assert 0 < float(changed[swept].float().mean()) < 0.98
            assert not torch.equal(label, one["label"].as_tensor())


def test_the_sector_that_is_painted_is_the_images(synthesizer, monkeypatch):
    maps, paint = [], synthesizer.generator.forward
    monkeypatch.setattr(synthesizer.generator, "forward", lambda *given: (maps.append(given[0]), paint(*given))[1])
    one = sample(size=(64, 64), spacing=(1.0, 1.0))
    synthd(synthesizer, "restyle")(one)
    _, expected = in_sectors(hearts(6, seed=5)[1][:1, 0])
    painted = synthesizer.scheme.from_one_hot(maps[0])
    assert float((painted == expected).float().mean()) > 0.95


def test_a_label_with_the_sector_comes_out_with_it_and_the_image_is_the_same(synthesizer):
    one = sample()
    _, with_sector = in_sectors(hearts(6, seed=5)[1][:1, 0])
    other = {**one, "label": MetaTensor(with_sector, meta=dict(one["label"].meta))}
    plain, sectored = (synthd(synthesizer, "vary")(each) for each in (one, other))
    assert torch.equal(plain["image"].as_tensor(), sectored["image"].as_tensor())
    assert torch.equal(plain["label"].as_tensor(), sectored["label"].as_tensor() % 4)
    assert 4 in sectored["label"].as_tensor()


def test_a_frame_without_a_heart_stays_real_under_vary(synthesizer):
    one = sample()
    one["label"] = torch.zeros_like(one["label"])
    made = synthd(synthesizer, "vary")(one)
    assert torch.equal(made["image"].as_tensor(), one["image"].as_tensor())
    assert not made["image"].meta[META_KEY]["synthetic"]


def test_a_sector_larger_than_the_synthesizers_field_of_view_is_refused(synthesizer):
    one = sample(size=(64, 64), spacing=(1.5, 1.5))
    with pytest.raises(SpacingError, match=r"ultrasound sector and its heart within.*64 x 64 mm"):
        synthd(synthesizer, "restyle")(one)
