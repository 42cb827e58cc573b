"""The names that travel between the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import torch

from monai_cardiacgen.types import Generators, Mode


def test_modes():
    assert get_args(Mode) == ("new", "vary", "restyle")


def test_randomness_is_one_generator_or_one_a_row():
    assert get_args(Generators) == (torch.Generator, Sequence[torch.Generator])
