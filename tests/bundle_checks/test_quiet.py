"""Silence round MONAI's tools."""

from __future__ import annotations

import logging
import warnings

from monai_cardiacgen.bundle_checks.quiet import first_line, quietly


def test_nothing_is_heard_and_then_all_is_as_before(capsys, caplog):
    with quietly():
        print("printed")
        logging.getLogger("any").critical("logged")
        warnings.warn("warned", stacklevel=1)
    assert capsys.readouterr().out == ""
    assert not caplog.records
    logging.getLogger("any").critical("heard")
    assert len(caplog.records) == 1


def test_an_error_is_one_line():
    assert first_line(ValueError("\n first\nsecond")) == "ValueError: first"
    assert first_line(KeyError()) == "KeyError"
