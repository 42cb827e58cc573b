"""The machine in words, and what its convolutions can do at best."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import monai
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from .alternated import Way


def describe_machine(device: torch.device) -> dict[str, str]:
    """Return processor, cores, instruction sets, device and versions; no names of hosts or users."""
    tiles = torch.cpu._is_amx_tile_supported()
    described = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "vectors": f"{torch.backends.cpu.get_cpu_capability()}, AMX {'yes' if tiles else 'no'}",
        "torch": torch.__version__,
        "monai": monai.__version__,
        "python": platform.python_version(),
    }
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        described["device"] = f"{about.name}, {about.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"
    return described


def _processor() -> str:
    """Return the processor's model, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_convolution(device: torch.device, dtype: torch.dtype) -> Way:
    """Return a call of one large convolution, which takes what the turn's input is and does not look at it."""
    channels, side = (512, 64) if device.type == "cpu" else (1024, 128)
    like = {"device": device, "dtype": dtype}
    image = torch.randn(1, channels, side, side, **like).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, **like).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def convolve(*_: object) -> None:
        F.conv2d(image, weight, padding=1)

    return convolve


def operations(way: Way, *inputs: object) -> int:
    """Return the floating-point operations of a call's convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        way(*inputs)
    return counter.get_total_flops()
