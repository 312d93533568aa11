"""``powerd decode --zbus -``: requests and responses of zbus, from hex to JSON.

The envelope's keys are those on the wire; the encoded values in its bins are decoded too.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from app.adapters.codecs.zbus_frames import (
    Request,
    Response,
    ZbusError,
    decode_request,
    decode_response,
    is_request,
    unpack,
)


def zbus_frame(frame: bytes) -> dict[str, object]:
    """A frame as JSON's types; `ZbusError` if it is neither a request nor a response."""
    return _request(decode_request(frame)) if is_request(frame) else _response(decode_response(frame))


def _request(request: Request) -> dict[str, object]:
    return {
        "ID": request.id,
        "Inputs": [_inner(value, f"Inputs[{number}]") for number, value in enumerate(request.inputs)],
        "Object": {"Name": request.object.name, "Version": request.object.version},
        "ReplyTo": request.reply_to,
        "Method": request.method,
    }


def _response(response: Response) -> dict[str, object]:
    data = None if response.data is None else _inner(response.data, "Output.Data")
    failed = {"Message": response.call_error} if response.call_error else None
    return {"ID": response.id, "Output": {"Data": data, "Error": failed}, "Error": response.error}


def _inner(encoded: bytes, what: str) -> object:
    try:
        return _plain(unpack(encoded))
    except ZbusError as error:
        raise ZbusError(f"{what}: {error}") from error


def _plain(value: Any) -> object:
    """JSON has neither bytes, times, extensions nor numbers that are none."""
    match value:
        case bytes():
            return {"bin": value.hex()}
        case dict():
            return {_key(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            return {"ext": value.code, "bin": bytes(value.data).hex()}


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(_plain(key))
