"""One endpoint of the chain, looked at for itself: which chain, how new, and whether it takes extrinsics.

Nothing here needs the runtime's metadata, which costs a second and 30 MiB for each look: the one stored
value that is read, ``Timestamp.Now``, has had the same key and type in every runtime.
"""

from __future__ import annotations

from typing import Any

import msgspec

from app.adapters.substrate.answers import Header, read
from app.adapters.substrate.endpoint import name_of
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.domain.model import Head, HeadKind
from app.domain.values import value

NOW_KEY = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
"""twox_128("Timestamp") and twox_128("Now"): a u64 of milliseconds, little endian."""

SUBMIT = ("author_submitExtrinsic", "author_submitAndWatchExtrinsic")


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    spec_name: str
    spec_version: int


class _Health(msgspec.Struct, frozen=True, rename="camel"):
    peers: int
    is_syncing: bool
    should_have_peers: bool


class _Methods(msgspec.Struct, frozen=True):
    methods: list[str]


@value
class EndpointLook:
    """``lonely``: it should have peers and has none, so that an extrinsic given to it reaches no other node.

    ``takes_extrinsics`` is None where it does not list its methods.
    """

    name: str
    genesis: str
    spec: str
    best: Head
    finalized: Head
    takes_extrinsics: bool | None
    syncing: bool
    lonely: bool

    @property
    def lag_blocks(self) -> int:
        """By how many blocks the finalized head is behind the best one."""
        return (self.best.number or 0) - (self.finalized.number or 0)


async def look_at(url: str, timeout_s: float) -> EndpointLook:
    """Raises `EndpointFailed`. Every wait lasts ``timeout_s`` at most."""
    connection = RpcConnection(url, name_of(url), timeout_s=timeout_s, keepalive_s=timeout_s)
    try:
        await connection.open(timeout_s)
        return await _look(connection)
    except RpcRefused as error:
        raise EndpointFailed(connection.name, str(error)) from error
    finally:
        connection.close()


async def _look(connection: RpcConnection) -> EndpointLook:
    name = connection.name
    genesis, best, finalized, version, health, methods = await connection.batch(
        [
            ("chain_getBlockHash", [0]),
            ("chain_getBlockHash", []),
            ("chain_getFinalizedHead", []),
            ("state_getRuntimeVersion", []),
            ("system_health", []),
            ("rpc_methods", []),
        ]
    )
    hashes = [read(name, str, each) for each in (genesis, best, finalized)]
    spec = read(name, _Version, version)
    condition = None if isinstance(health, RpcRefused) else read(name, _Health, health)
    known = None if isinstance(methods, RpcRefused) else read(name, _Methods, methods).methods
    return EndpointLook(
        name,
        hashes[0].lower(),
        f"{spec.spec_name} {spec.spec_version}",
        await _head(connection, HeadKind.BEST, hashes[1]),
        await _head(connection, HeadKind.FINALIZED, hashes[2]),
        None if known is None else set(SUBMIT) <= set(known),
        condition is not None and condition.is_syncing,
        condition is not None and condition.should_have_peers and not condition.peers,
    )


async def _head(connection: RpcConnection, kind: HeadKind, block_hash: str) -> Head:
    header, now = await connection.batch(
        [("chain_getHeader", [block_hash]), ("state_getStorage", [NOW_KEY, block_hash])]
    )
    return Head(kind, read(connection.name, Header, header).height, block_hash, _seconds(connection.name, now))


def _seconds(name: str, stored: Any) -> float:
    """Unix seconds; 0 for block 0, which has no time."""
    if stored is None:
        return 0.0
    try:
        return int.from_bytes(bytes.fromhex(read(name, str, stored).removeprefix("0x")), "little") / 1000
    except ValueError as error:
        raise EndpointFailed(name, f"the time of its block can't be read: {stored!r}") from error
