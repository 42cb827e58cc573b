"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import monai_cardiacgen

PACKAGE = Path(monai_cardiacgen.__file__).parent
TESTS = Path(__file__).parent
ROOMS = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
FOLDERS = [info.name for info in pkgutil.walk_packages([str(PACKAGE)], "monai_cardiacgen.") if info.ispkg]
#: The demo, its command line and the version are tested together or need no test of their own.
TESTED_ELSEWHERE = {"__main__.py": "test_cli.py", "_version.py": "test_house.py"}


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_is_at_most_300_lines(room):
    assert len(room.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_has_its_mirrored_test(room):
    mirrored = TESTS / room.relative_to(PACKAGE).parent / f"test_{room.name}"
    if room.name in TESTED_ELSEWHERE:
        mirrored = TESTS / TESTED_ELSEWHERE[room.name]
    if room.parent == PACKAGE / "label" / "app":  # these are one server, which is started and asked
        mirrored = TESTS / "label" / "app" / "test_server.py"
    assert mirrored.is_file()


@pytest.mark.parametrize("name", FOLDERS)
def test_exported_names_are_all_and_exist(name):
    module = importlib.import_module(name)
    promised = getattr(module, "__all__", [])
    assert sorted(promised) == sorted(set(promised))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    assert imported <= set(promised)
    assert all(hasattr(module, one) for one in promised)


def test_one_version_number():
    from importlib.metadata import version

    assert version("monai_cardiacgen") == monai_cardiacgen.__version__


def test_nothing_below_the_studies_plots_or_prints():
    allowed = {"studies", "cli.py", "demo.py", "__main__.py"}
    for room in ROOMS:
        if room.relative_to(PACKAGE).parts[0] in allowed:
            continue
        tree = ast.parse(room.read_text(encoding="utf-8"))
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert "print" not in calls, room
        assert "matplotlib" not in room.read_text(encoding="utf-8"), room
