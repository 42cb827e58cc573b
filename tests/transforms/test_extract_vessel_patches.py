"""Patches lie round the vessel, hold the volume's own voxels, and know where they were cut."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor, list_data_collate
from monai.transforms import Compose

from monai_cardiacgen.data import VesselTracker
from monai_cardiacgen.errors import InputError, IntensityError, ShapeError, SpacingError
from monai_cardiacgen.transforms import ExtractVesselPatches, ExtractVesselPatchesd

# An oblique volume: the first two axes turned by 20 degrees in the plane, 1.1 x 0.9 x 2 mm, somewhere.
COS, SIN = np.cos(np.radians(20)), np.sin(np.radians(20))
AFFINE = np.array(
    [[-1.1 * COS, 0.9 * SIN, 0, 30], [-1.1 * SIN, -0.9 * COS, 0, -12], [0, 0, 2, 5], [0, 0, 0, 1]], dtype=np.float64
)
SEED = (40, 62, 1)


def volume(affine=AFFINE) -> MetaTensor:
    """A tube of 10 mm radius round voxel (42 + k, 60), in weak noise, 4 slices."""
    rows, columns = torch.meshgrid(torch.arange(90.0), torch.arange(100.0), indexing="ij")
    tube = [torch.hypot((rows - 42 - k) * 1.1, (columns - 60) * 0.9) < 10 for k in range(4)]
    noise = torch.randn(1, 90, 100, 4, generator=torch.Generator().manual_seed(0))
    image = torch.stack(tube, dim=-1)[None] * 100.0 + 4 * noise
    return MetaTensor(image, affine=torch.from_numpy(affine), meta={"original_affine": affine})


def test_a_patch_of_every_slice_is_centred_on_the_vessel():
    patches = ExtractVesselPatches((64, 48))(volume(), SEED)
    assert [patch.meta["vessel"]["slice"] for patch in patches] == [0, 1, 2, 3]
    for number, patch in enumerate(patches):
        vessel = patch.meta["vessel"]
        assert patch.shape == (1, 64, 48)
        assert np.abs(vessel["centre_in_patch"].numpy() - (31.5, 23.5)).max() <= 0.5
        world = (AFFINE @ [42 + number, 60, number, 1])[:3]
        assert np.linalg.norm(vessel["centre"].numpy() - world) < 0.6
        assert vessel["radius"] == pytest.approx(10, abs=0.6)
        assert 0.5 <= vessel["score"] <= 1


def test_a_patchs_affine_leads_back_to_the_voxels_it_was_cut_from():
    image = volume()
    for patch in ExtractVesselPatches((32, 24))(image, SEED):
        for row, column in ((0, 0), (31, 23), (7, 15)):
            world = patch.affine.numpy() @ [row, column, 0, 1]
            i, j, k = np.rint(np.linalg.solve(AFFINE, world)[:3]).astype(int)
            assert patch[0, row, column] == image[0, i, j, k]
        vessel = patch.meta["vessel"]
        np.testing.assert_allclose((patch.affine.numpy() @ [*vessel["centre_in_patch"], 0, 1])[:3], vessel["centre"])


def test_beyond_the_volume_a_patch_has_its_smallest_value():
    image = volume()
    patch = ExtractVesselPatches((128, 128))(image, SEED)[0]
    inside = patch != image.min()
    assert int(inside.sum()) == 90 * 100 - int((image[..., 0] == image.min()).sum())


def test_the_dictionary_form_cuts_all_keys_alike_and_keeps_the_rest():
    image = volume()
    label = MetaTensor((image.as_tensor() > 50).to(torch.uint8), affine=torch.from_numpy(AFFINE))
    sample = {"image": image, "label": label, "seed": SEED, "patient": "p1"}
    samples = ExtractVesselPatchesd(("image", "label"), patch_size=(40, 40), step=2)(sample)
    array = ExtractVesselPatches((40, 40), step=2)(image, SEED)
    assert [cut["vessel"]["slice"] for cut in samples] == [0, 2]
    for cut, patch in zip(samples, array, strict=True):
        assert torch.equal(cut["image"], patch)
        assert torch.equal(cut["label"].bool(), cut["image"] > 50)
        assert cut["label"].dtype == torch.uint8
        assert cut["patient"] == "p1"
    assert sample["image"] is image


def test_a_seed_may_be_given_in_millimetres():
    world = (AFFINE @ [*SEED, 1])[:3]
    by_voxel, by_mm = (
        ExtractVesselPatches((20, 20))(volume(), SEED),
        ExtractVesselPatches((20, 20), seed_space="mm")(volume(), world),
    )
    assert all(torch.equal(one, other) for one, other in zip(by_voxel, by_mm, strict=True))


def test_patches_come_out_of_datasets_and_loaders_one_by_one():
    transform = Compose([ExtractVesselPatchesd("image", patch_size=(40, 40), step=2)])
    data = [{"image": volume(), "seed": SEED} for _ in range(2)]
    pickle.loads(pickle.dumps(transform))
    assert len(CacheDataset(data, transform, progress=False)[0]) == 2

    def images(samples):
        return list_data_collate([cut for sample in samples for cut in sample])

    batch = next(iter(DataLoader(Dataset(data, transform), batch_size=2, collate_fn=images)))
    assert batch["image"].shape == (4, 1, 40, 40)
    assert batch["vessel"]["slice"].tolist() == [0, 2, 0, 2]
    assert batch["vessel"]["centre"].shape == (4, 3)


def test_what_cannot_be_cut_is_refused_in_one_sentence():
    extract, image = ExtractVesselPatches((40, 40)), volume()
    with pytest.raises(ShapeError, match=r"\(C, H, W, D\)"):
        extract(image[..., 0], SEED)
    with pytest.raises(SpacingError, match="tell their spacing"):
        extract(image.as_tensor(), SEED)
    with pytest.raises(InputError, match="within the volume"):
        extract(image, (40, 62, 9))
    with pytest.raises(InputError, match="move the seed"):
        extract(image, (8, 8, 1))
    with pytest.raises(InputError, match="three finite numbers"):
        extract(image, (40, 62))
    with pytest.raises(InputError, match="three finite numbers"):
        extract(image, (40, float("nan"), 1))
    with pytest.raises(SpacingError, match="axial slices"):
        extract(volume(AFFINE[[0, 2, 1, 3]]), SEED)
    image[0, 1, 1, 1] = float("nan")
    with pytest.raises(IntensityError, match="finite"):
        extract(image, SEED)


def test_missing_and_differing_volumes_are_refused():
    cut = ExtractVesselPatchesd(("image", "label"))
    with pytest.raises(InputError, match="'seed'"):
        cut({"image": volume(), "label": volume()})
    with pytest.raises(InputError, match="'image'"):
        cut({"label": volume(), "seed": SEED})
    with pytest.raises(ShapeError, match="one grid"):
        cut({"image": volume(), "label": volume()[:, 1:], "seed": SEED})
    lenient = ExtractVesselPatchesd(("image", "label"), allow_missing_keys=True)
    assert len(lenient({"image": volume(), "seed": SEED})) == 4


@pytest.mark.parametrize("wrong", [{"patch_size": (8,)}, {"patch_size": (0, 8)}, {"step": 0}, {"seed_space": "inch"}])
def test_impossible_arguments_are_refused(wrong):
    with pytest.raises(InputError, match="Expected"):
        ExtractVesselPatches(**wrong)


def test_a_trackers_limits_are_used():
    with pytest.raises(InputError, match="14 to 18 mm"):
        ExtractVesselPatches(tracker=VesselTracker(radii=(14.0, 18.0)))(volume(), SEED)
