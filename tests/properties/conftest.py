"""The long form of the property tests, which pytest must know before it collects any."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("long", max_examples=20_000, deadline=None, print_blob=True)
