"""MONAI Label's web application, guarded: each wrong request gets a 4xx with one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from fastapi import Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from monailabel.app import app
from monailabel.endpoints import datastore, infer
from monailabel.interfaces.exception import ImageNotFoundException, LabelNotFoundException, MONAILabelException

from ...errors import CardiacGenError, InputError
from ..launcher import LARGEST_UPLOAD
from ..requests import RequestGuard, status_of

_MIB = 2**20
#: MONAI Label's sentences for wrong requests to which it gives the status 500.
_REQUESTS_FAULT = ("Neither Image nor File", "DICOM SEG format is not supported")


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


def _with_objects(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Return an endpoint of MONAI Label that refuses JSON other than objects, for which it has no answer of its own."""
    told = signature(endpoint)

    @wraps(endpoint)
    def checked(*arguments: Any, **named: Any) -> Any:
        given = told.bind(*arguments, **named).arguments
        for name in ("params", "info"):
            if not isinstance(json.loads(given.get(name) or "{}"), dict):
                raise InputError(f"Expected a JSON object as {name}, got something else.")
        return endpoint(*arguments, **named)

    return checked


infer.run_inference = _with_objects(infer.run_inference)
for _name in ("add_image", "save_label", "update_image_info", "update_label_info"):
    setattr(datastore, _name, _with_objects(getattr(datastore, _name)))

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
app.add_middleware(RequestGuard, largest_upload=int(os.environ.get(LARGEST_UPLOAD, 512 * _MIB)))

__all__ = ["app"]
