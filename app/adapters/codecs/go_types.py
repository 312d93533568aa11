"""Go's types on zbus: how each is written and read.

Theory of operation. A zbus value is MessagePack as github.com/vmihailenco/msgpack v4 writes Go values:
integers at the full width of their type, structs as maps of their fields in order of declaration. A type here
is an object that writes Go's bytes, and reads only what Go writes. Go's own reader sets a missing field to
zero, and cuts a number to its width; here both are errors.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from app.adapters.codecs.zbus_frames import ZbusError, kind_of, unpack
from app.domain.values import value

NANOSECONDS = 10**9
UINT_LEADS = {8: b"\xcc", 16: b"\xcd", 32: b"\xce", 64: b"\xcf"}
INT_LEADS = {8: b"\xd0", 16: b"\xd1", 32: b"\xd2", 64: b"\xd3"}


class GoType(Protocol):
    """A type. ``name`` is its name in Go's source."""

    @property
    def name(self) -> str:
        """Its name in Go's source."""
        ...

    @property
    def zero(self) -> Any:
        """The value that Go reads from nil."""
        ...

    def write(self, value: Any) -> bytes:
        """The plain value for MessagePack, which gives Go's bytes."""
        ...

    def read(self, plain: Any, what: str) -> Any:
        """The value of a plain MessagePack value. Raises `ZbusError` with ``what`` if that has another type."""
        ...


def encode(type_: GoType, value: Any) -> bytes:
    return type_.write(value)


def decode(type_: GoType, data: bytes | None, what: str) -> Any:
    """The value in ``data``. Raises `ZbusError` if there is none, or one of another type."""
    if not data:
        raise ZbusError(f"{what} is missing")
    try:
        plain = unpack(data)
    except ZbusError as error:
        raise ZbusError(f"{what}: {error}") from error
    return type_.read(plain, what)


@value
class Bool:
    """bool."""

    name: str = "bool"
    zero: bool = False

    def write(self, value: bool) -> bytes:
        return b"\xc3" if value else b"\xc2"

    def read(self, plain: Any, what: str) -> bool:
        """Only true and false, not 0 and 1, as in Go."""
        if isinstance(plain, bool):
            return plain
        raise _wrong(plain, what, self.name)


