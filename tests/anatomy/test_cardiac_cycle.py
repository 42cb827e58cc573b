"""The filling curve: its ends, its order and its smoothness."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy.cardiac_cycle import ejected_share
from monai_cardiacgen.errors import InputError


def test_from_end_diastole_to_end_systole_and_back():
    share = ejected_share(torch.linspace(0, 1, 1001))
    assert float(share[0]) == 0
    assert float(share[-1]) == pytest.approx(0, abs=1e-6)
    assert float(share.max()) == pytest.approx(1.0, abs=1e-6)
    assert 0.3 < float(share.argmax()) / 1000 < 0.42
    assert float(share.min()) >= -1e-6


def test_ejection_only_empties_and_filling_only_fills():
    share = ejected_share(torch.linspace(0, 1, 1001))
    top = int(share.argmax())
    assert bool((share[: top + 1].diff() >= 0).all())
    assert bool((share[top:].diff() <= 0).all())


def test_no_jump_and_no_kink():
    share = ejected_share(torch.linspace(0, 1, 10001, dtype=torch.float64))
    steps = share.diff()
    assert float(steps.abs().max()) < 6e-4  # at most six stroke volumes a cycle
    assert float(steps.diff().abs().max()) < 1e-5


def test_most_of_the_filling_is_early():
    at = ejected_share(torch.tensor([0.37, 0.65, 0.85]))
    assert float(at[0] - at[1]) > 0.6
    assert float(at[1] - at[2]) < 0.15


def test_beyond_the_cycle_is_refused():
    for time in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match=r"\[0, 1\]"):
            ejected_share(torch.tensor([time]))
