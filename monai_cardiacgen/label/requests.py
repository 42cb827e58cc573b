"""What a request may ask for: names of studies, never paths; and which status a wrong one gets."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from json import dumps
from typing import Any
from urllib.parse import parse_qsl

from ..errors import CardiacGenError, CheckpointError, DataError, InputError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,199}")
#: Parameters of MONAI Label's addresses that become parts of paths.
_NAMES = ("image", "id", "label", "tag")
_BAD, _FOREIGN, _UNKNOWN, _TOO_LARGE, _NOT_READY = 400, 403, 404, 413, 503
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class UnknownNameError(InputError):
    """A study, label, task or setting that the server does not have."""


class UnreachableError(DataError):
    """The DICOMweb server that keeps the studies does not answer."""


def checked_name(name: str, what: str) -> str:
    """Return a name that can be part of a path without leading elsewhere.

    Raises:
        InputError: for anything else.

    Example:
        >>> checked_name("patient001_frame01", "image")
        'patient001_frame01'
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(f"Expected a plain name as {what} (letters, digits, . _ + = -), got {name[:80]!r}.")
    return name


def status_of(error: CardiacGenError) -> int:
    """Return the HTTP status for an error: the request's fault, but for weights or another server that are missing."""
    if isinstance(error, UnknownNameError):
        return _UNKNOWN
    return _NOT_READY if isinstance(error, (CheckpointError, UnreachableError)) else _BAD


def known_settings(settings: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's settings, with what a request has sent in place of the values that are used otherwise."""
    return {name: sent.get(name, default) for name, default in settings.items()}


class RequestGuard:
    """Answers requests that name paths, bring too much or come from another page before MONAI Label sees them.

    Without a password, a page that a browser on this machine shows could otherwise ask for whatever it likes: some
    requests a browser sends without asking first, and a name that turns into 127.0.0.1 makes a page the server's own.

    Args:
        app: MONAI Label's.
        largest_upload: bytes that a request's body may have.
        this_machine_alone: whether the server is to be called by the names of the loopback only.
    """

    def __init__(self, app: AsgiApp, largest_upload: int, this_machine_alone: bool = False) -> None:
        self.app = app
        self.largest_upload = largest_upload
        self.this_machine_alone = this_machine_alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        if self._comes_from_elsewhere(headers):
            return await _answer(send, _FOREIGN, "Expected a request to this server's own address, got another page's.")
        try:
            if ".." in re.split(r"[/\\]", scope.get("path", "")):
                raise InputError("Expected an address without '..', got one that leads elsewhere.")
            for key, value in parse_qsl(scope["query_string"].decode("latin-1")):
                if key in _NAMES:
                    checked_name(value, key)
        except InputError as error:
            return await _answer(send, _BAD, str(error))
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.largest_upload:
            return await _answer(send, _TOO_LARGE, self._too_large())
        counted = _CountedBody(receive, self.largest_upload)
        try:
            await self.app(scope, counted, send)
        except _TooLargeError:
            await _answer(send, _TOO_LARGE, self._too_large())

    def _comes_from_elsewhere(self, headers: Mapping[bytes, bytes]) -> bool:
        """Tell whether a browser sends another page's request, or one to a name that only looks like this machine."""
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        named = re.sub(r":[0-9]+$", "", host)
        another_page = origin not in ("", f"http://{host}", f"https://{host}")
        return another_page or (self.this_machine_alone and named not in _LOOPBACK)

    def _too_large(self) -> str:
        return f"Expected at most {self.largest_upload / 2**20:g} MiB, got more; start the server with --max-upload."


class _TooLargeError(Exception):
    """A body grew beyond what may be sent, without its length told before."""


class _CountedBody:
    def __init__(self, receive: Receive, most: int) -> None:
        self.receive, self.most, self.seen = receive, most, 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.seen += len(message.get("body", b""))
        if self.seen > self.most:
            raise _TooLargeError
        return message


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


__all__ = [
    "RequestGuard",
    "UnknownNameError",
    "UnreachableError",
    "checked_name",
    "known_settings",
    "status_of",
]
