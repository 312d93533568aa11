"""The shapes of a node's answers. What has another shape is the node's error, not ours."""

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
        """The block's number."""
        return int(self.number, 16)


class RuntimeVersion(msgspec.Struct, frozen=True, rename="camel"):
    """``state_getRuntimeVersion``."""

    spec_version: int
    transaction_version: int = 0


class Changes(msgspec.Struct, frozen=True):
    """The one element of ``state_queryStorageAt``: a block's hash; storage keys and values, ``None`` for no entry."""

    block: str
    changes: list[tuple[str, str | None]]


class BlockBody(msgspec.Struct, frozen=True):
    """The block inside of ``chain_getBlock``."""

    header: Header
    extrinsics: list[str]


class SignedBlock(msgspec.Struct, frozen=True):
    """``chain_getBlock``."""

    block: BlockBody


def read(endpoint: str, shape: type[Shape], answer: Any) -> Shape:
    """The answer as ``shape``; `EndpointFailed` when it is none, `RpcRefused` when it was refused."""
    if isinstance(answer, RpcRefused):
        raise answer
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        raise EndpointFailed(endpoint, f"an answer that is no {shape!r}: {error}") from error
