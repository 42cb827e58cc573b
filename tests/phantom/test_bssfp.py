from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from monai_cardiacgen.phantom.bssfp import TISSUES, banding, bssfp_signal, tissue_signal


def steady_state(t1: float, t2: float, flip: float, tr: float, precession: float) -> float:
    """Solve Bloch's equations for the fixed point of two repetitions with pulses of opposite sign."""

    def rotation(angle: float) -> np.ndarray:
        c, s = math.cos(angle), math.sin(angle)
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])

    half = np.diag([math.exp(-tr / 2 / t2)] * 2 + [math.exp(-tr / 2 / t1)])
    c, s = math.cos(precession / 2), math.sin(precession / 2)
    half = half @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    regrown = np.array([0, 0, 1 - math.exp(-tr / 2 / t1)])

    def repetition(sign: float) -> tuple[np.ndarray, np.ndarray]:
        matrix = half @ half @ rotation(sign * flip)
        return matrix, half @ regrown + regrown

    (a, x), (b, y) = repetition(1), repetition(-1)
    before = np.linalg.solve(np.eye(3) - b @ a, b @ x + y)
    echo = half @ rotation(flip) @ before + regrown
    return float(np.hypot(echo[0], echo[1]))


@pytest.mark.parametrize("name", ["arterial blood", "myocardium", "fat"])
@pytest.mark.parametrize("precession", [0.0, 1.0, -2.5, 3.1, -4.3])
def test_signal_is_blochs_steady_state(name: str, precession: float):
    tissue = TISSUES[name]
    expected = steady_state(tissue.t1, tissue.t2, 0.9, 3.1, precession)
    found = bssfp_signal(tissue.t1, tissue.t2, 0.9, 3.1, torch.tensor([precession])).abs()
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_signal_at_short_repetitions_depends_on_the_ratio_of_relaxation_times():
    ratio, flip = 6.0, 0.8
    limit = math.sin(flip) / (1 + math.cos(flip) + (1 - math.cos(flip)) * ratio)
    assert bssfp_signal(1200, 200, flip, 1e-3).abs().item() == pytest.approx(limit, rel=1e-3)


def test_contrast_is_that_of_cine_mr():
    signal = {name: tissue_signal(tissue, math.radians(50), 3.0) for name, tissue in TISSUES.items()}
    assert 0.25 < signal["myocardium"] / signal["arterial blood"] < 0.6
    assert signal["myocardium"] < signal["liver"] < signal["venous blood"] < signal["arterial blood"]
    assert signal["fat"] < 0 < -signal["fat"] > signal["liver"]
    assert signal["lung"] < 0.1 * signal["arterial blood"]


def test_bands_are_dark_half_a_turn_off_resonance():
    bands = banding(torch.tensor([0.0, math.pi, -math.pi, 2 * math.pi, 0.5]), 0.9, 3.0)
    assert bands[0] == 1
    assert bands[1] < 0.1
    assert bands[2] < 0.1
    assert bands[3] == pytest.approx(1, abs=1e-3)
    assert bands[1] < bands[4] <= 1
