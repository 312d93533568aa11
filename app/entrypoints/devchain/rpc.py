"""Substrate's JSON-RPC methods that are answered at once; subscriptions are in their own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from app import __version__
from app.adapters.simulated.ledger import FEE, InvalidTransaction
from app.adapters.simulated.ledger_blocks import Block
from app.entrypoints.devchain.admin import Admin
from app.entrypoints.devchain.dev_runtime import DevRuntime
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.extrinsics import Unsigned, hash_of, inherent
from app.entrypoints.devchain.node import AlreadyImported

CHAIN = "powerd dev chain"
SS58_FORMAT = 42
PREFIX = "0x"
SUBSCRIPTIONS = (
    *("author_submitAndWatchExtrinsic", "chain_subscribeAllHeads", "chain_subscribeFinalizedHeads"),
    *("chain_subscribeNewHead", "chain_subscribeNewHeads", "state_subscribeRuntimeVersion", "state_subscribeStorage"),
)
"""Methods that are listed here and served in `app.entrypoints.devchain.subscriptions`."""


class RpcError(Exception):
    """A JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Rpc:
    """Looks methods up by name; each takes the request's params."""

    def __init__(self, endpoint: Endpoint) -> None:
        node = self._node = endpoint.node
        self._endpoint = endpoint
        self._methods: Mapping[str, Callable[..., Any]] = {
            "system_chain": lambda: CHAIN,
            "system_name": lambda: "powerd-devchain",
            "system_version": lambda: f"{__version__}-spec{self._runtime().spec_version}",
            "system_properties": lambda: {"ss58Format": SS58_FORMAT, "tokenDecimals": 7, "tokenSymbol": "TFT"},
            "system_health": lambda: {"isSyncing": False, "peers": 0, "shouldHavePeers": False},
            "system_accountNextIndex": self._next_index,
            "rpc_methods": lambda: {"methods": sorted([*self._methods, *SUBSCRIPTIONS])},
            "chain_getHead": self._block_hash,
            "chain_getBlockHash": self._block_hash,
            "chain_getFinalizedHead": lambda: endpoint.finalized.hash,
            "chain_getHeader": lambda block_hash=None: header(self._block(block_hash)),
            "chain_getBlock": lambda block_hash=None: _whole(self._block(block_hash)),
            "state_getRuntimeVersion": lambda at=None: self._runtime(at).version,
            "chain_getRuntimeVersion": lambda at=None: self._runtime(at).version,
            "state_getMetadata": lambda at=None: self._runtime(at).metadata,
            "state_getStorage": self._storage,
            "state_getStorageAt": self._storage,
            "state_getStorageHash": self._storage,
            "state_getStorageSize": lambda key, at=None: (len(self._storage(key, at) or PREFIX) - 2) // 2,
            "state_queryStorageAt": self._query,
            "state_getKeysPaged": self._keys,
            "author_submitExtrinsic": lambda raw: hash_of(self.submit(raw)),
            "author_pendingExtrinsics": lambda: [PREFIX + waiting.raw.hex() for waiting in node.ledger.pending()],
            "payment_queryInfo": self._fee,
            **Admin(endpoint).methods,
        }

    def call(self, method: str, params: Sequence[Any]) -> Any:
        """The result; raises `RpcError`."""
        handler = self._methods.get(method)
        if handler is None:
            raise RpcError(-32601, "Method not found")
        try:
            return handler(*params)
        except (TypeError, ValueError, AttributeError) as error:
            raise RpcError(-32602, f"Invalid params: {error}") from error

    def submit(self, raw: str) -> bytes:
        """Hand an extrinsic to the pool; errors as Substrate's nodes give them."""
        data = bytes.fromhex(raw.removeprefix(PREFIX))
        try:
            self._node.submit(data)
        except AlreadyImported:
            raise RpcError(1013, "Transaction Already Imported") from None
        except Unsigned:
            raise RpcError(
                1011, "Unknown Transaction Validity", "Could not find an unsigned validator: noUnsignedValidator"
            ) from None
        except InvalidTransaction as error:
            raise RpcError(1010, "Invalid Transaction", WORDS.get(str(error), str(error))) from None
        return data

    def _block(self, block_hash: str | None) -> Block:
        block = self._endpoint.block_of(block_hash)
        if block is None:
            raise RpcError(-32000, f"UnknownBlock: State already discarded for {block_hash}")
        return block

    def _runtime(self, at: str | None = None) -> DevRuntime:
        return self._node.runtime_after(self._block(at))

    def _block_hash(self, number: int | str | None = None) -> str | None:
        if number is None:
            return self._endpoint.best.hash
        block = self._endpoint.block(int(number, 16) if isinstance(number, str) else number)
        return None if block is None else block.hash

    def _storage(self, key: str, at: str | None = None) -> str | None:
        value = self._node.storage.read(bytes.fromhex(key.removeprefix(PREFIX)), self._block(at))
        return None if value is None else PREFIX + value.hex()

    def _query(self, keys: Sequence[str], at: str | None = None) -> list[dict[str, Any]]:
        block = self._block(at)
        return [{"block": block.hash, "changes": [[key, self._storage(key, block.hash)] for key in keys]}]

    def _keys(self, prefix: str, count: int, start: str | None = None, at: str | None = None) -> list[str]:
        keys = self._node.storage.keys(bytes.fromhex(prefix.removeprefix(PREFIX)), self._block(at))
        after = bytes.fromhex((start or PREFIX)[2:])
        return [PREFIX + key.hex() for key in islice((key for key in keys if key > after), count)]

    def _next_index(self, address: str) -> int:
        from scalecodec.utils.ss58 import ss58_decode

        return self._node.ledger.next_nonce(bytes.fromhex(ss58_decode(address)))

    def _fee(self, _: str, at: str | None = None) -> dict[str, Any]:
        self._block(at)
        return {"weight": {"ref_time": 100_000_000, "proof_size": 0}, "class": "normal", "partialFee": str(FEE)}


WORDS = {
    "stale": "Transaction is outdated: stale",
    "future": "Transaction will be valid in the future: future",
    "badProof": "Transaction has a bad signature: badProof",
    "ancientBirthBlock": "Transaction has an ancient birth block: ancientBirthBlock",
    "payment": "Inability to pay some fees (e.g. account balance too low): payment",
}
"""What the node says in ``data``, with the reason's own name at its end."""


def header(block: Block) -> dict[str, Any]:
    """A block's header. The dev chain has no state trie: the roots are the block's own hash."""
    return {
        "parentHash": block.parent,
        "number": hex(block.number),
        "stateRoot": block.hash,
        "extrinsicsRoot": block.hash,
        "digest": {"logs": []},
    }


def _whole(block: Block) -> dict[str, Any]:
    raw = [inherent(block.time_ms), *(extrinsic.raw for extrinsic in block.extrinsics)] if block.number else []
    extrinsics = [PREFIX + data.hex() for data in raw]
    return {"block": {"header": header(block), "extrinsics": extrinsics}, "justifications": None}
