"""How commands end."""

from __future__ import annotations

import pytest
import typer

from monai_cardiacgen.endings import plain_endings
from monai_cardiacgen.errors import DataError, InputError


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(DataError("It broke."), 2, "Error: It broke.\n"), (KeyboardInterrupt(), 130, "Stopped. Call again.\n")],
)
def test_our_errors_and_a_stop_end_with_a_sentence(error, code, words, capsys):
    with pytest.raises(typer.Exit) as ending, plain_endings("Call again."):
        raise error
    assert ending.value.exit_code == code
    assert capsys.readouterr().err == words


@pytest.mark.parametrize(("error", "told"), [(DataError("No file."), True), (InputError("Too small."), False)])
def test_errors_about_files_tell_the_command_that_makes_them(error, told, capsys):
    with pytest.raises(typer.Exit), plain_endings("", "Made by: cardiacgen phantom"):
        raise error
    assert ("Made by: cardiacgen phantom\n" in capsys.readouterr().err) == told


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError), plain_endings(""):
        _ = 1 / 0
