"""What the pages of studies share: their look, tables, pictures, and the frame that needs no other file."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from .figure_parts import png_base64

STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5b6770; --page: #ffffff; --card: #f4f6f7;
  --line: #d8dde1; --accent: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a3adb5; --page: #14181b; --card: #1e2428;
  --line: #343c42; --accent: #fb923c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .6rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
p { max-width: 44rem; margin: .6rem 0; }
.lead { font-size: 1.1rem; color: var(--soft); }
.verdict { background: var(--card); border-left: 4px solid var(--accent); padding: .7rem 1.1rem;
  margin: 1.5rem 0; border-radius: 0 6px 6px 0; }
figure { margin: 1.25rem 0; }
figure img { display: block; width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 6px; padding: .5rem; }
figcaption, .note { color: var(--soft); font-size: .92rem; max-width: 44rem; margin-top: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: right; padding: .4rem .55rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.words { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-weight: 600; font-size: .9rem; }
tr.total { font-weight: 700; }
th.words { text-align: left; white-space: normal; } thead th.group { text-align: center; }
details { margin: .8rem 0; } summary { cursor: pointer; font-weight: 600; }
"""


def document(title: str, body: Sequence[str]) -> str:
    """Return a whole page with these parts, each HTML already."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def text(content: Any) -> str:
    """Return anything as text that HTML does not take for its own.

    Example:
        >>> text("a < b")
        'a &lt; b'
    """
    return html.escape(str(content))


def paragraphs(sentences: Sequence[str]) -> str:
    """Return one paragraph a sentence."""
    return "".join(f"<p>{text(sentence)}</p>" for sentence in sentences)


def picture(figure: Figure, caption: str) -> str:
    """Return a figure within the page, with its caption."""
    return (
        f'<figure><img alt="{text(caption)}" src="data:image/png;base64,{png_base64(figure)}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def details(summary: str, inside: str) -> str:
    """Return HTML that opens when its summary is clicked."""
    return f"<details><summary>{text(summary)}</summary>{inside}</details>"


def table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    totals: Sequence[int] = (),
    groups: Sequence[tuple[str, int]] = (),
) -> str:
    """Return a table whose first column names its rows.

    Args:
        caption: above the table; none where it is empty.
        head: names of the columns; none where it is empty.
        rows: the cells of each row.
        totals: numbers of the rows in bold.
        groups: names over the columns with how many columns each spans.
    """
    lines = []
    for number, (name, *cells) in enumerate(rows):
        kind = ' class="total"' if number in totals else ""
        lines.append(
            f'<tr{kind}><th scope="row">{text(name)}</th>'
            + "".join(f"<td>{text(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    above = "".join(f'<th class="group" scope="colgroup" colspan="{span}">{text(name)}</th>' for name, span in groups)
    names = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    header = f"<thead>{f'<tr>{above}</tr>' if groups else ''}<tr>{names}</tr></thead>" if head else ""
    return _framed(caption, header, "".join(lines))


def pairs_table(caption: str, content: Mapping[str, Any]) -> str:
    """Return a table of names and what they stand for."""
    lines = "".join(
        f'<tr><th scope="row">{text(name)}</th><td class="words">{text(value)}</td></tr>'
        for name, value in content.items()
    )
    return _framed(caption, "", lines)


def split_table(split: Mapping[str, Sequence[str]]) -> str:
    """Return the patients of each use, folded away."""
    lines = "".join(
        f'<tr><th scope="row">{text(use)}</th><td>{len(patients)}</td>'
        f'<td class="words">{text(", ".join(patients))}</td></tr>'
        for use, patients in split.items()
    )
    summary = ", ".join(f"{len(patients)} patients for {use}" for use, patients in split.items())
    return details(summary, _framed("", "", lines))


def duration(seconds: float) -> str:
    """Return seconds as minutes and seconds.

    Example:
        >>> duration(125.2)
        '2 min 5 s'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _framed(caption: str, header: str, lines: str) -> str:
    named = f"<caption>{text(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{named}{header}<tbody>{lines}</tbody></table></div>'