@value
class Integer:
    """uint8 … int64."""

    bits: int
    signed: bool = False
    zero: int = 0

    @property
    def name(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.bits}"

    def write(self, value: int) -> bytes:
        leads = INT_LEADS if self.signed else UINT_LEADS
        return leads[self.bits] + value.to_bytes(self.bits // 8, "big", signed=self.signed)

    def read(self, plain: Any, what: str) -> int:
        """Of any width on the wire, if the number fits the type."""
        if not isinstance(plain, int) or isinstance(plain, bool):
            raise _wrong(plain, what, self.name)
        least = -(1 << (self.bits - 1)) if self.signed else 0
        if not least <= plain < least + (1 << self.bits):
            raise ZbusError(f"{what} is {plain}, which is no {self.name}")
        return plain


@value
class String:
    """string."""

    name: str = "string"
    zero: str = ""

    def write(self, value: str) -> bytes:
        """UTF-8. A lone surrogate (from JSON, or a file's name) becomes a question mark."""
        return msgspec.msgpack.encode(value.encode("utf-8", "replace").decode())

    def read(self, plain: Any, what: str) -> str:
        """A string or a bin. Bytes that are no UTF-8 become replacement characters."""
        if isinstance(plain, str):
            return plain
        if isinstance(plain, bytes):
            return plain.decode("utf-8", "replace")
        raise _wrong(plain, what, self.name)


@value
class ByteArray:
    """[N]byte, such as a hash."""

    length: int

    @property
    def name(self) -> str:
        return f"[{self.length}]byte"

    @property
    def zero(self) -> bytes:
        return bytes(self.length)

    def write(self, value: bytes) -> bytes:
        return msgspec.msgpack.encode(value)

    def read(self, plain: Any, what: str) -> bytes:
        """A bin of exactly that length, since a shorter one is no hash."""
        if isinstance(plain, bytes) and len(plain) == self.length:
            return plain
        raise _wrong(plain, what, self.name)


@value
class Time:
    """time.Time, as nanoseconds since 1970 (read to the microsecond)."""

    name: str = "time.Time"
    zero: int = 0

    def write(self, value: int) -> bytes:
        """MessagePack's timestamp extension, in its shortest form."""
        seconds, nanoseconds = divmod(value, NANOSECONDS)
        if seconds >> 34:
            return b"\xc7\x0c\xff" + struct.pack(">Iq", nanoseconds, seconds)
        both = nanoseconds << 34 | seconds
        if both >> 32:
            return b"\xd7\xff" + struct.pack(">Q", both)
        return b"\xd6\xff" + struct.pack(">I", both)

    def read(self, plain: Any, what: str) -> int:
        timestamp = getattr(plain, "timestamp", None)  # msgspec makes a datetime of the extension
        if timestamp is None:
            raise _wrong(plain, what, self.name)
        # A float has no room for the microseconds of a far year, so those are taken out first.
        return int(plain.replace(microsecond=0).timestamp()) * NANOSECONDS + int(plain.microsecond) * 1000


@value
class Slice:
    """[]T; a nil slice is an empty one."""

    of: GoType
    zero: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        return f"[]{self.of.name}"

    def write(self, value: Sequence[Any]) -> bytes:
        return msgspec.msgpack.encode([msgspec.Raw(self.of.write(item)) for item in value])

    def read(self, plain: Any, what: str) -> tuple[Any, ...]:
        """An array, or nil."""
        if plain is None:
            return ()
        if not isinstance(plain, list):
            raise _wrong(plain, what, self.name)
        return tuple(self.of.read(item, f"{what}[{number}]") for number, item in enumerate(plain))


@value
class StringMap:
    """map[string]string."""

    name: str = "map[string]string"

    @property
    def zero(self) -> dict[str, str]:
        return {}

    def write(self, value: Mapping[str, str]) -> bytes:
        text = String()
        return msgspec.msgpack.encode({name: msgspec.Raw(text.write(item)) for name, item in value.items()})

    def read(self, plain: Any, what: str) -> dict[str, str]:
        if plain is None:
            return {}
        if not isinstance(plain, dict):
            raise _wrong(plain, what, self.name)
        text = String()
        return {text.read(key, f"a key of {what}"): text.read(item, f"{what}[{key!r}]") for key, item in plain.items()}


@value
class Struct:
    """A struct; ``name`` is its type's, ``fields`` are in order of declaration. Values are mappings."""

    name: str
    fields: tuple[tuple[str, GoType], ...]

    @property
    def zero(self) -> dict[str, Any]:
        return {name: type_.zero for name, type_ in self.fields}

    def write(self, value: Mapping[str, Any]) -> bytes:
        return msgspec.msgpack.encode({name: msgspec.Raw(type_.write(value[name])) for name, type_ in self.fields})

    def read(self, plain: Any, what: str) -> dict[str, Any]:
        """A map, or an array in the order of the fields. Keys that are no fields are skipped."""
        names = [name for name, _ in self.fields]
        if isinstance(plain, list) and len(plain) == len(names):
            plain = dict(zip(names, plain, strict=True))
        if not isinstance(plain, dict):
            raise _wrong(plain, what, self.name)
        missing = [name for name in names if name not in plain]
        if missing:
            raise ZbusError(f"{what}.{missing[0]} is missing")
        return {name: type_.read(plain[name], f"{what}.{name}") for name, type_ in self.fields}


BOOL, STRING, TIME = Bool(), String(), Time()
UINT32, UINT64, INT64 = Integer(32), Integer(64), Integer(64, signed=True)
HASH = ByteArray(32)


def _wrong(plain: Any, what: str, wanted: str) -> ZbusError:
    return ZbusError(f"{what} is {kind_of(plain)}, not a {wanted}")
