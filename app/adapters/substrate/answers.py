"""The shapes of a chain node's answers. An answer of another shape is the node's error."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused

Shape = TypeVar("Shape")


class Header(msgspec.Struct, frozen=True, rename="camel"):
    """``chain_getHeader``."""

    number: str
    parent_hash: str

    def __post_init__(self) -> None:
        int(self.number, 16)

    @property
    def height(self) -> int:
        return int(self.number, 16)


class RuntimeVersion(msgspec.Struct, frozen=True, rename="camel"):
    """``state_getRuntimeVersion``."""

    spec_version: int
    transaction_version: int = 0


class Changes(msgspec.Struct, frozen=True):
    """An element of ``state_queryStorageAt``: a block's hash, and values by storage key (``None``: no entry)."""

    block: str
    changes: list[tuple[str, str | None]]


class BlockBody(msgspec.Struct, frozen=True):
    """The inner block of ``chain_getBlock``."""

    header: Header
    extrinsics: list[str]


class SignedBlock(msgspec.Struct, frozen=True):
    """``chain_getBlock``."""

    block: BlockBody


def read(endpoint: str, shape: type[Shape], answer: Any) -> Shape:
    """The answer as ``shape``. Raises `EndpointFailed` when it has another one, `RpcRefused` when it is a refusal."""
    if isinstance(answer, RpcRefused):
        raise answer
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        raise EndpointFailed(endpoint, f"an answer that is no {shape!r}: {error}") from error
