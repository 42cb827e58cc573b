"""The best weights are those that validated best, whatever came between."""

from __future__ import annotations

import pytest
import torch
from monai.engines import SupervisedEvaluator
from monai.handlers import IgniteMetricHandler
from monai.metrics import MSEMetric

from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.handlers import BestWeights


def evaluator(network: torch.nn.Module, best: BestWeights) -> SupervisedEvaluator:
    """Return one whose score is the network's weight."""
    score = IgniteMetricHandler(
        metric_fn=MSEMetric(),
        output_transform=lambda out: ([one["pred"] for one in out], [one["label"] for one in out]),
    )
    batch = [{"image": torch.ones(1, 1), "label": torch.zeros(1, 1)}]
    return SupervisedEvaluator(
        torch.device("cpu"), batch, network, key_val_metric={"score": score}, val_handlers=[best], decollate=True
    )


def test_only_a_better_score_is_saved_and_a_stop_forgets_none(tmp_path):
    network = torch.nn.Linear(1, 1, bias=False)
    best = BestWeights(network, tmp_path / "model.pt")
    validator = evaluator(network, best)

    def validate(weight: float, epoch: int) -> float:
        torch.nn.init.constant_(network.weight, weight)
        validator.run(epoch)
        return float(load_checkpoint(tmp_path / "model.pt")["weight"])

    assert [validate(0.5, 1), validate(0.9, 2), validate(0.7, 3)] == pytest.approx([0.5, 0.9, 0.9])
    state = best.state_dict()
    assert state == pytest.approx({"score": 0.81, "epoch": 2})
    best = BestWeights(network, tmp_path / "model.pt")
    validator = evaluator(network, best)
    best.load_state_dict(state)
    assert [validate(0.8, 4), validate(0.95, 5)] == pytest.approx([0.9, 0.95])


def test_it_must_be_attached_first(tmp_path):
    with pytest.raises(RuntimeError, match="attach"):
        BestWeights(torch.nn.Linear(1, 1), tmp_path / "model.pt").state_dict()
