"""Samples are kept when asked for, averages are the formula's, and every panel has its axes named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from scipy.signal import lfilter
from torch import nn

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.whole_heart.conditional_gan_figures import (
    TrainingSamples,
    curves_figure,
    moving_average,
    progress_figure,
)


class Counting(nn.Module):
    """Makes images whose value is how often it was moved."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = 0.0

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        assert not self.training
        return torch.full_like(condition[:, :1], self.moved)


def test_samples_are_those_of_the_chosen_iterations():
    network = Counting()
    samples = TrainingSamples(network, torch.zeros(2, 3, 4, 4), [0, 2, 5, 99])
    engine = Engine(lambda engine, batch: setattr(network, "moved", network.moved + 1))
    samples.attach(engine)
    engine.run(range(3), max_epochs=2)
    assert {at: float(images.mean()) for at, images in samples.images.items()} == {0: 0, 2: 2, 5: 5}
    assert network.training


def test_samples_in_a_file_outlast_a_stop(tmp_path):
    path, network = tmp_path / "samples.pt", Counting()
    for epochs in (1, 2):
        samples = TrainingSamples(network, torch.zeros(2, 3, 4, 4), [0, 2, 3, 5], path)
        engine = Engine(lambda engine, batch: setattr(network, "moved", network.moved + 1))
        if epochs == 2:
            engine.load_state_dict({"epoch_length": 3, "max_epochs": 2, "epoch": 1})
        samples.attach(engine)
        engine.run(range(3), max_epochs=epochs)
    assert {at: float(images.mean()) for at, images in samples.images.items()} == {0: 0, 2: 2, 3: 3, 5: 5}


def test_moving_average_is_the_formula_by_a_recursive_filter():
    values = np.random.default_rng(0).normal(size=40).tolist()
    expected = lfilter([1], [1, -0.7], values) / lfilter([1], [1, -0.7], np.ones(40))
    np.testing.assert_allclose(moving_average(values, 0.7), expected)
    with pytest.raises(InputError, match="decay"):
        moving_average(values, 1.0)


def test_curves_have_named_axes_and_both_lines():
    rows = [
        {"iteration": 10 * n, "loss": 1 / n, "discriminator": 0.5, "real_accuracy": 0.8, "fake_accuracy": 0.6}
        for n in range(1, 6)
    ]
    figure = curves_figure(rows)
    assert len(figure.axes) == 4
    for axis in figure.axes:
        assert axis.get_xlabel() == "iteration"
        assert axis.get_ylabel()
        assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[10, 20, 30, 40, 50]] * 2
    assert [axis.get_ylim() for axis in figure.axes[2:]] == [(-0.02, 1.02)] * 2


def test_a_sheet_shows_condition_original_and_each_iteration():
    images = torch.rand(3, 1, 8, 8)
    figure = progress_figure(torch.zeros(3, 8, 8), images, {0: images, 1000: 1 - images})
    assert len(figure.axes) == 3 * 4
    assert [axis.get_title() for axis in figure.axes[:4]] == ["condition", "original", "iteration 0", "iteration 1,000"]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), 1 - images[0, 0].numpy())
