"""MONAI Label's web application, guarded: each wrong request gets a 4xx with one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.background import BackgroundTasks
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse, Response
from monailabel.app import app
from monailabel.config import settings
from monailabel.endpoints import datastore, infer
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException, MONAILabelException
from monailabel.utils.others.generic import remove_file

from ...errors import CardiacGenError, InputError
from ..launcher import LARGEST_UPLOAD, THIS_MACHINE_ALONE
from ..requests import RequestGuard, status_of

_MIB = 2**20
#: MONAI Label's sentences for wrong requests to which it gives the status 500.
_REQUESTS_FAULT = ("Neither Image nor File", "DICOM SEG format is not supported")
#: What is not served: uploads in place of weights, whole-slide images, other programs on this machine; and `/reload`
#: throws the app away while others use it.
_CLOSED = ("/model", "/infer/wsi", "/logs/gpu", "/reload")
_MOST_OF_A_NAME = 100


def _answer(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status_code=status)


async def _ours(_: Request, error: Any) -> JSONResponse:
    return _answer(status_of(error), " ".join(str(error).split()))


async def _monai_labels(_: Request, error: Any) -> JSONResponse:
    unknown = isinstance(error, (ImageNotFoundException, LabelNotFoundException)) or "There is no" in error.msg
    return _answer(404 if unknown else 400, str(error.msg))


async def _not_json(_: Request, error: Any) -> JSONResponse:
    return _answer(400, f"Expected a JSON object as params, got something else ({error}).")


async def _http(_: Request, error: Any) -> JSONResponse:
    wrong = error.status_code == 500 and str(error.detail).startswith(_REQUESTS_FAULT)
    return _answer(400 if wrong else error.status_code, str(error.detail))


async def _incomplete(_: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    return _answer(422, f"Expected another request: {'.'.join(map(str, first['loc']))}: {first['msg']}.")


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    return _answer(500, f"The server failed ({type(error).__name__}); its log tells where.")


def _checked(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return an endpoint of MONAI Label that refuses what it has no answer of its own for, and leaves no file behind.

    JSON other than objects, names of files that no file can have, sessions, voxels without a header; and it deletes a
    request's files only where all went well.
    """
    told = signature(endpoint)

    @wraps(endpoint)
    def checked(*arguments: Any, **named: Any) -> Any:
        given = told.bind(*arguments, **named).arguments
        _check_given(endpoint.__name__, given)
        later = given.get("background_tasks")
        try:
            answer = endpoint(*arguments, **named)
            if given.get("output") == "dicom_seg" and later is not None:
                if not os.path.isfile(answer.path):
                    raise InputError(
                        "Expected a segmentation with a structure to write as DICOM SEG, got an empty one."
                    )
                later.add_task(remove_file, str(answer.path))
        except Exception:
            for task in getattr(later, "tasks", ()):
                task.func(*task.args)
            raise
        return answer

    return checked


def _check_given(endpoint: str, given: Mapping[str, Any]) -> None:
    for name in ("params", "info"):
        _check_object(name, given.get(name) or "{}")
    for name in ("file", "label"):
        _check_file_name(getattr(given.get(name), "filename", None))
    if endpoint == "run_inference" and str(getattr(given.get("label"), "filename", "")).endswith(".bin"):
        raise InputError("Expected the label as a NIfTI file, got voxels without a header.")
    if given.get("session_id"):
        raise InputError("Expected an image, got a session, of which this server keeps none.")


def _check_object(name: str, sent: str) -> None:
    try:
        given = json.loads(sent)
        json.dumps(
            given, allow_nan=False
        )  # what is stored must be told again, and JSON has no word for NaN or infinity
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"Expected finite numbers and few levels in {name}, got something else ({error}).") from error
    if not isinstance(given, dict):
        raise InputError(f"Expected a JSON object as {name}, got something else.")


def _check_file_name(name: str | None) -> None:
    if name is not None and (len(name) > _MOST_OF_A_NAME or not name.isprintable()):
        raise InputError(f"Expected a file's name of at most {_MOST_OF_A_NAME} plain characters, got another.")


def _sent_once(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return an endpoint whose answer is a file made for it, which is deleted once it is sent."""

    @wraps(endpoint)
    def sent(*arguments: Any, **named: Any) -> Any:
        answer = endpoint(*arguments, **named)
        answer.background = BackgroundTasks()
        answer.background.add_task(remove_file, str(answer.path))
        return answer

    return sent


def _read_at_once(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return an endpoint whose file is read before the answer begins: another request may replace it meanwhile."""

    @wraps(endpoint)
    def read(*arguments: Any, **named: Any) -> Any:
        answer = endpoint(*arguments, **named)
        if not isinstance(answer, FileResponse):
            return answer
        named_as = {"content-disposition": answer.headers["content-disposition"]}
        return Response(Path(answer.path).read_bytes(), media_type=answer.media_type, headers=named_as)

    return read


async def _not_served() -> JSONResponse:
    return _answer(404, "Expected an address that this server has, got one of MONAI Label's that it leaves out.")


infer.run_inference = _checked(infer.run_inference)
for _name in ("add_image", "save_label", "update_image_info", "update_label_info"):
    setattr(datastore, _name, _checked(getattr(datastore, _name)))
datastore.download_dataset = _sent_once(datastore.download_dataset)
datastore.download_label = _read_at_once(datastore.download_label)

_closed = _CLOSED if "://" in settings.MONAI_LABEL_STUDIES else (*_CLOSED, "/proxy")
_methods = ["GET", "POST", "PUT", "DELETE"]
for _address in _closed:
    for _below in ("", "/{path:path}"):
        app.router.add_api_route(_address + _below, _not_served, methods=_methods, include_in_schema=False)
        app.router.routes.insert(0, app.router.routes.pop())  # before MONAI Label's own

for _kind, _handler in (
    (CardiacGenError, _ours),
    (MONAILabelException, _monai_labels),
    (json.JSONDecodeError, _not_json),
    (HTTPException, _http),
    (RequestValidationError, _incomplete),
    (Exception, _unforeseen),
):
    app.add_exception_handler(_kind, _handler)
# MONAI Label lets every page in a browser ask: any could change and delete studies. Its own viewer comes from here.
app.user_middleware[:] = [one for one in app.user_middleware if one.cls is not CORSMiddleware]
app.add_middleware(
    RequestGuard,
    largest_upload=int(os.environ.get(LARGEST_UPLOAD, 512 * _MIB)),
    this_machine_alone=os.environ.get(THIS_MACHINE_ALONE) == "True",
)

__all__ = ["app"]
