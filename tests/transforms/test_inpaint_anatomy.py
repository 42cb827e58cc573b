"""The inpainting transform: types and metadata, where the mask comes from, and the maps beside the image."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose
from toy_generators import Indifferent, Linear

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.inferers import LatentInpainter, box_mask
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms import InpaintAnatomy, InpaintAnatomyd

SIZE = (16, 16)


def inpainter() -> LatentInpainter:
    return LatentInpainter(
        Linear(4, (1, *SIZE)).float(), Indifferent(), 4, starts=3, candidates=5, steps=600, prior_weight=0
    )


def healthy() -> torch.Tensor:
    return Linear(4, (1, *SIZE)).float()(torch.randn(1, 4, generator=seeded(5)))[0].detach()


def diseased() -> torch.Tensor:
    image = healthy()
    image[0, 7:9, 7:9] += 0.3
    return image


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_images_come_out_in_their_type(dtype):
    made = InpaintAnatomy(inpainter(), mask_size=5)(diseased().numpy().astype(dtype))
    assert isinstance(made, np.ndarray)
    assert made.dtype == dtype
    np.testing.assert_allclose(made, healthy().numpy(), atol=0.02)
    plain = InpaintAnatomy(inpainter(), mask_size=5)(diseased())
    assert type(plain) is torch.Tensor
    known = ~box_mask(SIZE, 5)
    assert torch.equal(plain[:, known], diseased()[:, known])


def test_metadata_is_kept_and_tells_what_was_done():
    affine = torch.diag(torch.tensor([1.5, 1.5, 8.0, 1.0], dtype=torch.float64))
    given = MetaTensor(diseased(), affine=affine, meta={"patient": "p1"})
    transform = Compose([InpaintAnatomyd("image", inpainter(), mask_size=5)]).set_random_state(seed=3)
    found = transform({"image": given, "other": 3})
    assert sorted(found) == ["image", "image_anomaly", "image_mask", "image_z_score", "other"]
    for key in ("image", "image_anomaly", "image_z_score"):
        assert torch.equal(found[key].affine, affine)
        assert found[key].meta["patient"] == "p1"
        record = found[key].meta["inpaint_anatomy"]
        assert len(record["losses"]) == 3
        assert record["losses"][record["best"]] == min(record["losses"])
    assert "inpaint_anatomy" not in given.meta
    assert torch.equal(given.as_tensor(), diseased())
    again = inpainter()(diseased(), box_mask(SIZE, 5), seeded(record["seed"]))
    assert torch.equal(found["image"].as_tensor(), again.image)


def test_the_lesion_lights_up_and_the_healthy_image_does_not():
    transform = InpaintAnatomyd(("sick", "well"), inpainter(), mask_size=7).set_random_state(seed=0)
    found = transform({"sick": diseased(), "well": healthy()})
    lesion = torch.zeros(1, *SIZE, dtype=torch.bool)
    lesion[0, 7:9, 7:9] = True
    torch.testing.assert_close(found["sick_anomaly"], 0.3 * lesion, atol=0.02, rtol=0)
    assert found["sick_z_score"][lesion].min() > 10
    assert found["sick_z_score"][~lesion].max() < 2
    assert found["well_z_score"].max() < 2
    assert torch.equal(found["sick_mask"][0], box_mask(SIZE, 7))


def test_the_mask_comes_by_key_by_centre_or_from_the_vessel():
    mask = box_mask(SIZE, 4, (5, 9))
    by_mask = InpaintAnatomyd("image", inpainter(), mask_key="mask").set_random_state(seed=1)
    by_centre = InpaintAnatomyd("image", inpainter(), centre_key="at", mask_size=4).set_random_state(seed=1)
    expected = by_mask({"image": diseased(), "mask": mask[None].float()})["image"]
    array = InpaintAnatomy(inpainter(), mask_size=4).set_random_state(seed=1)
    assert torch.equal(array(diseased(), centre=(5, 9)), expected)
    for at in ((5, 9), torch.tensor([5.0, 9.0]), {"centre_in_patch": torch.tensor([5.0, 9.0], dtype=torch.float64)}):
        found = by_centre.set_random_state(seed=1)({"image": diseased(), "at": at})
        assert torch.equal(found["image_mask"][0], mask)
        assert torch.equal(found["image"], expected)


def test_draws_follow_the_random_state_and_survive_pickling():
    transform = InpaintAnatomy(LatentInpainter(Linear(4, (1, *SIZE)), Indifferent(), 4, starts=2, steps=3), 5)
    first, second = (transform.set_random_state(seed=seed)(diseased()) for seed in (0, 1))
    assert not torch.equal(first, second)
    copy = pickle.loads(pickle.dumps(transform.set_random_state(seed=0)))
    assert torch.equal(copy(diseased()), first)


def test_bad_input_is_refused():
    transform = InpaintAnatomy(inpainter(), mask_size=5)
    with pytest.raises(IntensityError, match=r"\[0, 1\]"):
        transform(diseased() * 255)
    with pytest.raises(IntensityError, match="NaN"):
        transform(torch.full((1, *SIZE), torch.nan))
    with pytest.raises(InputError, match="both"):
        transform(diseased(), box_mask(SIZE, 5), (3, 3))
    with pytest.raises(InputError, match="a mask or a centre"):
        InpaintAnatomyd("image", inpainter(), mask_key="mask", centre_key="at")
    with pytest.raises(ShapeError, match="1 channel"):
        transform(diseased(), torch.ones(2, *SIZE))
    with pytest.raises(ShapeError, match="mask"):
        transform(diseased(), torch.ones(4, 4))
    with pytest.raises(InputError, match="within the image"):
        transform(diseased(), centre=(0, 0))
    with pytest.raises(ShapeError, match="generator makes"):
        transform(diseased()[:, :12])
    with pytest.raises(KeyError):
        InpaintAnatomyd("image", inpainter())({"label": 1})
    assert InpaintAnatomyd("image", inpainter(), allow_missing_keys=True)({"label": 1}) == {"label": 1}
