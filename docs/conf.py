"""How Sphinx builds these pages: `make docs`. Reading the result needs no network."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import typer
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator
from sphinx_gallery.scrapers import figure_rst
from typer.cli import get_docs_for_click

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT / "examples"))

from monai_cardiacgen import __version__  # noqa: E402
from monai_cardiacgen.cli import app as cli  # noqa: E402

project = "monai_cardiacgen"
author = "The monai_cardiacgen developers"
copyright = "2026, the monai_cardiacgen developers; Apache-2.0"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
]
exclude_patterns = [
    "build",
    "benchmarks",
    "gallery/*.ipynb",
    "gallery/*.py",
    "gallery/*.md5",
    "**sg_execution_times.rst",
]
suppress_warnings = ["config.cache"]  # a function stands among the settings, which cannot be kept

default_role = "code"  # the examples' captions become notebooks, too, and mark code as these do

# Pages are Markdown that reads well without Sphinx, too; headings get the anchors that code hosts give them.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# One page for every folder: the public names in the order of their `__all__`.
autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Source"]


def scrape_films(block: object, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Keep what an example's block leaves in `gif`, a GIF's bytes, beside its figures."""
    film = block_vars["example_globals"].pop("gif", None)
    if film is None:
        return ""
    path = Path(next(block_vars["image_path_iterator"])).with_suffix(".gif")
    path.write_bytes(film)
    return figure_rst([str(path)], gallery_conf["src_dir"])


#: Whether the bundle whose weights one of the examples needs has them.
_PAINTED = (ROOT / "bundles" / "cine_mr_vaegan" / "models" / "synthesizer.pt").is_file()

sphinx_gallery_conf = {
    "image_scrapers": ("matplotlib", scrape_films),
    "examples_dirs": [str(ROOT / "examples")],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"plot_",
    "ignore_pattern": r"gallery_parts\.py" if _PAINTED else r"(gallery_parts|plot_restyle)\.py",
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # that page would ask the network for its looks
    "reset_modules": ("matplotlib",),
    "abort_on_example_error": True,
}

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"monai_cardiacgen {__version__}"
html_static_path = ["static"]
html_css_files = ["narrow.css"]
html_show_sourcelink = False
copybutton_exclude = ".linenos, .gp, .go"

#: Pages whose text stands elsewhere in the repository; what lies in docs/ is a link to it, for readers of the files.
MIRRORS = {
    "project/changelog": ROOT / "CHANGELOG.md",
    "project/contributing": ROOT / "CONTRIBUTING.md",
    **{f"models/{folder.name}": folder / "docs" / "README.md" for folder in sorted((ROOT / "bundles").iterdir())},
}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<body>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_FORMULA = re.compile(r"^(?P<indent> *)\$\$(?P<body>.+?)\$\$", re.DOTALL | re.MULTILINE)
_INLINE_FORMULA = re.compile(r"(?<!\$)\$([^$`]+)\$(?!\$)")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)(\w?)")
_IMAGE = re.compile(r"!\[(?P<text>[^]]*)\]\((?P<target>[^)#:\s]+)\)")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^]]*)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")


def _page_of(target: Path) -> Path | None:
    """Return the page of these docs that stands for a file or folder of the repository, or None."""
    if target.is_relative_to(DOCS):
        return target
    for name, source in MIRRORS.items():
        if target == source:
            return DOCS / f"{name}.md"
    if target == ROOT / "README.md":
        return DOCS / "index.md"
    room = target.relative_to(ROOT).parts if target.is_relative_to(ROOT) else ()
    if room[:1] == ("monai_cardiacgen",) and len(room) > 1:
        page = DOCS / "reference" / f"{room[1]}.md"
        return page if page.is_file() else None
    return None


def _published(source: str, origin: Path, page: Path) -> str:
    """Return Markdown of the file `origin` with its links as they must be on `page`; others become plain text."""

    def relinked(link: re.Match[str]) -> str:
        there = (origin.parent / link["target"]).resolve()
        target = _page_of(there)
        if target is None:
            path = f"`{os.path.relpath(there, ROOT)}`"
            return f"{path} in the repository" if link["text"] == path else f"{link['text']} ({path} in the repository)"
        steps = len(page.parent.relative_to(DOCS).parts)
        return f"[{link['text']}]({'../' * steps}{target.relative_to(DOCS).as_posix()}{link['anchor'] or ''})"

    def shown(image: re.Match[str]) -> str:
        return f"![{image['text']}]({os.path.relpath(origin.parent / image['target'], page.parent)})"

    return _LINK.sub(relinked, _IMAGE.sub(shown, source))


def _read(app: object, name: str, source: list[str]) -> None:
    page = DOCS / f"{name}.md"
    if name in MIRRORS:
        source[0] = _published(MIRRORS[name].read_text(encoding="utf-8"), MIRRORS[name], page)
    elif page.is_file():
        source[0] = _published(source[0], page, page)
    if name == "reference/commands":
        command = typer.main.get_command(cli)
        told = get_docs_for_click(obj=command, ctx=typer.Context(command), name="cardiacgen")
        source[0] += told.replace("# `cardiacgen`", "## `cardiacgen`", 1).replace("```console", "```text")


def _restructured(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Turn a docstring's Markdown, `code`, $formulas$ and fenced blocks, into reStructuredText."""
    text = _FENCE.sub(
        lambda found: _directive(f"code-block:: {found['kind'] or 'text'}", found["indent"], found["body"]),
        "\n".join(lines),
    )
    text = _FORMULA.sub(lambda found: _directive("math::", found["indent"], found["indent"] + found["body"]), text)
    text = _CODE.sub(lambda found: f"``{found[1]}``" + (rf"\ {found[2]}" if found[2] else ""), text)
    text = _INLINE_FORMULA.sub(lambda found: f":math:`{' '.join(found[1].split())}`", text)
    lines[:] = text.split("\n")


def _directive(head: str, indent: str, body: str) -> str:
    """Return a directive with a body, both as deep as the block that it stands for."""
    inner = textwrap.indent(textwrap.dedent(body).strip("\n"), f"{indent}    ")
    return f"\n{indent}.. {head}\n\n{inner}\n"


class _Formulas:
    """Writes formulas as MathML, which browsers draw by themselves."""

    @staticmethod
    def inline(self: HTML5Translator, node: nodes.math) -> None:
        """Write one in a line."""
        self.body.append(tex2mathml(node.astext(), as_block=False))
        raise nodes.SkipNode

    @staticmethod
    def display(self: HTML5Translator, node: nodes.math_block) -> None:
        """Write one by itself."""
        self.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
        raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _restructured, priority=100)  # before napoleon, which sorts the sections
    app.add_html_math_renderer("mathml", (_Formulas.inline, None), (_Formulas.display, None))
