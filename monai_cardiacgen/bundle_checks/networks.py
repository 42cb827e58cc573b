"""Does a bundle's network take and give what its metadata say, and is it the same once it is exported?"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser, ckpt_export, onnx_export, verify_net_in_out
from torch import nn

from ..data.files import load_checkpoint, read_json
from ..seeding import seeded
from .check import Check
from .quiet import first_line, quietly

#: How far an exported network may be from the original, in units of the output.
TOLERANCE = 1e-4
NETWORK = "network_def"
_TORCHSCRIPT, _ONNX = "TorchScript gives what the network gives", "ONNX gives what the network gives"
_ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def check_networks(folder: Path) -> list[Check]:
    """Return the checks of `network_def`: MONAI's of shape and type, and both exports.

    A bundle without weights can only show the network of its training.
    """
    name = "the network takes and gives what metadata say"
    if not _weights(folder).is_file():
        lacking = f"it needs {_weights(folder).relative_to(folder)}; train the bundle first."
        return [
            _shapes(f"{name} (train.json)", folder, "train"),
            *(Check(one, missing=lacking) for one in (f"{name} (inference.json)", _TORCHSCRIPT, _ONNX)),
        ]
    return [
        _shapes(f"{name} (inference.json)", folder, "inference"),
        _exported(_TORCHSCRIPT, folder, _as_torchscript),
        _exported(_ONNX, folder, _as_onnx),
    ]


def _weights(folder: Path) -> Path:
    return folder / "models" / "model.pt"


def _files(folder: Path, kind: str) -> dict[str, Any]:
    """Return the arguments by which MONAI's tools find a bundle wherever it lies."""
    meta, config = (str(folder / "configs" / f"{name}.json") for name in ("metadata", kind))
    return {"meta_file": meta, "config_file": config, "bundle_root": str(folder)}


def _shapes(name: str, folder: Path, kind: str) -> Check:
    if not (folder / "configs" / f"{kind}.json").is_file():
        return Check(name, missing=f"there is no configs/{kind}.json.")
    try:
        with quietly():
            verify_net_in_out(NETWORK, device="cpu", n=1, **_files(folder, kind))
    except Exception as error:  # of a bundle's own code, whatever it is
        return Check(name, (f"{NETWORK} of {kind}.json: {first_line(error)}; correct it or the metadata.",))
    return Check(name)


def _exported(name: str, folder: Path, export: Callable[[Path, torch.Tensor, Path], torch.Tensor]) -> Check:
    """Export the network as the zoo does, and compare what both give for one input that the metadata describe."""
    lacking = [package for package in _ONNX_PACKAGES if export is _as_onnx and find_spec(package) is None]
    if lacking:
        return Check(name, missing=f"it needs {', '.join(lacking)}: pip install 'monai_cardiacgen[bundles]'.")
    try:
        with quietly(), tempfile.TemporaryDirectory() as beside, torch.no_grad():
            example = _example(read_json(folder / "configs" / "metadata.json"))
            expected: torch.Tensor = _network(folder)(example)
            found = export(folder, example, Path(beside))
    except Exception as error:  # of a bundle's own code or an exporter's, whatever it is
        return Check(name, (f"The export ends with {first_line(error)}; make {NETWORK} exportable.",))
    if found.shape != expected.shape:
        return Check(name, (f"It gives {tuple(found.shape)} instead of {tuple(expected.shape)}; export it anew.",))
    apart = float((found - expected).abs().max())
    far = () if apart <= TOLERANCE else (f"Up to {apart:.2g} apart, more than {TOLERANCE:g}; export it anew.",)
    return Check(name, far)


def _network(folder: Path) -> nn.Module:
    """Return the network of the inference with its weights, on the CPU."""
    parser = ConfigParser()
    parser.read_config(str(folder / "configs" / "inference.json"))
    parser.update({"bundle_root": str(folder), "device": "cpu"})
    network: nn.Module = parser.get_parsed_content(NETWORK)
    network.load_state_dict(load_checkpoint(_weights(folder)))
    return network.eval()


def _as_torchscript(folder: Path, example: torch.Tensor, beside: Path) -> torch.Tensor:
    path = str(beside / "model.ts")
    ckpt_export(NETWORK, filepath=path, ckpt_file=str(_weights(folder)), device="cpu", **_files(folder, "inference"))
    found: torch.Tensor = torch.jit.load(path)(example)
    return found


def _as_onnx(folder: Path, example: torch.Tensor, beside: Path) -> torch.Tensor:
    from onnxruntime import InferenceSession

    path = str(beside / "model.onnx")
    onnx_export(
        NETWORK,
        filepath=path,
        ckpt_file=str(_weights(folder)),
        input_shape=list(example.shape),
        # PyTorch writes large weights beside its file: into the folder that goes away, too.
        converter_kwargs={"filename": str(beside / "graph.onnx")},
        device="cpu",
        **_files(folder, "inference"),
    )
    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: example.numpy()})
    return torch.from_numpy(found)


def _example(metadata: Mapping[str, Any]) -> torch.Tensor:
    """Return one input as the metadata describe it: a label map's one-hot classes, a latent, or an image."""
    told = metadata["network_data_format"]["inputs"]["image"]
    channels, generator = int(told["num_channels"]), seeded(0)
    size = [_side(one) for one in told["spatial_shape"]]
    if told["format"] == "segmentation" and channels > 1:
        classes = torch.randint(channels, (1, *size), generator=generator)
        return nn.functional.one_hot(classes, channels).movedim(-1, 1).to(torch.float32)
    if told["format"] == "latent":
        return torch.randn(1, channels, *size, generator=generator)
    return torch.rand(1, channels, *size, generator=generator)


def _side(told: int | str) -> int:
    """Return a side that is a number, or a number times n or to the power of p, both 1: what MONAI takes, too."""
    numbers = re.findall(r"\d+", str(told))
    return int(numbers[0]) if numbers else 1


__all__ = ["TOLERANCE", "check_networks"]
