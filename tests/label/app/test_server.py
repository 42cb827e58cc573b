"""The server as its users meet it: started by the command, asked over HTTP, killed, and started again.

It needs MONAI Label, which has an environment of its own: `make test-label` builds it and runs this.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import signal
import socket
import time
import zipfile
from pathlib import Path
from shutil import copytree

import nibabel as nib
import numpy as np
import pytest
import torch
from conftest import REAL_DATA
from monai.bundle import ConfigParser
from small_hearts import tiny_synthesizer

pytest.importorskip("monailabel", reason="MONAI Label is in an environment of its own: make test-label")

import nrrd
import requests

from benchmarks.label_load import load, uploads
from benchmarks.label_server import LabelServer, served
from monai_cardiacgen.data.files import save_checkpoint
from monai_cardiacgen.phantom import write_acdc_phantom, write_mmwhs_phantom

BUNDLES = Path(__file__).parents[3] / "bundles"
ED, OTHER = "patient001_frame01", "patient002_frame01"
LEAST_MIB = 1


def volume(answer: requests.Response, folder: Path) -> nib.Nifti1Image:
    assert answer.status_code == 200, answer.text
    path = folder / "answer.nii.gz"
    path.write_bytes(answer.content)
    return nib.load(path)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> list[Path]:
    """The repository's bundles, with tiny weights that know nothing where they have none."""
    root = tmp_path_factory.mktemp("bundles")
    for name in ("cardiac_segmentation", "cine_mr_vaegan", "aorta_wgan_gp"):
        copytree(BUNDLES / name, root / name)
    parser = ConfigParser()
    parser.read_config(root / "cardiac_segmentation" / "configs" / "inference.json")
    torch.manual_seed(0)
    weights = parser.get_parsed_content("network_def").state_dict()
    save_checkpoint(root / "cardiac_segmentation" / "models" / "model.pt", weights)
    synthesizer = tiny_synthesizer()
    synthesizer.spacing = synthesizer.sampler.spacing = (5.0, 5.0)  # so that its 32 pixels show a whole heart
    synthesizer.to_bundle(root / "cine_mr_vaegan")
    settings = root / "aorta_wgan_gp" / "configs" / "inference.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "steps": 5, "starts": 2, "candidates": 8}))
    return sorted(root.iterdir())


