"""The server's settings and command line."""

from __future__ import annotations

import json
import socket

import pytest

from monai_cardiacgen.errors import DataError, InputError
from monai_cardiacgen.label import launcher


def test_settings_keep_it_quiet_and_off_the_network(tmp_path):
    found = launcher.server_environment(tmp_path, 3, {"HOME": "/x", "MONAI_LABEL_SESSIONS": "true"})
    assert found["MONAI_ZOO_SOURCE"] == "local"
    assert json.loads(found["MONAI_LABEL_DATASTORE_FILE_EXT"]) == ["*.nii.gz", "*.nii"]
    assert found[launcher.LARGEST_UPLOAD] == str(3 * 1024 * 1024)
    assert found["TMPDIR"] == str(tmp_path / "uploads")
    assert (found["HOME"], found["MONAI_LABEL_SESSIONS"]) == ("/x", "true")


def test_the_command_serves_our_guarded_application(tmp_path):
    command = launcher.server_command(tmp_path, "/studies", "127.0.0.1", 8123)
    assert command[1:4] == ["-m", "monailabel.main", "start_server"]
    told = dict(zip(command[4::2], command[5::2], strict=True))
    assert told["--uvicorn_app"] == "monai_cardiacgen.label.app.server:app"
    assert (told["--studies"], told["--host"], told["--port"]) == ("/studies", "127.0.0.1", "8123")


def test_without_monai_label(monkeypatch):
    monkeypatch.setattr(launcher, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="make label"):
        launcher.check_can_start("127.0.0.1", 8123)


def test_a_port_that_is_taken(monkeypatch):
    monkeypatch.setattr(launcher, "find_spec", lambda name: object())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="pass another --port"):
            launcher.check_can_start("127.0.0.1", taken.getsockname()[1])


def test_it_becomes_the_server(monkeypatch):
    seen = []
    monkeypatch.setattr("os.execve", lambda *given: seen.append(given))
    launcher.become_server(["python", "-m", "x"], {"A": "b"})
    assert seen == [("python", ["python", "-m", "x"], {"A": "b"})]
