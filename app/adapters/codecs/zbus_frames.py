"""Requests and responses of zbus (RPC over Redis lists, github.com/threefoldtech/zbus v1.0.1), pure.

Both are MessagePack maps whose keys are Go's field names. Every argument and the result are encoded separately
and put into a bin, so that the envelope can be read without their types. This module writes Go's bytes. It
reads all that Go's reader accepts: structs as arrays in field order, strings for bins and the reverse, missing
and unknown keys, and bytes after the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.adapters.codecs.msgpack_span import first_value, with_readable_text
from app.domain.values import value

FRAME_BYTES_MAX = 1 << 20
"""Larger frames are refused unread. The largest real one, a node's record, has some 700 bytes."""

REQUEST_KEYS = ("ID", "Inputs", "Object", "ReplyTo", "Method")
RESPONSE_KEYS = ("ID", "Output", "Error")


class ZbusError(ValueError):
    """A frame, or a value in it, that cannot be read. The message names the field."""


@value
class ObjectId:
    """An object of a module. The version can be empty."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


@value
class Request:
    """A call. ``inputs`` are the arguments, each encoded. The reply goes to the list ``reply_to``."""

    id: str
    object: ObjectId
    method: str
    inputs: tuple[bytes, ...]
    reply_to: str


@value
class Response:
    """An answer: encoded ``data``, the method's error, or (``error``) why the method was not called.

    An empty ``call_error`` means no error, as in Go; an empty ``error`` is an error.
    """

    id: str
    data: bytes | None = None
    call_error: str = ""
    error: str | None = None


def encode_request(request: Request) -> bytes:
    """The bytes that Go's client pushes."""
    return _pack(
        {
            "ID": request.id,
            "Inputs": list(request.inputs),
            "Object": {"Name": request.object.name, "Version": request.object.version},
            "ReplyTo": request.reply_to,
            "Method": request.method,
        }
    )


def encode_response(response: Response) -> bytes:
    """The bytes that Go's server pushes."""
    failed = {"Message": response.call_error} if response.call_error else None
    return _pack({"ID": response.id, "Output": {"Data": response.data, "Error": failed}, "Error": response.error})


def decode_request(frame: bytes) -> Request:
    """Read a request. Raises `ZbusError` where Go's server would drop it."""
    fields = _envelope(frame, REQUEST_KEYS)
    inputs = fields["Inputs"]
    if inputs is None:
        inputs = []
    if not isinstance(inputs, list):
        raise ZbusError(f"Inputs is {kind_of(inputs)}, not an array")
    return Request(
        _text(fields["ID"], "ID"),
        _object(fields["Object"]),
        _text(fields["Method"], "Method"),
        tuple(_octets(value, f"Inputs[{number}]") or b"" for number, value in enumerate(inputs)),
        _text(fields["ReplyTo"], "ReplyTo"),
    )


def decode_response(frame: bytes) -> Response:
    """Read a response. Raises `ZbusError` for one that Go's client could not read either."""
    fields = _envelope(frame, RESPONSE_KEYS)
    output = _struct(fields["Output"], ("Data", "Error"), "Output")
    failed = output["Error"]
    message = None if failed is None else _struct(failed, ("Message",), "Output.Error")["Message"]
    error = fields["Error"]
    return Response(
        _text(fields["ID"], "ID"),
        _octets(output["Data"], "Output.Data"),
        _text(message, "Output.Error.Message"),
        None if error is None else _text(error, "Error"),
    )


def is_request(frame: bytes) -> bool:
    """Whether its keys, or their number, are those of a request and not of a response."""
    envelope = unpack(frame)
    if isinstance(envelope, list):
        return len(envelope) == len(REQUEST_KEYS)
    return isinstance(envelope, dict) and not envelope.keys().isdisjoint(set(REQUEST_KEYS) - set(RESPONSE_KEYS))


def unpack(data: bytes) -> Any:
    """The first value in ``data``; bytes after it are ignored. Raises `ZbusError` if there is none.

    Text that is not UTF-8, which Go accepts, is read with replacement characters.
    """
    if len(data) > FRAME_BYTES_MAX:
        raise ZbusError(f"{len(data)} bytes are more than any frame has ({FRAME_BYTES_MAX})")
    try:
        return _first(data)
    except (ValueError, RecursionError) as error:
        raise ZbusError(f"no MessagePack: {error}") from error


def _first(data: bytes) -> Any:
    value = first_value(data)
    try:
        return msgspec.msgpack.decode(value, strict=True)
    except UnicodeDecodeError:
        return msgspec.msgpack.decode(with_readable_text(value), strict=True)


def _pack(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


def _envelope(frame: bytes, keys: Sequence[str]) -> Mapping[str, Any]:
    envelope = unpack(frame)
    if isinstance(envelope, dict) and envelope.keys().isdisjoint(keys):
        raise ZbusError(f"none of the keys {', '.join(keys)}")
    if envelope is None:
        raise ZbusError("it is nil, not a map")
    return _struct(envelope, keys, "the frame")


def _struct(value: Any, keys: Sequence[str], what: str) -> Mapping[str, Any]:
    """A struct as Go reads it, from a map, an array in the order of the fields, or nil. The result has all keys."""
    if value is None:
        return dict.fromkeys(keys)
    if isinstance(value, dict):
        return {key: value.get(key) for key in keys}
    if isinstance(value, list) and len(value) == len(keys):
        return dict(zip(keys, value, strict=True))
    raise ZbusError(f"{what} is {kind_of(value)}, not a map of {', '.join(keys)}")


def _object(value: Any) -> ObjectId:
    fields = _struct(value, ("Name", "Version"), "Object")
    return ObjectId(_text(fields["Name"], "Object.Name"), _text(fields["Version"], "Object.Version"))


def _text(value: Any, what: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    raise ZbusError(f"{what} is {kind_of(value)}, not a string")


def _octets(value: Any, what: str) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    raise ZbusError(f"{what} is {kind_of(value)}, not a bin")


def kind_of(value: object) -> str:
    """MessagePack's name of its type, for messages."""
    kinds = {"dict": "a map", "list": "an array", "int": "an integer", "bool": "a bool", "float": "a float"}
    kinds |= {"str": "a string", "bytes": "a bin", "NoneType": "nil"}
    return kinds.get(type(value).__name__, f"a {type(value).__name__}")
