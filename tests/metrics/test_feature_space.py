"""Features with a name."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.metrics import FeatureSpace, RandomFeatures
from monai_cardiacgen.networks.nets.enet import ENet
from monai_cardiacgen.seeding import seeded


def test_many_images_have_the_features_of_each():
    images = torch.rand(150, 1, 32, 32, generator=seeded(0))
    space = FeatureSpace("random convolutions, seed 0", RandomFeatures(0))
    assert torch.allclose(space(images), RandomFeatures(0)(images), atol=1e-6)
    assert space.name == "random convolutions, seed 0"


def test_maps_are_averaged_and_carry_no_gradient():
    network = ENet(2, in_channels=1, out_channels=4).eval()
    images = torch.rand(3, 1, 32, 32, generator=seeded(0))
    features = FeatureSpace("ENet's logits", network)(images)
    assert not features.requires_grad
    assert torch.allclose(features, network(images).mean(dim=(2, 3)), atol=1e-6)


def test_nameless_spaces_and_other_shapes_are_refused():
    with pytest.raises(InputError, match="name"):
        FeatureSpace(" ", RandomFeatures(0))
    with pytest.raises(ShapeError, match="3 images"):
        FeatureSpace("one number", lambda images: images.mean()[None])(torch.rand(3, 1, 8, 8))
