"""Requests that never reach MONAI Label, and the status of an error."""

from __future__ import annotations

import asyncio
import json

import pytest

from monai_cardiacgen.errors import CheckpointError, DataError, InputError, LabelError
from monai_cardiacgen.label.requests import (
    RequestGuard,
    UnknownNameError,
    UnreachableError,
    checked_name,
    known_settings,
    status_of,
)


@pytest.mark.parametrize("name", ["patient001_frame01", "1.2.840.113", "a-b+c=d"])
def test_plain_names(name):
    assert checked_name(name, "image") == name


@pytest.mark.parametrize("name", ["", "../x", "/etc/passwd", "a/b", "a\\b", ".hidden", "a..b", "a\0", "a\n", "x" * 300])
def test_names_that_lead_elsewhere(name):
    with pytest.raises(InputError, match="plain name"):
        checked_name(name, "image")


@pytest.mark.parametrize(
    ("error", "status"),
    [(UnknownNameError, 404), (LabelError, 400), (DataError, 400), (CheckpointError, 503), (UnreachableError, 503)],
)
def test_statuses(error, status):
    assert status_of(error("x")) == status


def test_settings_are_those_of_the_task():
    assert known_settings({"seed": -1, "strength": 0.5}, {"seed": 3, "image": "x"}) == {"seed": 3, "strength": 0.5}


def ask(query: str = "", headers=(), pieces=(b"",), path: str = "/", **settings):
    """Return status and answer of a request to a guard of 100 bytes before an application that reads all."""
    sent, waiting = [], list(pieces)

    async def receive():
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    async def application(scope, receive, send):
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail": ""}'})

    scope = {"type": "http", "path": path, "query_string": query.encode(), "headers": list(headers)}
    asyncio.run(RequestGuard(application, 100, **settings)(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])["detail"]


def test_a_plain_request_passes():
    assert ask("image=patient001&output=json", pieces=[b"x" * 60, b"x" * 40])[0] == 200


@pytest.mark.parametrize("query", ["image=/etc/passwd", "id=..%2F..%2Fx", "tag=../x", "output=json&label=a%00"])
def test_paths_are_refused(query):
    status, sentence = ask(query)
    assert status == 400
    assert "plain name" in sentence


@pytest.mark.parametrize(
    ("headers", "pieces"),
    [([(b"content-length", b"101")], [b""]), ([(b"content-length", b"many")], [b""]), ([], [b"x" * 60, b"x" * 60])],
)
def test_what_is_too_large_is_refused(headers, pieces):
    status, sentence = ask(headers=headers, pieces=pieces)
    assert status == 413
    assert "--max-upload" in sentence


@pytest.mark.parametrize("path", ["/proxy/dicom/../../instances", "/ohif/..", "/..\\x"])
def test_addresses_that_lead_elsewhere_are_refused(path):
    assert ask(path=path)[0] == 400
    assert ask(path="/ohif/a..b/c.js")[0] == 200


@pytest.mark.parametrize("origin", [b"http://example.org", b"null", b"http://127.0.0.1:9000", b"http://[", b"\xff"])
def test_another_page_is_refused(origin):
    """What a browser sends for a page elsewhere; RFC 6454 tells the header."""
    assert ask(headers=[(b"host", b"127.0.0.1:8000"), (b"origin", origin)])[0] == 403


def test_its_own_pages_and_programs_are_served():
    for origin in (b"http://127.0.0.1:8000", b"https://127.0.0.1:8000"):
        assert ask(headers=[(b"host", b"127.0.0.1:8000"), (b"origin", origin)])[0] == 200
    assert ask(headers=[(b"host", b"127.0.0.1:8000")])[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [(b"127.0.0.1:8000", 200), (b"localhost", 200), (b"[::1]:80", 200), (b"example.org:8000", 403), (b"", 403)],
)
def test_the_loopback_is_called_by_its_own_names(host, status):
    """A name that an attacker's name server turns into 127.0.0.1 would make a page the server's own."""
    assert ask(headers=[(b"host", host)], this_machine_alone=True)[0] == status
    assert ask(headers=[(b"host", host)])[0] == 200
