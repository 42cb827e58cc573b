"""What all trainers share."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.engines import default_prepare_batch

from monai_cardiacgen.engines.resumable_trainer import ResumableTrainer, autocast
from monai_cardiacgen.errors import CheckpointError


class Counting(ResumableTrainer):
    """Adds a random number to a weight at each iteration."""

    def __init__(self, max_epochs: int, seed: int = 0) -> None:
        self.network = torch.nn.Linear(1, 1)
        torch.nn.init.zeros_(self.network.weight)
        batches = [{"image": MetaTensor(torch.zeros(1, 1, 2, 2)), "label": torch.zeros(1, 1, 2, 2)}] * 3
        super().__init__("cpu", max_epochs, batches, {"network": self.network}, default_prepare_batch, seed)
        self.types = []

    def _iteration(self, engine, batchdata):
        self.types += [type(one) for one in self.prepared(engine, batchdata)]
        with torch.no_grad():
            self.network.weight += torch.randn(1, 1, generator=self.generator)
        return {}


def test_goes_on_with_the_draws_that_would_have_come():
    whole, half, rest = Counting(4), Counting(2), Counting(4, seed=9)
    whole.run()
    half.run()
    rest.load_state_dict(half.state_dict())
    rest.run()
    assert torch.equal(rest.network.weight, whole.network.weight)
    assert rest.state.epoch == 4


def test_networks_see_plain_tensors():
    one = Counting(1)
    one.run()
    assert set(one.types) == {torch.Tensor}


@pytest.mark.parametrize(
    "change",
    [lambda state: state.pop("network"), lambda state: state["network"].pop("bias"), lambda state: state.clear()],
)
def test_a_state_that_does_not_fit_is_refused(change):
    state = Counting(1).state_dict()
    change(state["training"])
    with pytest.raises(CheckpointError, match="trainer"):
        Counting(1).load_state_dict(state)


def test_autocast_is_off_where_it_does_not_pay():
    device = torch.device("cpu")
    with autocast(device, enabled=False):
        assert not torch.is_autocast_enabled("cpu")
    with autocast(device, enabled=True):
        assert torch.is_autocast_enabled("cpu") == torch.cpu._is_amx_tile_supported()
