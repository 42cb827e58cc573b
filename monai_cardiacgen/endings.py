"""How commands end: with one sentence instead of a traceback, and an exit code that says why."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from .errors import CardiacGenError, CheckpointError, DataError

_EXIT_ERROR, _EXIT_INTERRUPTED = 2, 130


@contextmanager
def plain_endings(go_on: str, begin: str = "") -> Iterator[None]:
    """End with one sentence on stderr instead of a traceback.

    Args:
        go_on: how to continue after Ctrl-C.
        begin: the command that makes what this one reads; told below errors about files.
    """
    stderr = Console(stderr=True, soft_wrap=True, highlight=False)
    logging.getLogger("ignite.engine").setLevel(logging.CRITICAL)  # it would announce every exception itself
    # MONAI tries every reader for every file, and says of one, which nobody asked for, that it is not there.
    logging.getLogger("monai.data.nvimgcodec_pydicom_plugin").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="NvImgCodecPydicomReader")
    try:
        yield
    except CardiacGenError as error:
        stderr.print(f"Error: {error}", markup=False)
        if begin and isinstance(error, DataError | CheckpointError):
            stderr.print(begin, markup=False)
        raise typer.Exit(_EXIT_ERROR) from None
    except KeyboardInterrupt:
        stderr.print(f"Stopped. {go_on}", markup=False)
        raise typer.Exit(_EXIT_INTERRUPTED) from None
