"""What running a bundle leaves behind in the process, undone."""

from __future__ import annotations

import sys

import pytest
from monai.utils import set_determinism


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    """A workflow adds its root to the path, and train.json fixes the seeds of the whole process."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    set_determinism(None)
