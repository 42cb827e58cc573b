"""Bundles that are missing, damaged, of the future, or meant to do harm."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from small_hearts import tiny_synthesizer
from wrong_input import Wrong, answered, rows

from monai_cardiacgen.data import bundle_folder as bundle_folders
from monai_cardiacgen.data.bundle_folder import bundle_folder
from monai_cardiacgen.errors import CheckpointError
from monai_cardiacgen.inferers import CardiacSynthesizer

NAN, INF = float("nan"), float("inf")
DESCRIPTION, MODEL, OTHERS = "configs/synthesizer.json", "models/model.pt", "models/synthesizer.pt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A bundle that can be read."""
    return tiny_synthesizer().to_bundle(tmp_path_factory.mktemp("whole") / "b")


def row(name, change, words):
    return Wrong(name, lambda at: CardiacSynthesizer.from_bundle(at / "b"), CheckpointError, words, change)


def described(name, change, words):
    def given(folder):
        path = folder / "b" / DESCRIPTION
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return row(f"description, {name}", given, ("a whole synthesizer", *words))


def text(name, content, words):
    return row(
        f"description, {name}", lambda at: (at / "b" / DESCRIPTION).write_bytes(content), ("synthesizer", *words)
    )


def weights(name, file, change, words):
    def given(folder):
        state = torch.load(folder / "b" / file, weights_only=True)
        torch.save(change(state) or state, folder / "b" / file)

    return row(f"weights, {name}", given, ("a whole synthesizer", *words))


def content(name, file, make, words=("a checkpoint at", "could not read")):
    def given(folder):
        path = folder / "b" / file
        path.write_bytes(make(path.read_bytes()))

    return row(f"weights, {name}", given, (file, *words))


class Bomb:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return (os.system, ("touch exploded",))


def exploding(folder):
    torch.save({"styles": Bomb()}, folder / "b" / OTHERS, pickle_module=pickle)


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


def set_nan(key):
    return lambda state: state.update({key: state[key] * NAN})


