"""One error tells everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_cardiacgen.data.problems import Problems
from monai_cardiacgen.errors import DataError, InputError


def test_every_problem_in_one_error():
    problems = Problems("whole patients", Path("heart"))
    done = []
    for number in range(4):
        with problems.noted():
            if number % 2:
                raise DataError(f"file {number}: missing")
            done.append(number)
    assert done == [0, 2]
    with pytest.raises(DataError) as caught:
        problems.raise_any()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Expected whole patients in heart, got 2 problem(s); ")
    assert lines[1:] == ["  file 1: missing", "  file 3: missing"]


def test_nothing_noted_nothing_raised():
    problems = Problems("whole patients", Path("heart"))
    with problems.noted():
        pass
    problems.raise_any()


def test_other_errors_pass():
    problems = Problems("whole patients", Path("heart"))
    with pytest.raises(InputError), problems.noted():
        raise InputError("a programmer's error")
