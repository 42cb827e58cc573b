"""Every error is caught by the package's own base and by Python's habitual one."""

from __future__ import annotations

import inspect

import pytest

from monai_cardiacgen import errors

HABITUAL = {
    errors.InputError: ValueError,
    errors.ShapeError: ValueError,
    errors.LabelError: ValueError,
    errors.SpacingError: ValueError,
    errors.IntensityError: ValueError,
    errors.DataError: OSError,
    errors.CheckpointError: OSError,
    errors.SamplingError: RuntimeError,
}


@pytest.mark.parametrize(("error", "habitual"), HABITUAL.items())
def test_each_error_is_ours_and_the_habitual_one(error, habitual):
    for expected in (errors.CardiacGenError, habitual):
        with pytest.raises(expected, match=r"^expected, got, remedy$"):
            raise error("expected, got, remedy")


def test_what_is_passed_in_wrongly_is_an_input_error():
    wrong_inputs = {error for error in HABITUAL if issubclass(error, errors.InputError)}
    assert wrong_inputs == {error for error, habitual in HABITUAL.items() if habitual is ValueError}


def test_the_tree_in_the_docstring_names_every_error():
    defined = {name for name, member in inspect.getmembers(errors, inspect.isclass)}
    assert {error.__name__ for error in HABITUAL} | {"CardiacGenError"} == defined
    assert all(name in (errors.__doc__ or "") for name in defined)
