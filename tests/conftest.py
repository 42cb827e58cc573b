"""Fixtures that several rooms share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tests run side by side in as many processes as there are cores: one thread each."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def acdc_folder() -> Path:
    """The real ACDC training folder, or a skip with a reason."""
    folder = REAL_DATA / "acdc" / "training"
    if not folder.is_dir():
        pytest.skip("the real ACDC cases are not on this machine")
    return folder
