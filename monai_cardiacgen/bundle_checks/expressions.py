"""Are the `$` expressions of a bundle's configurations as simple as a reader may expect?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..data.files import read_json
from .check import Check

_REFERENCE = re.compile(r"@\w+(?:(?:#|::)\w+)*")
#: What an expression may consist of: names, indices, literals, arithmetic, comparisons, choices and calls.
_SIMPLE = (
    *(ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Constant, ast.Load),
    *(ast.List, ast.Tuple, ast.Dict, ast.Starred, ast.Call, ast.keyword, ast.IfExp),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_BUILT_IN = {
    "abs",
    "bool",
    "float",
    "int",
    "len",
    "list",
    "max",
    "min",
    "range",
    "round",
    "sorted",
    "str",
    "sum",
    "tuple",
}


def check_expressions(folder: Path) -> Check:
    """Return the check that expressions import, compute and call, and that nothing in them is a program of its own.

    Code belongs into a package, where it is named, typed and tested: an expression defines no function, loops over
    nothing, reaches for nothing private, and calls only what its configuration imports, refers to, or a few built-in
    functions of values.
    """
    faults = []
    for path in sorted((folder / "configs").glob("*.json")):
        found = list(_expressions(read_json(path)))
        imported = {name for _, text in found for name in _imported(text)}
        faults += [
            f"{path.name}, {where}: {text!r} {fault}; name a function of a package instead."
            for where, text in found
            if (fault := _fault(text, imported))
        ]
    return Check("expressions only import, compute and call", tuple(faults))


def _expressions(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the text, without `$`, of every expression in a configuration."""
    if isinstance(value, str) and value.startswith("$"):
        yield where, value[1:].strip()
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _expressions(one, f"{where}#{key}" if where else str(key))


def _imported(text: str) -> list[str]:
    """Return the names that an expression imports."""
    if not text.startswith(("import ", "from ")):
        return []
    try:
        (statement,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    aliases = statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else []
    return [alias.asname or alias.name for alias in aliases]


def _fault(text: str, imported: set[str]) -> str:
    """Return what is wrong with an expression, or nothing."""
    if _imported(text):
        return ""
    try:
        tree = ast.parse(_REFERENCE.sub("reference", text), mode="eval")
    except SyntaxError:
        return "is no expression"
    for node in ast.walk(tree):
        if not isinstance(node, _SIMPLE):
            return f"holds a {type(node).__name__}"
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name.startswith("_"):
            return f"reaches for the private {name}"
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
            return "calls what it has made itself"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id not in {*imported, *_BUILT_IN, "reference"}
        ):
            return f"calls {node.func.id}"
    return ""


__all__ = ["check_expressions"]