FOLDERS = [
    Wrong("nothing", lambda at: CardiacSynthesizer.from_bundle(at / "no"), CheckpointError, ("a synthesizer in",)),
    *[
        row(f"without {name}", lambda at, name=name: (at / "b" / name).unlink(), (Path(name).name, "could not read"))
        for name in (DESCRIPTION, MODEL, OTHERS)
    ],
    row(
        "of the zoo, without a synthesizer",
        lambda at: ((at / "b" / DESCRIPTION).unlink(), (at / "b" / "configs" / "metadata.json").write_text("{}")),
        ("plain values", "needs more", "python -m monai.bundle"),
    ),
    described("of the future", lambda it: it.update(format=2), ("format 1, got 2", "update monai_cardiacgen")),
    described("spacing of 0", lambda it: it.update(spacing=[0, 1]), ("positive spacings", "0.0")),
    described("spacing of none", lambda it: it.update(spacing=None), ("NoneType",)),
    described("provenance of letters", lambda it: it.update(provenance="abc"), ("do not fit",)),
    described("provenance of numbers", lambda it: it.update(provenance=[1]), ("do not fit",)),
    described(
        "an expression", lambda it: it.update(view="$__import__('os').system('touch exploded')"), ("begins with $",)
    ),
    described("unknown proposal", lambda it: it["sampler"].update(proposal="x"), ("proposals", "'x'")),
    described("no draws", lambda it: it["sampler"].update(max_draws=0), ("max_draws of at least 1",)),
    described("bandwidth of NaN", lambda it: it["sampler"].update(bandwidth=NAN), ("positive bandwidth", "nan")),
    described(
        "unknown view", lambda it: it["sampler"].update(anatomy_check=True, anatomy_view="x"), ("a view of", "'x'")
    ),
    described("fewer structures", lambda it: it["scheme"]["structures"].pop(), ("a scheme of 4 classes",)),
    described("other channels", lambda it: it["generator"].update(channels=[16, 8]), ("SPADEGenerator",)),
    described("a painter of 3D", lambda it: it["generator"].update(spatial_dims=3), ("3 sides in start_size",)),
    described(
        "a painter of terabytes", lambda it: it["generator"].update(hidden_channels=10**9), ("in a row", "1000000000")
    ),
    described("a shape model of petabytes", lambda it: it["vae"].update(channels=[10**7] * 2), ("numbers, got the",)),
    described("maps of terabytes", lambda it: it["vae"].update(spatial_size=[2**20] * 2), ("numbers, got the",)),
    described(
        "an encoder of terabytes", lambda it: it["style_encoder"].update(style_size=10**9), ("numbers, got the",)
    ),
    described("an unknown argument", lambda it: it["generator"].update(x=1), ("unexpected keyword argument 'x'",)),
    described("conditions of a list", lambda it: it.update(condition=[1]), ("do not fit",)),
    text("that is no JSON", b"{", ("JSON",)),
    text("in another encoding", b"\xff\xfe", ("utf-8",)),
    text("that is a list", b"[]", ("got list",)),
    text("of 100,000 brackets", b"[" * 100_000, ("recursion",)),
    weights(
        "of NaN", MODEL, lambda state: {key: one * NAN for key, one in state.items()}, ("model.pt", "NaN or infinite")
    ),
    weights(
        "some of them infinite",
        MODEL,
        lambda state: {**state, (name := next(iter(state))): state[name].clone().index_fill(0, torch.tensor([0]), INF)},
        ("model.pt", "NaN or infinite"),
    ),
    weights("styles of NaN", OTHERS, set_nan("styles"), ("synthesizer.pt", "NaN")),
    weights("latents of NaN", OTHERS, set_nan("latents"), ("synthesizer.pt", "NaN")),
    weights(
        "no styles", OTHERS, lambda state: {key: one for key, one in state.items() if key != "styles"}, ("'styles'",)
    ),
    weights("styles in words", OTHERS, lambda state: state.update(styles="a"), ("do not fit",)),
    weights(
        "three styles", OTHERS, lambda state: state.update(styles=state["styles"][:3]), ("styles of shape", "(3, 6)")
    ),
    weights(
        "latents in a list", OTHERS, lambda state: state.update(latents=state["latents"].tolist()), ("do not fit",)
    ),
    weights(
        "of other hearts",
        OTHERS,
        lambda state: state.update(latents=state["latents"][:3]),
        ("latents (N, 4)", "(3, 4)"),
    ),
    weights("of nobody", MODEL, lambda state: {"x": torch.zeros(1)}, ("do not fit",)),
    weights("in a list", MODEL, lambda state: [torch.zeros(3)], ("do not fit",)),
    content("cut in half", MODEL, lambda data: data[: len(data) // 2]),
    content("one byte changed", MODEL, flipped),
    content("empty", MODEL, lambda data: b""),
    row("weights, a text", lambda at: (at / "b" / OTHERS).write_text("hello"), (OTHERS, "could not read")),
    content("a pickle bomb", MODEL, lambda data: pickle.dumps(Bomb(), protocol=2)),
    row("weights, a pickle bomb within", exploding, (OTHERS, "could not read")),
]


@rows(FOLDERS)
def test_a_wrong_bundle_gets_one_error(wrong, whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(whole, tmp_path / "b")
    answered(wrong, tmp_path)
    assert not (tmp_path / "exploded").exists()


def packed(**members):
    """Return what writes a zip file `b.zip` of members by name, a tuple for bytes to repeat."""

    def given(folder):
        with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, member in {"configs/metadata.json": "{}", **members}.items():
                archive.writestr(name, member[0] * member[1] if isinstance(member, tuple) else member)

    return given


def zip_row(name, given, words):
    return Wrong(
        name, lambda at: CardiacSynthesizer.from_bundle(at / "b.zip"), CheckpointError, ("b.zip", *words), given
    )


ZIPS = [
    zip_row("no zip", lambda at: (at / "b.zip").write_text("x"), ("not a zip file",)),
    zip_row("of two bundles", packed(**{"a/configs/metadata.json": "{}"}), ("2 of them",)),
    zip_row("a bomb by ratio", packed(**{"models/model.pt": (b"\0" * 2**20, 8)}), ("8388610 bytes", "100 times")),
    zip_row("a bomb of JSON", packed(**{"configs/synthesizer.json": (b"[0,", 2**20)}), ("3145730 bytes", "at most")),
    zip_row("a bomb of files", packed(**{f"configs/{n}.json": "{}" for n in range(1001)}), ("1002 files", "1000")),
    zip_row("a name of 300 letters", packed(**{f"configs/{'a' * 300}.json": "{}"}), ("File name too long",)),
]


@rows(ZIPS)
def test_a_wrong_zip_gets_one_error(wrong, tmp_path):
    answered(wrong, tmp_path)


def test_a_zip_of_gigabytes_is_refused_whatever_its_ratio(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_folders, "MOST_BYTES", 1000)
    archive = shutil.make_archive(str(tmp_path / "b"), "zip", whole)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("configs/metadata.json", "{}")
    with pytest.raises(CheckpointError, match="at most 1000 of 1000 are unpacked"):
        CardiacSynthesizer.from_bundle(archive)


def test_a_size_that_lies_is_found_out_before_more_is_unpacked(whole, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "b"), "zip", whole))
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("configs/metadata.json", "{}")
    content = bytearray(archive.read_bytes())
    place = content.find(b"PK\x01\x02", content.find(b"PK\x01\x02") + 1)
    while not content[place + 46 :].startswith(b"models/model.pt"):
        place = content.find(b"PK\x01\x02", place + 1)
    content[place + 24 : place + 28] = b"\1\0\0\0"  # the unpacked size
    archive.write_bytes(content)
    with pytest.raises(CheckpointError, match="CRC"):
        CardiacSynthesizer.from_bundle(archive)


def test_links_and_names_up_the_tree_in_a_zip_write_nothing_outside(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("configs/metadata.json", "{}")
        for name in ("../configs/a.json", "/configs/b.json", "configs/../../c.json", "..\\configs\\d.json"):
            archive.writestr(name, "{}")
        link = zipfile.ZipInfo("models/link.pt")
        link.external_attr = 0o120777 << 16  # a symbolic link, as Unix marks it
        archive.writestr(link, "/etc/passwd")
    with bundle_folder(tmp_path / "b.zip") as folder:
        inside = {str(path.relative_to(folder)): path.is_symlink() for path in folder.rglob("*.*")}
    assert inside == {"configs/metadata.json": False, "models/link.pt": False}
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


def test_every_loader_of_weights_is_the_one_that_executes_nothing():
    """One module of the package calls `torch.load`, once, and with `weights_only=True`; none unpickles by itself."""
    package = Path(bundle_folders.__file__).parents[1]
    sources = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    loading = [path.name for path, source in sources.items() if "torch.load(" in source]
    assert loading == ["files.py"]
    (files,) = (source for path, source in sources.items() if path.parts[-2:] == ("data", "files.py"))
    assert files.count("torch.load(") == files.count("weights_only=True)") == 1
    for path, source in sources.items():
        for call in ("pickle.load", "yaml.load(", "yaml.unsafe_load(", "allow_pickle=True"):
            assert call not in source, path
