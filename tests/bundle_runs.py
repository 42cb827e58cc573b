"""Bundles run, and looked at as MONAI's own bundle tools see them: what the tests of bundles share."""

from __future__ import annotations

import os
import runpy
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from clean_process import IMPORTED
from ignite.engine import Events
from monai.bundle import ConfigWorkflow

import monai_cardiacgen
from monai_cardiacgen.anatomy.labels import LabelScheme
from monai_cardiacgen.data import SeedDataset
from monai_cardiacgen.data.files import read_json
from monai_cardiacgen.inferers import CardiacSynthesizer
from monai_cardiacgen.seeding import seeded

#: What launches a training on two ranks, with gloo on the CPU.
TWO_RANKS = ("torch.distributed.run", "--standalone", "--nnodes=1", "--nproc_per_node=2", "-m")
_ON_THE_CPU = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
BUNDLES = Path(__file__).parents[1] / "bundles"
METADATA_KEYS = {
    "schema": str,
    "version": str,
    "changelog": dict,
    "monai_version": str,
    "pytorch_version": str,
    "numpy_version": str,
    "required_packages_version": dict,
    "supported_apps": dict,
    "task": str,
    "description": str,
    "authors": str,
    "copyright": str,
    "network_data_format": dict,
}
FORMAT_KEYS = {
    "type": str,
    "format": str,
    "num_channels": int,
    "spatial_shape": list,
    "dtype": str,
    "value_range": list,
    "is_patch_data": bool,
    "channel_def": dict,
}


def fresh_bundle(name: str, folder: Path) -> Path:
    """Copy a bundle's configurations, but not what a training has written."""
    ignored = shutil.ignore_patterns("synthesizer.json")
    shutil.copytree(BUNDLES / name / "configs", folder / "configs", ignore=ignored)
    return folder


def train_by_command(root: Path, overrides: Mapping[str, Any], config: str, *launcher: str) -> Path:
    """Train by the command that the README names; one that fails or hangs, fails the test."""
    command = [sys.executable, "-m", *launcher, "monai.bundle", *_arguments(overrides, config)]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, **_ON_THE_CPU}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return root


def run_bundle(root: Path, overrides: Mapping[str, Any], config: str, run_id: str = "", ranks: int = 1) -> Path:
    """Do what `train_by_command` does, in processes forked from one that has imported PyTorch and MONAI.

    To import them takes an interpreter longer than what tests train. Ranks get the variables that a launcher gives.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outputs = [root / f"rank{rank}.log" for rank in range(ranks)]
    arguments = _arguments(overrides, config, run_id)
    processes = [
        IMPORTED.Process(target=_as_command, args=(root, arguments, rank, ranks, port, output))
        for rank, output in enumerate(outputs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(240)
        process.kill()
    said = "\n".join(output.read_text()[-6000:] for output in outputs)
    assert [process.exitcode for process in processes] == [0] * ranks, said
    for output in outputs:
        output.unlink()
    return root


def _arguments(overrides: Mapping[str, Any], config: str, run_id: str = "") -> list[str]:
    named = [part for name, value in overrides.items() for part in (f"--{name}", str(value))]
    return ["run", *([run_id] if run_id else []), "--config_file", config, *named]


def _as_command(root: Path, arguments: list[str], rank: int, ranks: int, port: int, output: Path) -> None:
    """Become `python -m monai.bundle`, one rank of several where there are several."""
    os.chdir(root)
    os.environ.update(_ON_THE_CPU)
    if ranks > 1:
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks), LOCAL_WORLD_SIZE=str(ranks))
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["monai.bundle", *arguments]
    runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)


def workflow(root: Path, kind: str, *more: str, **overrides: Any) -> ConfigWorkflow:
    """Return the initialized workflow of a bundle's configurations, `kind` and then `more`."""
    one = ConfigWorkflow(
        [str(root / "configs" / f"{name}.json") for name in (kind, *more)],
        workflow_type="train" if kind == "train" else "inference",
        logging_file=False,  # pytest has its own logging
        bundle_root=str(root),
        **overrides,
    )
    one.initialize()
    return one


def steps_of(training: ConfigWorkflow) -> int:
    """Train, and return how many steps that took."""
    steps: list[int] = []
    training.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: steps.append(engine.state.iteration))
    training.run()
    training.finalize()
    return len(steps)


def check_sampled_pairs(root: Path, folder: Path) -> None:
    """Sample three cases and assert that they are written as pairs which their seeds make again."""
    sampling = workflow(root, "inference", count=3, batch_size=2, seed=5, output_dir=str(folder))
    sampling.run()
    assert sorted(path.name for path in folder.iterdir()) == [
        f"synthetic_{number:06d}{postfix}.nii.gz" for number in range(3) for postfix in ("", "_gt")
    ]
    synthesizer = CardiacSynthesizer.from_bundle(root)
    size = synthesizer.spatial_size
    for case in SeedDataset(3, seed=5):
        stem = folder / f"synthetic_{case['number']:06d}"
        image, label = (nibabel.load(f"{stem}{postfix}.nii.gz") for postfix in ("", "_gt"))
        expected = synthesizer.sample(1, [seeded(case["seed"])])
        assert label.get_data_dtype() == np.uint8
        assert np.array_equal(np.asarray(label.dataobj).reshape(size), expected.label[0].numpy())
        assert np.allclose(np.asarray(image.dataobj).reshape(size), expected.image[0, 0].numpy(), atol=1e-5)
        assert np.allclose(image.header.get_zooms()[:2], synthesizer.spacing)
        assert np.array_equal(image.affine, label.affine)


def check_metadata(name: str, scheme: LabelScheme) -> None:
    """Assert that a bundle's metadata has what MONAI's schema requires and names the scheme's classes."""
    metadata = read_json(BUNDLES / name / "configs" / "metadata.json")
    assert {key: type(metadata.get(key)) for key in METADATA_KEYS} == METADATA_KEYS
    tensors = [metadata["network_data_format"]["inputs"]["image"], metadata["network_data_format"]["outputs"]["pred"]]
    for tensor in tensors:
        assert {key: type(tensor.get(key)) for key in FORMAT_KEYS} == FORMAT_KEYS
        assert len(tensor["channel_def"]) == tensor["num_channels"]
    assert metadata["version"] in metadata["changelog"]
    assert metadata["required_packages_version"]["monai_cardiacgen"] == monai_cardiacgen.__version__
    names = ["background", *(one.name for one in scheme.structures)]
    assert tensors[0]["channel_def"] == {str(channel): name for channel, name in enumerate(names)}
