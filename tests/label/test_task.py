"""Settings as viewers send them."""

from __future__ import annotations

import pytest

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.label.task import LabelTask, choice, number, switch


@pytest.mark.parametrize(("given", "value"), [(0.5, 0.5), ("0.25", 0.25), (1, 1.0)])
def test_numbers(given, value):
    assert number({"strength": given}, "strength", 0, 1) == value


@pytest.mark.parametrize("given", [2, -0.1, "much", None, [], True, float("nan")])
def test_what_is_no_number_in_range(given):
    with pytest.raises(InputError, match=r"strength as a number in \[0, 1\]"):
        number({"strength": given}, "strength", 0, 1)


@pytest.mark.parametrize(("given", "value"), [(True, True), ("true", True), ("False", False), (False, False)])
def test_switches(given, value):
    assert switch({"save": given}, "save") is value


@pytest.mark.parametrize("given", ["yes", 1, None])
def test_what_is_no_switch(given):
    with pytest.raises(InputError, match="save as true or false"):
        switch({"save": given}, "save")


def test_choices():
    assert choice({"result": "label"}, "result", ("image", "label")) == "label"
    with pytest.raises(InputError, match="result"):
        choice({"result": "other"}, "result", ("image", "label"))


def test_a_task_is_ready_unless_it_says_otherwise():
    class Echo(LabelTask):
        description = "gives back"

        def __call__(self, image, label, settings):
            raise NotImplementedError

    assert Echo().ready
