"""The command `cardiacgen label`: prepares MONAI Label's folder, says where it serves, and becomes the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .endings import plain_endings

_BUNDLES = Path("bundles")


def label(
    studies: Annotated[
        str,
        typer.Option(help="Folder of NIfTI stacks, or of patients in ACDC's layout; or a DICOMweb server's address."),
    ],
    bundle: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a MONAI bundle; may be repeated.", show_default="those in bundles/"),
    ] = None,
    app: Annotated[Path, typer.Option(help="Folder that the server writes: copies, trained weights, logs.")] = Path(
        "runs/label"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which the server listens.")] = 8000,
    host: Annotated[
        str, typer.Option(help="On which it listens; there is no password, so mind who can reach it.")
    ] = "127.0.0.1",
    max_upload: Annotated[int, typer.Option(min=1, help="MiB that one request may bring.")] = 512,
) -> None:
    """Serve studies to 3D Slicer or OHIF by MONAI Label: segment, train, synthesize, vary, repair, inpaint.

    Example: cardiacgen label --studies data/ACDC/training
    """
    with plain_endings("The same command begins anew."):
        from .label import app_folder, launcher
        from .label.app_bundles import find_app_bundles

        launcher.check_can_start(host, port)
        if "://" in studies:
            launcher.check_dicomweb(studies)
        given = bundle or sorted(path.parent.parent for path in _BUNDLES.glob("*/configs/metadata.json"))
        app_folder.prepare_app_folder(app, given)
        found = find_app_bundles(app_folder.bundles_of(app))
        served = studies if "://" in studies else str(app_folder.flat_studies(Path(studies), app).resolve())
        if "://" not in studies:
            app_folder.remove_half_files(Path(served))
        kinds = {"segmentation": found.segmenter, "synthesis": found.synthesizer, "inpainting": found.inpainter}
        for kind, folder in kinds.items():
            typer.echo(f"{kind:13}{'no bundle with weights' if folder is None else folder.name}")
        typer.echo(f"http://{host}:{port} serves {served}")
        environment = launcher.server_environment(app, host, max_upload, os.environ)
        launcher.become_server(launcher.server_command(app, served, host, port), environment)


__all__ = ["label"]
