"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

# Tests run side by side in as many processes as there are cores: one thread each, in all that they start, too. Said
# before PyTorch is there, for later it binds one thread only, and threads that wait for a busy core burn it.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402
import torch  # noqa: E402

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """As above, whatever the environment says."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def threads_stay():
    """Tell which test leaves more threads to those that come after it."""
    yield
    assert torch.get_num_threads() == 1


@pytest.fixture(scope="session")
def acdc_folder() -> Path:
    """The real ACDC training folder, or a skip with a reason."""
    folder = REAL_DATA / "acdc" / "training"
    if not folder.is_dir():
        pytest.skip("the real ACDC cases are not on this machine")
    return folder
