"""One wrong input, and what a good answer to it is: the tables in `wrong_inputs/` are made of these."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from monai_cardiacgen.errors import CardiacGenError

#: What was expected comes first, then what came; "could not" and "but" tell of what did not come at all.
_FORM = re.compile(r"Expected (.|\n)+?(, got|; got| got |, found none|, could not| but | lacks )")
#: After what came, what to do: another clause or another sentence.
_REMEDY = re.compile(r"(;|\.\)?) \S+ \S+")
#: What was expected may be all that there is to do: a range, a choice, a shape.
_CHOICE = re.compile(
    r"at least|at most|one of|of \(|in [\[(]|\d or \d|\d to \d|\([A-Z], |'\w+' or |lower to higher|\w+, \w+ or \w+|"
    r"of one size"
)


@dataclass(frozen=True)
class Wrong:
    """A row of a table.

    Attributes:
        name: what is wrong, as the test's name.
        act: what a user does, with an empty folder to do it in.
        error: the very class that is raised.
        words: that the message must hold: what was expected, what came.
        given: what lies in the folder before.
    """

    name: str
    act: Callable[[Path], object]
    error: type[CardiacGenError]
    words: tuple[str, ...]
    given: Callable[[Path], object] = lambda folder: None


def rows(table: list[Wrong]) -> pytest.MarkDecorator:
    """Return the parametrization of a test by a table, whose names differ."""
    names = [one.name for one in table]
    assert len(set(names)) == len(names)
    return pytest.mark.parametrize("wrong", table, ids=names)


def answered(wrong: Wrong, folder: Path) -> None:
    """See that a wrong input gets one error of ours, in our form and with its words, and leaves nothing behind."""
    wrong.given(folder)
    before = listing(folder)
    with pytest.raises(CardiacGenError) as raised:
        wrong.act(folder)
    assert raised.type is wrong.error
    check_message(str(raised.value), wrong.words)
    assert listing(folder) == before


def check_message(message: str, words: tuple[str, ...]) -> None:
    """See that a message says what was expected, what came, and what to do; `words` of it are this case's own."""
    assert words, "a row without words of its own could pass by accident"
    assert (form := _FORM.match(message)), message
    assert _REMEDY.search(message[form.end() :]) or _CHOICE.search(form[0]), f"no remedy: {message}"
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"


def check_refusal(error: CardiacGenError) -> None:
    """See that an error that no row foresaw is in our form, and short enough to be read."""
    assert str(error).startswith("Expected ")
    assert len(str(error)) < 20_000


def listing(folder: Path) -> dict[str, int]:
    """Return every file and folder below a folder, with the sizes of files."""
    return {
        str(path.relative_to(folder)): path.stat().st_size if path.is_file() else -1
        for path in sorted(folder.rglob("*"))
        if not path.is_symlink()
    }
