"""Translation against arithmetic by hand, in all forms; a trained one learns a known relation of two modalities."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose
from torch import nn
from torch.nn import functional as F

from monai_cardiacgen.anatomy import ACDC, StructureCondition
from monai_cardiacgen.engines import ConditionalGANTrainer
from monai_cardiacgen.errors import InputError, IntensityError, LabelError, ShapeError
from monai_cardiacgen.networks.nets import ConditionalPatchCritic, ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms import TranslateModality, TranslateModalityd


class Negative(nn.Module):
    """Black for white, of sides that 8 divides."""

    def __init__(self, spatial_dims: int = 2) -> None:
        super().__init__()
        self.spatial_dims, self.factor = spatial_dims, 8
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        assert all(side % 8 == 0 for side in condition.shape[2:])
        assert not self.training
        return self.one - condition[:, :1]


def test_windows_sizes_and_ranges_are_arithmetic():
    image = torch.linspace(-400, 800, 13 * 9).view(1, 13, 9)
    made = TranslateModality(Negative(), "MR", source=(-200, 600), target=(10, 30))(image)
    torch.testing.assert_close(made, 10 + 20 * (1 - ((image + 200) / 800).clamp(0, 1)))


def test_without_a_range_percentiles_count():
    image = torch.randn(1, 40, 30, generator=seeded(0)) * 100
    low, high = np.percentile(image.numpy(), (0.5, 99.5))
    made = TranslateModality(Negative(), "CT")(image)
    expected = 1 - ((image - float(low)) / float(high - low)).clamp(0, 1)
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=0)


def test_stacks_are_translated_slice_by_slice_volumes_whole_and_arrays_come_back():
    stack = torch.rand(1, 10, 8, 20, generator=seeded(1))
    transform = TranslateModality(Negative(), "MR", source=(0, 1))
    torch.testing.assert_close(transform(stack), 1 - stack)
    torch.testing.assert_close(TranslateModality(Negative(3), "MR", source=(0, 1))(stack), 1 - stack)
    array = transform(stack.numpy())
    assert isinstance(array, np.ndarray)
    np.testing.assert_allclose(array, 1 - stack.numpy(), atol=1e-6)


def test_the_dictionary_keeps_all_else_and_tells_the_modality():
    affine = torch.diag(torch.tensor([2.0, 2.0, 3.0, 1.0], dtype=torch.float64))
    image = MetaTensor(torch.rand(1, 8, 16, 3), affine=affine, meta={"patient": "p1"})
    data = {"image": image, "label": torch.zeros(1, 8, 16, 3), "patient": "p1"}
    beside = Compose([TranslateModalityd("image", Negative(), "MR", source=(0, 1), output_postfix="MR")])(data)
    assert set(beside) == {"image", "label", "patient", "image_MR"}
    assert beside["image"] is image
    assert torch.equal(beside["image_MR"].affine, affine)
    assert beside["image_MR"].meta["patient"] == "p1"
    assert beside["image_MR"].meta["translated_to"] == "MR"
    assert "translated_to" not in image.meta
    instead = TranslateModalityd("image", Negative(), "MR", source=(0, 1))(data)
    assert torch.equal(instead["image"], beside["image_MR"])


def test_a_label_map_may_stand_between():
    label = torch.tensor(ACDC.codes)[torch.randint(4, (1, 11, 9), generator=seeded(2))]
    condition = StructureCondition(ACDC, ["myocardium"])
    made = TranslateModality(Negative(), "MR", to_condition=condition)(label)
    torch.testing.assert_close(made, (label == ACDC.code("myocardium")).float())  # what is no background
    with pytest.raises(LabelError):
        TranslateModality(Negative(), "MR", to_condition=condition)(label + 7)


def test_the_network_that_was_given_stays_as_it_was_and_the_transform_pickles():
    network = ConditionalUNetGenerator(2, 1, channels=(4, 8)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    transform = TranslateModality(network, "MR", source=(0, 1))
    image = torch.rand(1, 16, 16)
    made = transform(image)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not made.requires_grad
    assert torch.equal(pickle.loads(pickle.dumps(transform))(image), made)


def test_a_trained_one_translates_images_of_new_patients():
    def pairs(seed: int) -> dict[str, torch.Tensor]:
        ct = F.avg_pool2d(torch.rand(8, 1, 20, 20, generator=seeded(seed)), 5, stride=1)
        ct = (ct - 0.5) * 3 + 0.5
        return {"mr": (1 - ct).clamp(0, 1).square(), "ct": ct.clamp(0, 1)}

    torch.manual_seed(0)
    generator = ConditionalUNetGenerator(2, 1, channels=(16, 16))
    critic = ConditionalPatchCritic(2, 2, channels=(4, 8, 8))
    optimizers = [torch.optim.Adam(one.parameters(), lr=5e-3) for one in (generator, critic)]
    ConditionalGANTrainer(
        "cpu", 30, [pairs(seed) for seed in range(10)], generator, critic, *optimizers, amp=False, ema_decay=0.9,
        prepare_batch=lambda batch, device, non_blocking, **more: (batch["mr"], batch["ct"]),
    ).run()  # fmt: skip
    unseen = pairs(99)
    made = TranslateModality(generator, "MR", source=(0, 1))(unseen["ct"][0])
    error = float((made - unseen["mr"][0]).abs().mean())
    assert error < 0.5 * float((unseen["mr"][0].mean() - unseen["mr"][0]).abs().mean())


def test_wrong_input_is_refused():
    transform = TranslateModality(Negative(), "MR", source=(0, 1))
    for shape in ((2, 8, 8), (8, 8), (1, 8, 8, 8, 8)):
        with pytest.raises(ShapeError, match="one channel"):
            transform(torch.zeros(shape))
    with pytest.raises(ShapeError, match="one channel"):
        TranslateModality(Negative(3), "MR", source=(0, 1))(torch.zeros(1, 8, 8))
    with pytest.raises(IntensityError, match="NaN"):
        transform(torch.full((1, 8, 8), torch.nan))
    with pytest.raises(InputError, match="lower to higher"):
        TranslateModality(Negative(), "MR", source=(600, -200))