@pytest.fixture(scope="module")
def patients(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("patients")
    for number in (1, 2):
        write_acdc_phantom(folder, number, 0)
    return folder


@pytest.fixture(scope="module")
def server(patients, bundles, tmp_path_factory):
    with served(patients, tmp_path_factory.mktemp("server") / "app", bundles, LEAST_MIB) as running:
        yield running


def frames_of(server: LabelServer) -> list[str]:
    stored = server.get("/datastore/?output=all").json()["objects"]
    return sorted(name for name, study in stored.items() if not study["image"]["info"].get("synthetic"))


def test_info_names_each_task_whose_bundle_is_there(server):
    info = server.get("/info/").json()
    assert set(info["models"]) == {"cardiac_segmentation", "synthesize", "vary", "repair", "inpaint"}
    assert set(info["strategies"]) == {"random", "disagreement"}
    assert set(info["scoring"]) == {"dice"}
    assert info["labels"] == ["right ventricular cavity", "myocardium", "left ventricular cavity"]
    settings = info["trainers"]["cardiac_segmentation"]["config"]
    assert settings["synthetic_prob"] == 0.5
    assert settings["synthetic_source"] == ["cine_mr_vaegan", "phantoms"]
    assert info["datastore"]["total"] == info["datastore"]["completed"] == 4


def test_the_patients_own_files_are_left_alone(server, patients):
    assert all(path.suffix in (".cfg", ".gz") for path in patients.rglob("*") if path.is_file())
    assert not (patients / "datastore_v2.json").exists()


def test_a_segmentation_lies_on_the_images_grid_and_is_scored(server, patients, tmp_path):
    image = nib.load(patients / "patient001" / f"{ED}.nii.gz")
    made = volume(server.infer("cardiac_segmentation", ED, "image", save_label=True), tmp_path)
    assert made.shape == image.shape
    np.testing.assert_allclose(made.header.get_zooms(), image.header.get_zooms(), rtol=1e-4)
    assert set(np.unique(made.get_fdata())) <= {0, 1, 2, 3}
    for_ohif = server.infer("cardiac_segmentation", ED, "image", result_extension=".nrrd", result_compress=False)
    (tmp_path / "answer.nrrd").write_bytes(for_ohif.content)
    values, header = nrrd.read(str(tmp_path / "answer.nrrd"))
    assert np.array_equal(values, made.get_fdata())
    assert (values.dtype, header["encoding"]) == (np.uint8, "raw")
    assert server.post("/scoring/dice?run_sync=true").json().keys() == {ED}
    truth = nib.load(patients / "patient001" / f"{ED}_gt.nii.gz").get_fdata()
    ours, expert = made.get_fdata() == 3, truth == 3
    dice = server.get(f"/datastore/image/info?image={ED}").json()["dice"]["left ventricular cavity"]
    assert dice == pytest.approx(2 * (ours & expert).sum() / (ours.sum() + expert.sum()))


@pytest.mark.parametrize("mode", ["synthesize", "vary"])
def test_a_synthetic_case_becomes_a_study_that_is_no_source(server, mode, tmp_path):
    answer = server.infer(mode, ED, seed=7, save_study=True)
    assert answer.status_code == 200, answer.text
    study = answer.json()["study"]
    assert server.get(f"/datastore/image/info?image={study}").json()["synthetic"] is True
    image = volume(server.get(f"/datastore/image?image={study}"), tmp_path)
    assert image.header["descrip"].item().decode().startswith("synthetic")
    label = nib.load(server.studies / "labels" / "final" / f"{study}.nii.gz")
    assert label.shape == image.shape
    assert set(np.unique(label.get_fdata())) == {0, 1, 2, 3}
    again = volume(server.infer(mode, ED, "image", seed=7), tmp_path)
    assert np.array_equal(again.get_fdata(), nib.load(server.studies / f"{study}.nii.gz").get_fdata())
    other = volume(server.infer(mode, ED, "image", seed=8), tmp_path)
    assert other.shape == again.shape
    assert not np.array_equal(other.get_fdata(), again.get_fdata())
    for wrong in (server.infer(mode, study), server.infer(mode, ED, seed=7, save_study=True)):
        assert wrong.status_code == 400
    told = server.put(f"/datastore/image/info?image={study}", data={"info": '{"synthetic": false}'})
    assert told.status_code == 200
    assert server.infer(mode, study).status_code == 400


def test_a_drawn_label_is_painted(server, patients, tmp_path):
    drawn = nib.load(patients / "patient001" / f"{ED}_gt.nii.gz")
    smaller = np.where(drawn.get_fdata() == 1, 0, drawn.get_fdata()).astype(np.uint8)  # without the right ventricle
    path = tmp_path / "drawn.nii.gz"
    nib.save(nib.Nifti1Image(smaller, drawn.affine), path)
    made = volume(server.infer("synthesize", ED, "image", label=path, result="label", seed=1), tmp_path)
    assert set(np.unique(made.get_fdata())) == {0, 2, 3}


def test_repair_tells_which_slices_are_valid(server, patients, tmp_path):
    drawn = nib.load(patients / "patient002" / f"{OTHER}_gt.nii.gz")
    holed = drawn.get_fdata().astype(np.uint8)
    middle = holed.shape[2] // 2
    x, y = (int(place.mean()) for place in np.nonzero(holed[:, :, middle] == 3))
    holed[x, y, middle] = 0  # a hole in the cavity
    path = tmp_path / "holed.nii.gz"
    nib.save(nib.Nifti1Image(holed, drawn.affine), path)
    answer = server.infer("repair", OTHER, label=path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["valid_before"][middle] is False
    assert len(answer.json()["valid"]) == holed.shape[2]


def test_an_uploaded_volume_is_inpainted(server, tmp_path):
    folder = write_mmwhs_phantom(tmp_path, 1, 0, "mr", size=(72, 72, 12), spacing=(4.0, 4.0, 8.0))
    image = next(folder.glob("*_image.nii.gz"))
    sent = server.put("/datastore/image?image=thorax", files={"file": (image.name, image.read_bytes())})
    assert sent.status_code == 200, sent.text
    with next(folder.glob("*_descending_aorta.csv")).open() as table:
        point = next(csv.DictReader(table))
    centre = [float(point[axis]) for axis in ("x", "y", "slice")]
    volumes = {}
    for result in ("anomaly", "healthy", "z_score"):
        volumes[result] = volume(server.infer("inpaint", "thorax", "image", centre=centre, result=result), tmp_path)
        volumes[result].get_fdata()
    assert {made.shape for made in volumes.values()} == {(64, 64, 1)}
    anomaly = volumes["anomaly"].get_fdata()
    assert anomaly.max() > 0
    assert anomaly[:15].max() == 0  # outside of the mask of 25 pixels nothing differs
    voxel = np.linalg.inv(volumes["anomaly"].affine) @ nib.load(image).affine @ [*centre, 1]
    assert np.abs(voxel[:2] - 32).max() <= 1  # the middle of the patch is the point that was asked about
    for wrong in ([1, 2], "a, b, c", [1e6, 0, 0], ""):
        assert server.infer("inpaint", "thorax", centre=wrong).status_code == 400
    assert server.delete("/datastore/image?id=thorax").status_code == 200


def test_training_with_synthesis_and_without_then_active_learning(server):
    quick = {"max_epochs": 1, "iterations_per_epoch": 2, "val_split": 0.5}
    untrained = server.post("/activelearning/disagreement")
    weights = server.app / "bundles" / "cardiac_segmentation" / "models"
    before = (weights / "model.pt").read_bytes()
    for prob, name in ((0.5, "model.pt"), (0.0, "model_real.pt")):
        answer = server.post("/train/cardiac_segmentation?run_sync=true", json={**quick, "synthetic_prob": prob})
        assert answer.status_code == 200, answer.text
        assert answer.json()["weights"] == name
        assert answer.json()["validation"] == 2  # one patient's two frames, no synthetic ones
    assert (weights / "model.pt").read_bytes() != before
    assert "cardiac_segmentation_real" in server.get("/info/").json()["models"]
    assert server.delete(f"/datastore/label?id={OTHER}&tag=final").status_code == 200
    chosen = server.post("/activelearning/disagreement").json()
    assert chosen["id"] == OTHER
    assert 0 <= chosen["disagreement"] <= 1
    assert untrained.status_code == 200
    assert untrained.json() == {}  # while all were labelled, nothing was asked for


def test_batch_inference_labels_every_study(server):
    answer = server.post("/batch/infer/cardiac_segmentation?images=all&run_sync=true", json={})
    assert answer.status_code == 200, answer.text
    assert not [one for one in answer.json().values() if "error" in one]
    tags = server.get("/datastore/").json()["label_tags"]
    assert tags["original"] == server.get("/datastore/").json()["total"]


def test_a_label_that_is_sent_replaces_the_stored_one(server, patients):
    label = patients / "patient002" / f"{OTHER}_gt.nii.gz"
    answer = server.put(f"/datastore/label?image={OTHER}&tag=final", files={"label": (label.name, label.read_bytes())})
    assert answer.status_code == 200, answer.text
    stored = server.get(f"/datastore/label?label={OTHER}&tag=final")
    assert stored.content == label.read_bytes()


def test_a_packed_data_set_is_deleted_once_it_is_sent(server):
    before = uploads(server)
    answer = server.get("/datastore/dataset")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert f"image/{ED}.nii.gz" in archive.namelist()
    until = time.monotonic() + 10
    while uploads(server) != before and time.monotonic() < until:
        time.sleep(0.1)
    assert uploads(server) == before


def labels_that_are_wrong(label: Path, folder: Path) -> dict[str, bytes]:
    drawn = nib.load(label)
    codes = drawn.get_fdata().astype(np.int16)
    made = {"codes": np.where(codes == 3, 7, codes), "slice": codes[:, :, 0], "size": codes[1:]}
    wrong = {"empty": b"", "text": b"no image", "cut": label.read_bytes()[:400]}
    for name, values in made.items():
        path = folder / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(values, drawn.affine), path)
        wrong[name] = path.read_bytes()
    return wrong


def claims_too_much() -> bytes:
    """Return a packed file whose header claims, and which holds, a volume larger than memory should hold."""
    header = nib.Nifti1Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape((4096, 4096, 4096))
    return gzip.compress(header.binaryblock + b"\0" * 100_000)


def test_wrong_requests_get_4xx_and_one_sentence(server, patients, tmp_path):
    before = uploads(server)
    label = patients / "patient001" / f"{ED}_gt.nii.gz"
    kept = server.get(f"/datastore/label?label={ED}&tag=final").content
    answers = {}
    for name, content in labels_that_are_wrong(label, tmp_path).items():
        sent = {"label": (f"{name}.nii.gz", content)}
        answers[f"{name} stored"] = server.put(f"/datastore/label?image={ED}&tag=final", files=sent)
        answers[f"{name} painted"] = server.post(f"/infer/synthesize?image={ED}", files=sent)
    whole = {"label": (label.name, label.read_bytes())}
    answers["unknown study"] = server.infer("vary", "nobody")
    answers["unknown task"] = server.infer("nothing", ED)
    answers["unknown study's label"] = server.put("/datastore/label?image=nobody", files=whole)
    answers["no image"] = server.post("/infer/vary")
    answers["a path"] = server.infer("vary", "/etc/passwd")
    answers["a path in params"] = server.post(
        f"/infer/vary?image={ED}", data={"params": json.dumps({"image": "/etc/passwd"})}
    )
    answers["a label's path in params"] = server.post(
        f"/infer/vary?image={ED}", data={"params": json.dumps({"label": "/etc/passwd"})}
    )
    answers["a way out"] = server.put("/datastore/label?image=../../out&tag=final", files=whole)
    answers["a tag that is a way out"] = server.put(f"/datastore/label?image={ED}&tag=../x", files=whole)
    answers["a study that is there"] = server.put(f"/datastore/image?image={ED}", files={"file": whole["label"]})
    answers["a damaged study"] = server.put("/datastore/image?image=new", files={"file": ("a.nii.gz", b"no")})
    answers["another kind of file"] = server.put("/datastore/image?image=new", files={"file": ("a.png", b"no")})
    answers["too much"] = server.put("/datastore/image?image=new", files={"file": ("a.nii", b"0" * 2**21)})
    answers["too much in pieces"] = server.put("/datastore/image?image=new", data=iter([b"0" * 2**20] * 3))
    answers["a claim"] = server.put("/datastore/image?image=new", files={"file": ("a.nii.gz", claims_too_much())})
    answers["a long name"] = server.put_label(ED, "final", label.read_bytes(), "x." + "y" * 300)
    answers["a session"] = server.post(f"/infer/vary?image={ED}&session_id=x")
    answers["voxels alone"] = server.post(f"/infer/repair?image={ED}", files={"label": ("label.bin", b"0")})
    answers["weights"] = server.put("/model/cardiac_segmentation", files={"file": ("model.pt", b"0")})
    answers["a proxy"] = server.get("/proxy/dicom/studies")
    answers["a slide"] = server.post("/infer/wsi/vary?image=/etc/passwd", json={})
    answers["a new start"] = server.post("/reload")
    answers["another page"] = server.post("/activelearning/random", headers={"Origin": "http://example.org"})
    answers["another name"] = server.get("/info/", headers={"Host": "example.org"})
    for number in ("NaN", "1e999", "[" * 100_000):
        told = {"info": f'{{"ts": {number}}}'}
        answers[f"info of {number[:5]}"] = server.put(f"/datastore/image/info?image={ED}", data=told)
    answers["no JSON"] = server.post(f"/infer/vary?image={ED}", data={"params": "{"})
    answers["no object"] = server.post(f"/infer/vary?image={ED}", data={"params": "[1]"})
    answers["a strength"] = server.infer("vary", ED, strength=7)
    answers["a tag"] = server.infer("repair", ED, save_label=True, label_tag="../x")
    answers["a packing"] = server.infer("repair", ED, result_extension=".nrrd", result_compress="much")
    answers["a result"] = server.infer("vary", ED, result="nothing")
    answers["an unknown strategy"] = server.post("/activelearning/nothing")
    answers["an unknown training"] = server.post("/train/nothing?run_sync=true", json={})
    answers["a probability"] = server.post("/train/cardiac_segmentation?run_sync=true", json={"synthetic_prob": "much"})
    for name, answer in answers.items():
        assert 400 <= answer.status_code < 500, (name, answer.status_code, answer.text)
        assert isinstance(answer.json()["detail"], str), name
        assert len(answer.json()["detail"]) > 10, name
        assert "Traceback" not in answer.text, name
    assert server.get(f"/datastore/label?label={ED}&tag=final").content == kept
    assert not list(server.studies.glob("new*"))
    assert not list(server.studies.parent.rglob("out.nii.gz"))
    assert uploads(server) == before
    assert server.get("/datastore/?output=all").status_code == 200
    assert server.post("/activelearning/random", headers={"Origin": server.address}).status_code == 200


def test_a_study_without_a_label(server, tmp_path):
    image = next(server.studies.glob(f"{ED}.nii.gz"))
    assert (
        server.put("/datastore/image?image=bare", files={"file": ("a.nii.gz", image.read_bytes())}).status_code == 200
    )
    for task in ("synthesize", "vary", "repair"):
        answer = server.infer(task, "bare")
        assert answer.status_code == 400
        assert "got none" in answer.json()["detail"]


def test_clients_at_once_lose_no_label(server, patients):
    """A short form of `python -m benchmarks.label_load`."""
    before = uploads(server)
    seen = load(server, patients, clients=8, seconds=120, requests_each=3, seed=1)
    assert not seen.faults
    assert seen.statuses.total() == 24
    assert seen.labels
    assert max(seen.more().values()) <= 8
    assert uploads(server) == before


def test_a_killed_server_leaves_no_half_written_label(server, patients, bundles):
    """Killed while an upload is on its way, and started again with what a kill while writing may leave.

    It is the last to ask this server. The second one serves what the first stored.
    """
    label = (patients / "patient001" / f"{ED}_gt.nii.gz").read_bytes()
    kept = {path.name: path.read_bytes() for path in server.studies.rglob("*.nii.gz")}
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"PUT /datastore/label?image={ED}&tag=mine HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(label)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    assert {path.name: path.read_bytes() for path in server.studies.rglob("*.nii.gz")} == kept
    left = server.studies / "labels" / "final" / f".{ED}.nii.gz.99.part"
    left.write_bytes(label[:100])
    stale = server.app / "uploads" / "tmpabc.nii.gz"
    stale.write_bytes(label[:100])
    with served(patients, server.app, bundles, LEAST_MIB) as second:
        assert not left.exists()
        assert not stale.exists()
        assert second.label(ED, "final").content == label
        assert "cardiac_segmentation_real" in second.get("/info/").json()["models"]  # what the first one trained


@pytest.mark.real_data
def test_two_real_patients(bundles, tmp_path):
    if not (REAL_DATA / "acdc" / "training").is_dir():
        pytest.skip("the real ACDC cases are not on this machine")
    real = tmp_path / "patients"
    for folder in sorted((REAL_DATA / "acdc" / "training").glob("patient*"))[:2]:
        (real / folder.name).mkdir(parents=True)
        for path in folder.iterdir():
            (real / folder.name / path.name).symlink_to(path)
    with served(real, tmp_path / "app", bundles, LEAST_MIB) as server:
        frames = frames_of(server)
        assert len(frames) == 4
        for task in ("cardiac_segmentation", "synthesize", "vary"):
            answer = server.infer(task, frames[0], "image")
            made = volume(answer, tmp_path)
            assert np.isfinite(made.get_fdata()).all()
            spacing = nib.load(server.studies / f"{frames[0]}.nii.gz").header.get_zooms()
            assert made.header.get_zooms()[2] == pytest.approx(spacing[2], rel=1e-3)
        quick = {"max_epochs": 1, "iterations_per_epoch": 2, "val_split": 0.5}
        assert server.post("/train/cardiac_segmentation?run_sync=true", json=quick).json()["validation"] == 2
