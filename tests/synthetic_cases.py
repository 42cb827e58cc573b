"""Small synthetic cases, and a writer that is killed, for tests of what writes and reads sets."""

from __future__ import annotations

import os
import signal
import warnings

import torch

from monai_cardiacgen.anatomy.schemes import ACDC, MM_WHS
from monai_cardiacgen.data.set_description import CaseRecord, SetDescription
from monai_cardiacgen.seeding import seeded

SLICES = SetDescription(ACDC, (1.5, 2.0), "cine", "1.0", view="short axis", origin={"seed": 3})
VOLUMES = SetDescription(MM_WHS, (1.5, 2.0, 3.0), "ct", "0.2", view="axial", modality="CT")


def case(description: SetDescription, number: int, size: tuple[int, ...] | None = None):
    """Return image `(1, *spatial)`, label `(*spatial)` with every code, and record; all from the number alone."""
    generator = seeded(number)
    size = size or (12, 10, 4)[: description.spatial_dims]
    codes = torch.tensor(description.scheme.codes)
    label = codes[torch.randint(len(codes), size, generator=generator)]
    label.view(-1)[: len(codes)] = codes
    record = CaseRecord(number, seed=1000 + number, checks={"anatomy": {"valid": True}}, about={"phase": "ED"})
    return torch.rand((1, *size), generator=generator), label, record


def killed_after(calls: int, name: str, work) -> bool:
    """Do `work` in a process that kills itself when it calls `os.<name>` for the `calls`-th time, before the call.

    Returns:
        Whether it was killed; False when it was done before.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about forking with threads: the child only writes files
        child = os.fork()
    if child == 0:
        real, left = getattr(os, name), [calls]

        def replaced(*arguments):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)

        setattr(os, name, replaced)
        try:
            work()
        except BaseException:
            os._exit(2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work itself failed"
    return os.WIFSIGNALED(status)
