"""Which expressions a configuration may hold."""

from __future__ import annotations

import json

import pytest

from monai_cardiacgen.bundle_checks.expressions import check_expressions


def faults(folder, **config) -> tuple[str, ...]:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "configs" / "train.json").write_text(json.dumps(config))
    return check_expressions(folder).faults


@pytest.mark.parametrize(
    "text",
    [
        "$import torch",
        "$from monai_cardiacgen.data.files import write_json",
        "$@a + 2 * @b#0",
        "$[@side, @side // 32]",
        "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "$@train::trainer.run()",
        "$len(@train#dataset) > 0 and not @a",
        "$[16 * @n, *[8 * @n] * 4]",
        "no expression: lambda",
    ],
)
def test_simple_ones_pass(tmp_path, text):
    assert faults(tmp_path, one=[{"two": text}]) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("$lambda x: x", "holds a Lambda"),
        ("$[x for x in @a]", "holds a ListComp"),
        ("$(x := 2)", "holds a NamedExpr"),
        ("$f'{@a}'", "holds a JoinedStr"),
        ("$eval('1')", "calls eval"),
        ("$__import__('os').system('true')", "calls __import__"),
        ("$__builtins__.open('x')", "reaches for the private __builtins__"),
        ("$@a.__class__", "reaches for the private __class__"),
        ("$@a.f()()", "calls what it has made itself"),
        ("$open('x')", "calls open"),
        ("$1 +", "is no expression"),
    ],
)
def test_programs_are_named_with_their_place(tmp_path, text, why):
    (fault,) = faults(tmp_path, one=[{"two": text}])
    assert fault.startswith("train.json, one#0#two: ")
    assert why in fault


def test_a_function_may_be_called_that_the_file_imports(tmp_path):
    assert faults(tmp_path, run=["$write(1)"]) != ()
    assert faults(tmp_path, imports=["$from a import b as write"], run=["$write(1)"]) == ()
