"""The server's settings and command line."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from monai_cardiacgen.errors import DataError, InputError
from monai_cardiacgen.label import launcher


def test_settings_keep_it_quiet_and_off_the_network(tmp_path):
    found = launcher.server_environment(tmp_path, "127.0.0.1", 3, {"HOME": "/x", "MONAI_LABEL_SESSIONS": "true"})
    assert found["MONAI_ZOO_SOURCE"] == "local"
    assert json.loads(found["MONAI_LABEL_DATASTORE_FILE_EXT"]) == ["*.nii.gz", "*.nii"]
    assert found[launcher.LARGEST_UPLOAD] == str(3 * 1024 * 1024)
    assert found["TMPDIR"] == str(tmp_path / "uploads")
    assert (found["HOME"], found["MONAI_LABEL_SESSIONS"]) == ("/x", "true")
    assert found["MONAI_LABEL_DICOMWEB_CACHE_PATH"].startswith(str(tmp_path))


@pytest.mark.parametrize(("host", "alone"), [("127.0.0.1", "True"), ("localhost", "True"), ("0.0.0.0", "False")])
def test_only_the_loopback_is_called_by_its_own_names(tmp_path, host, alone):
    assert launcher.server_environment(tmp_path, host, 3, {})[launcher.THIS_MACHINE_ALONE] == alone


def test_the_command_serves_our_guarded_application(tmp_path):
    command = launcher.server_command(tmp_path, "/studies", "127.0.0.1", 8123)
    assert command[0] == "start_server"
    told = dict(zip(command[1::2], command[2::2], strict=True))
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


class Answers(BaseHTTPRequestHandler):
    """A server that answers 200, or 401 where a password is asked for."""

    def do_GET(self):
        self.send_response(401 if self.path.startswith("/closed") else 200)
        self.end_headers()

    def log_message(self, *told):
        """Nothing."""


def test_a_dicomweb_server_is_asked_before(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    with HTTPServer(("127.0.0.1", 0), Answers) as there:
        address = f"http://127.0.0.1:{there.server_port}"
        Thread(target=there.serve_forever, daemon=True).start()
        for path in ("/dicom-web", "/closed/"):
            launcher.check_dicomweb(address + path)
        there.shutdown()
    for wrong in (address, "http://[", "nothing://x"):
        with pytest.raises(InputError, match="pass another --studies"):
            launcher.check_dicomweb(wrong)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(DataError, match="pip install dcmqi"):
        launcher.check_dicomweb(address)


def test_it_becomes_the_server(monkeypatch):
    seen = []
    monkeypatch.setattr(os, "environ", {"OLD": "x"})
    monkeypatch.setattr(sys, "argv", ["cardiacgen"])
    monkeypatch.setattr(tempfile, "tempdir", "/old")
    monkeypatch.setattr(launcher, "run_module", lambda *given, **named: seen.append((given, named, list(sys.argv))))
    launcher.become_server(["start_server", "--app", "x"], {"A": "b"})
    assert seen == [(("monailabel.main",), {"run_name": "__main__"}, ["monailabel", "start_server", "--app", "x"])]
    assert os.environ == {"A": "b"}
    assert tempfile.tempdir is None
