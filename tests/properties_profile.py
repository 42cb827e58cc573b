"""How many examples property tests try: few in the ordinary run, and always the same ones.

`python -m pytest tests/properties --hypothesis-profile=long` tries many, new ones each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings

_Test = TypeVar("_Test", bound=Callable[..., Any])

#: Examples of a test with tensors, and of one of a text, in the ordinary run.
FEW, TEXTS = 60, 200
LONG = "long"


def _profile(examples: int) -> Callable[[_Test], _Test]:
    """Return settings for a test, unless the long form was asked for."""
    if settings.get_current_profile_name() == LONG:
        return settings.get_profile(LONG)
    phases = (Phase.explicit, Phase.generate, Phase.shrink)
    quiet = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=phases,
        suppress_health_check=quiet,
    )


#: For tests with tensors.
bounded = _profile(FEW)
#: For tests of parsers.
fuzzed = _profile(TEXTS)
