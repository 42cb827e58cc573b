"""Pages: links lead somewhere, Python on them runs, examples run; without a network."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from sphinx_gallery import gen_gallery
from sphinx_gallery.notebook import jupyter_notebook
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

from monai_cardiacgen.inferers import PhantomSynthesizer

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("bundles/*/docs/*.md"))
    if "gallery" not in page.relative_to(ROOT).parts
)
#: Pages whose Python runs; on the others it is compiled.
RUN = sorted((ROOT / "README.md", DOCS / "get_started.md", *DOCS.glob("how_to/*.md")))
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
#: Those that the repository keeps; `make docs` makes one of every example.
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
#: The built page, which exists after `make docs` only.
_GALLERY = DOCS / "gallery" / "index"

_LINK = re.compile(r"\[[^]]*\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(
    r"^( *)```(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^ *```\n(?P<after><!-- compiled only: .+ -->)?", re.S | re.M
)


def anchor_of(heading: str) -> str:
    """Return the anchor that code hosts and MyST give a heading."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", lambda found: found[1] or "", heading).strip().lower()
    kept = "".join(one for one in plain if one in " -_" or unicodedata.category(one)[0] in "LN")
    return kept.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {anchor_of(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}


def python_of(page: Path) -> list[tuple[str, bool]]:
    """Return the page's blocks of Python, and whether each runs."""
    found = [one for one in _FENCE.finditer(page.read_text(encoding="utf-8")) if one["kind"] == "python"]
    return [(re.sub(f"^{one[1]}", "", one["body"], flags=re.M), one["after"] is None) for one in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in _LINK.finditer(re.sub(r"`[^`\n]*`", "", text)):
        target, _, anchor = link["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            assert target.startswith(("https://", "http://hdl.handle.net/", "mailto:")), link[0]
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists() or there == _GALLERY, f"{link[0]} of {page} leads nowhere"
        assert not anchor or anchor in anchors(there), f"{there} has no heading for {link[0]}"


def test_every_page_is_in_a_table_of_contents():
    listed = {DOCS / "index.md"}
    for page in DOCS.rglob("*.md"):
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {one.resolve() for name in names for one in page.parent.glob(f"{name}.md")}
    pages = {page for page in DOCS.rglob("*.md") if not {"gallery", "benchmarks"} & set(page.relative_to(DOCS).parts)}
    assert pages <= listed


def test_every_folder_has_a_page_of_reference():
    folders = {path.parent.name for path in ROOT.glob("monai_cardiacgen/*/__init__.py")}
    assert folders <= {page.stem for page in DOCS.glob("reference/*.md")}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if python_of(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_python_on_pages_compiles(page):
    for source, _ in python_of(page):
        compile(source, str(page), "exec")


@pytest.fixture
def in_a_fresh_folder(tmp_path, monkeypatch):
    """A folder with three phantom patients, in which phantoms are few."""
    from monai_cardiacgen.phantom import write_acdc_phantom

    monkeypatch.chdir(tmp_path)
    write_acdc_phantom("patients", patients=1, seed=0)
    born = PhantomSynthesizer.__init__
    few = {"patients": 1}
    monkeypatch.setattr(
        PhantomSynthesizer, "__init__", lambda self, *args, **named: born(self, *args, **{**named, **few})
    )


@pytest.mark.parametrize(
    "page", [page for page in RUN if any(runs for _, runs in python_of(page))], ids=lambda page: page.stem
)
@pytest.mark.usefixtures("in_a_fresh_folder")
@pytest.mark.filterwarnings("ignore::UserWarning:monai.*", "ignore::FutureWarning")
def test_python_on_pages_runs(page):
    names: dict[str, object] = {}
    for source, runs in python_of(page):
        if runs:
            exec(compile(source, str(page), "exec"), names)


def test_pages_are_built_without_a_warning(tmp_path):
    # The examples are shown and not run here, for they take minutes: `make docs` runs them.
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-D", "sphinx_gallery_conf.plot_gallery=0"]
    ended = subprocess.run([*build, "-d", tmp_path / "trees", DOCS, tmp_path / "pages"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    asked = re.compile(r"""<(?:script|link|img|iframe)[^>]*\b(?:src|href)=["']?https?:""")
    assert not [page for page in (tmp_path / "pages").rglob("*.html") if asked.search(page.read_text("utf-8"))]
    assert "Replace a sample" in (tmp_path / "pages" / "reference" / "transforms.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebooks_say_what_their_scripts_say(notebook):
    gallery_conf = copy.deepcopy(gen_gallery.DEFAULT_GALLERY_CONF)
    _, blocks = split_code_and_text_blocks(notebook.with_suffix(".py"))
    made = json.loads(json.dumps(jupyter_notebook(blocks, gallery_conf, notebook.parent)))
    kept = json.loads(notebook.read_text(encoding="utf-8"))
    assert kept["cells"] == made["cells"], f"run sphinx_gallery_py2jupyter examples/{notebook.stem}.py"
    assert not any("gallery_parts" in "".join(cell["source"]) for cell in kept["cells"]), "it stands by itself"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_examples_compile_and_tell_what_they_show(example):
    source = example.read_text(encoding="utf-8")
    compile(source, str(example), "exec")
    assert re.match(r'"""\n[^\n]+\n=+\n\n[A-Z`]', source), "a title and a caption come first"
