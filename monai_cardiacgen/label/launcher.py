"""How MONAI Label is started: its settings, and its command line."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from runpy import run_module
from urllib.error import HTTPError
from urllib.request import urlopen

from ..errors import DataError, InputError
from .app_folder import uploads_of

#: In the server's environment: the most bytes that a request may bring.
LARGEST_UPLOAD = "CARDIACGEN_LABEL_LARGEST_UPLOAD"
#: Whether it answers to the names of the loopback only.
THIS_MACHINE_ALONE = "CARDIACGEN_LABEL_THIS_MACHINE_ALONE"

_MIB = 2**20
_PATIENCE = 10  # seconds
_SEG_WRITER = "itkimage2segimage"
_QUIET = {
    "MONAI_ZOO_SOURCE": "local",  # any other one is asked over the network, and without it the server ends
    "MONAI_LABEL_AUTO_UPDATE_SCORING": "false",  # scoring is a request of its own
    "MONAI_LABEL_SESSIONS": "false",
    "MONAI_LABEL_TRACKING_ENABLED": "false",
    "MONAI_LABEL_DATASTORE_AUTO_RELOAD": "false",  # a watcher would take files for studies while they are written
    "MONAI_LABEL_DATASTORE_FILE_EXT": '["*.nii.gz","*.nii"]',
    "MONAI_LABEL_DICOMWEB_SEARCH_FILTER": '{"Modality":"MR"}',
    "MONAI_LABEL_DICOMWEB_CACHE_EXPIRY": "60",  # seconds after which new series are seen
}


def server_environment(folder: Path, host: str, largest_upload: int, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a server; what the caller has set of MONAI Label's settings is kept.

    Args:
        folder: the app folder.
        host: on which the server listens.
        largest_upload: MiB that a request may bring.
        given: the caller's environment.
    """
    named = {LARGEST_UPLOAD: str(largest_upload * _MIB), "TMPDIR": str(uploads_of(folder).resolve())}
    named[THIS_MACHINE_ALONE] = str(host == "localhost" or host.startswith("127."))
    copies = {"MONAI_LABEL_DICOMWEB_CACHE_PATH": str((folder / "dicom").resolve())}
    return {**_QUIET, **copies, **given, **named}


def server_command(folder: Path, studies: str, host: str, port: int) -> list[str]:
    """Return MONAI Label's command line, after its name.

    Args:
        folder: the app folder.
        studies: a flat folder, or the address of a DICOMweb server.
        host: on which the server listens.
        port: of it.
    """
    where = ["--app", str(folder.resolve()), "--studies", studies, "--host", host, "--port", str(port)]
    served = ["--uvicorn_app", "monai_cardiacgen.label.app.server:app"]
    return ["start_server", *where, *served]


def check_can_start(host: str, port: int) -> None:
    """Look whether MONAI Label is installed and the port is free.

    Raises:
        DataError: when MONAI Label is not in this environment.
        InputError: when the port is taken, or the host is none of this machine.
    """
    if find_spec("monailabel") is None:
        raise DataError(
            "Expected MONAI Label in this environment, found none; `make label` builds an environment that has it."
        )
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise InputError(
                f"Expected a free port at {host}:{port}, got {error.strerror}; pass another --port."
            ) from error


def check_dicomweb(address: str) -> None:
    """Look whether a DICOMweb server answers, and whether DICOM SEG can be written: MONAI Label waits and downloads.

    Raises:
        InputError: when nothing answers at the address.
        DataError: without dcmqi's program on the `PATH`.
    """
    if shutil.which(_SEG_WRITER) is None:
        raise DataError(f"Expected {_SEG_WRITER} on the PATH, found none; `pip install dcmqi` brings it.")
    try:
        with urlopen(f"{address.rstrip('/')}/studies?limit=1", timeout=_PATIENCE):
            pass
    except HTTPError:
        pass  # an answer, too: it may want a password, which MONAI Label has settings for
    except (OSError, ValueError) as error:
        raise InputError(
            f"Expected a DICOMweb server at {address}, got no answer ({error}); start it, or pass another --studies."
        ) from error


def become_server(command: list[str], environment: Mapping[str, str]) -> None:
    """Turn this process into the server: signals reach it, nothing waits for it, and nothing is imported twice."""
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # what was found out before, with another TMPDIR
    sys.argv = ["monailabel", *command]
    run_module("monailabel.main", run_name="__main__")


__all__ = [
    "LARGEST_UPLOAD",
    "THIS_MACHINE_ALONE",
    "become_server",
    "check_can_start",
    "check_dicomweb",
    "server_command",
    "server_environment",
]
