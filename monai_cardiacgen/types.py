"""Names for the few types that travel between the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

#: How a synthetic case comes about: a new heart, this heart deformed, or this label in another style.
Mode = Literal["new", "vary", "restyle"]

#: One generator for the whole batch, or one a row (then a row's result does not depend on its batch).
Generators = torch.Generator | Sequence[torch.Generator]
