"""Comparisons as JSON and as Markdown tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from monai_cardiacgen.data.files import whole_file

from .alternated import Comparison, Spread

#: Headings of the tables and what their rows say.
TABLES = {
    "painting": "Painting: against the published architecture with the same weights, fresh label maps",
    "hard maps": "Hard label maps: against our own convolutions of every pixel",
    "training step": "One training step, forward and backward: differences of gradients, relative to the largest",
    "MONAI's networks": "Against MONAI's SPADE networks",
    "transform": "The transform, a sample: against MONAI's affine, elastic and noise transforms",
    "training loop": "Samples a second in a MONAI training: against the same training without the transform",
    "memory": "Memory: largest resident memory of one image above that before it",
}


def as_json(machine: dict[str, str], comparisons: Sequence[Comparison]) -> str:
    """Return everything that was measured."""
    return json.dumps({"machine": machine, "comparisons": [asdict(one) for one in comparisons]}, indent=1) + "\n"


def as_markdown(machine: dict[str, str], comparisons: Sequence[Comparison]) -> str:
    """Return the machine and a table a subject; every ratio is a median of turns with the least and the greatest."""
    lines = ["; ".join(f"{name} {value}" for name, value in machine.items()) + "."]
    for table, heading in TABLES.items():
        rows = [row for one in comparisons if one.table == table for row in _rows(one)]
        if rows:
            unit = "MiB" if table == "memory" else "ms"
            lines += ["", f"### {heading}", "", f"| case | way | {unit} | times less | difference | |"]
            lines += ["| --- | --- | ---: | ---: | ---: | --- |", *rows]
    return "\n".join(lines) + "\n"


def _rows(one: Comparison) -> list[str]:
    rows = []
    scale = 2**-20 if one.table == "memory" else 1000
    for number, (way, values) in enumerate(one.values.items()):
        away = f"{one.differences[way]:.1e}" if way in one.differences and way != one.baseline else ""
        ratio = "1" if way == one.baseline else _ratio(one.times_less(way))
        middle = scale * Spread.of(values).median
        shown = f"{middle:.0f}" if middle >= 100 else f"{middle:.3g}"
        cells = (one.case if not number else "", way, shown, ratio, away, one.notes.get(way, ""))
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _ratio(spread: Spread) -> str:
    shown = (
        f"{value:.0f}" if value >= 100 else f"{value:.3g}" for value in (spread.median, spread.least, spread.greatest)
    )
    median, least, greatest = shown
    return f"{median} ({least} to {greatest})"


def joined(folder: Path, name: str, machine: dict[str, str], comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return what an earlier run on the same machine left in the folder, with new comparisons in the place of old."""
    path = folder / f"{name}.json"
    earlier = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"machine": machine, "comparisons": []}
    )
    new = {(one.table, one.case) for one in comparisons}
    kept = [Comparison(**one) for one in earlier["comparisons"]] if earlier["machine"] == machine else []
    return [one for one in kept if (one.table, one.case) not in new] + list(comparisons)


def write_results(folder: Path, page: Path | None, machine: dict[str, str], comparisons: Sequence[Comparison]) -> None:
    """Write the figures and their tables; a page gets the tables between its two marks for this device.

    Args:
        machine: of `describe_machine`.
        comparisons: in the order of the rows; those that an earlier run on the same machine left stay before them.
        folder: `cpu.json` and `cpu.md`, or `cuda.json` and `cuda.md`, are written here.
        page: with a line `<!-- cpu -->` and a line `<!-- /cpu -->`, between which the tables go; none for none.
    """
    name = "cuda" if "device" in machine else "cpu"
    folder.mkdir(parents=True, exist_ok=True)
    comparisons = joined(folder, name, machine, comparisons)
    text = as_markdown(machine, comparisons)
    for path, content in ((folder / f"{name}.json", as_json(machine, comparisons)), (folder / f"{name}.md", text)):
        _write(path, content)
    if page is not None:
        before, begin, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not (begin and end):
            raise ValueError(f"Expected the lines <!-- {name} --> and <!-- /{name} --> in {page}; put them back.")
        _write(page, before + begin + "\n" + text + "\n" + end + after)


def _write(path: Path, content: str) -> None:
    with whole_file(path) as beside:
        beside.write_text(content, encoding="utf-8")
