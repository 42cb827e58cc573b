"""A writer closes its set once, and not after an error."""

from __future__ import annotations

import pytest

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.data.set_description import SetDescription
from monai_cardiacgen.data.set_writer import SetWriter


class Noted(SetWriter):
    def __init__(self):
        super().__init__(SetDescription(ACDC, (2.0, 2.0), "one", "1"), rank=0)
        self.closed = 0

    def add(self, image, label, record, affine=None):
        self._numbers.add(record.number)

    def add_all(self, cases, affine=None):
        for case in cases:
            self.add(*case)

    def close(self):
        self.closed += 1


def test_closes_at_the_end():
    with Noted() as writer:
        writer._numbers |= {1, 3}
        assert writer.missing(3, first=1) == [2]
        assert writer.closed == 0
    assert writer.closed == 1


def stopped(writer: Noted) -> None:
    with writer:
        raise KeyboardInterrupt


def test_does_not_close_after_an_error():
    writer = Noted()
    with pytest.raises(KeyboardInterrupt):
        stopped(writer)
    assert writer.closed == 0
