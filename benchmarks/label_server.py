"""A label server for benchmarks and tests: started by its command on a free port of the loopback, asked, and killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

#: Seconds that an answer, and a start, may take: a few are enough on a machine that does nothing else.
PATIENCE = 600


class LabelServer:
    """A running server: its address, its folder, and short ways to ask."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, app: Path) -> None:
        self.process, self.app, self.studies = process, app, app / "studies"
        self.address = f"http://127.0.0.1:{port}"

    def is_there(self) -> bool:
        """Tell whether it answers."""
        try:
            return self.get("/info/").status_code == 200
        except requests.ConnectionError:
            return False

    def get(self, path: str, **options: Any) -> requests.Response:
        """Ask by GET."""
        return requests.get(self.address + path, timeout=PATIENCE, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        """Ask by PUT."""
        return requests.put(self.address + path, timeout=PATIENCE, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Ask by POST."""
        return requests.post(self.address + path, timeout=PATIENCE, **options)

    def delete(self, path: str) -> requests.Response:
        """Ask by DELETE."""
        return requests.delete(self.address + path, timeout=PATIENCE)

    def infer(
        self, task: str, image: str, output: str = "json", label: Path | bytes | None = None, **params: Any
    ) -> requests.Response:
        """Ask for a task on a study, with a drawn label where one is given (a file's path, or its content)."""
        drawn = label.read_bytes() if isinstance(label, Path) else label
        name = label.name if isinstance(label, Path) else "label.nii.gz"
        files = None if drawn is None else {"label": (name, drawn)}
        address = f"/infer/{task}?image={image}&output={output}"
        return self.post(address, data={"params": json.dumps(params)}, files=files)

    def put_label(self, study: str, tag: str, content: bytes, name: str = "label.nii.gz") -> requests.Response:
        """Send a label."""
        return self.put(f"/datastore/label?image={study}&tag={tag}", files={"label": (name, content)})

    def label(self, study: str, tag: str) -> requests.Response:
        """Ask for a stored label."""
        return self.get(f"/datastore/label?label={study}&tag={tag}")

    def held(self) -> dict[str, int]:
        """Return the server's resident memory in bytes, its threads and its open files."""
        return process_holds(self.process.pid)


def process_holds(pid: int) -> dict[str, int]:
    """Return a process's resident memory in bytes, its threads and its open files, as Linux tells them."""
    told = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    values = dict(line.split(":", 1) for line in told if ":" in line)
    return {
        "memory": int(values["VmRSS"].split()[0]) * 1024,
        "threads": int(values["Threads"]),
        "files": len(os.listdir(f"/proc/{pid}/fd")),
    }


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


@contextmanager
def served(
    studies: Path, app: Path, bundles: Sequence[Path], max_upload: int = 512, more: Mapping[str, str] | None = None
) -> Iterator[LabelServer]:
    """Start the command on a folder, give the server once it answers, and kill it afterwards; its log is `app`.log."""
    port = free_port()
    options = ["--studies", str(studies), "--app", str(app), "--port", str(port), "--max-upload", str(max_upload)]
    for bundle in bundles:
        options += ["--bundle", str(bundle)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(more or {})}
    log = app.with_name(f"{app.name}.log")
    with log.open("a") as written:
        command = [sys.executable, "-m", "monai_cardiacgen", "label", *options]
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, env=environment)
    server = LabelServer(process, port, app)
    try:
        until = time.monotonic() + PATIENCE
        while not server.is_there():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()[-3000:])
            time.sleep(0.3)
        yield server
    finally:
        process.kill()
        process.wait()
