"""The chain's storage as Substrate keeps it: hashed keys, SCALE values, at any block."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import xxhash

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.adapters.simulated.pallet import StoredPower
from app.entrypoints.devchain.dev_runtime import SPEC_NAME, DevRuntime
from app.entrypoints.devchain.pallet_table import PALLETS, Pallet, Storage
from app.entrypoints.devchain.scale import encode

NEW_LOGIC = 1 << 127
"""The flag that pallet_balances sets on every account (``ExtraFlags``)."""


def twox128(data: bytes) -> bytes:
    """Substrate's name hash."""
    return b"".join(xxhash.xxh64(data, seed=seed).digest()[::-1] for seed in (0, 1))


def prefix_of(pallet: str, item: str) -> bytes:
    """Where an item's keys begin."""
    return twox128(pallet.encode()) + twox128(item.encode())


PREFIXES = {prefix_of(pallet, item): (pallet, item) for pallet in PALLETS for item in PALLETS[pallet].storage}


class ChainStorage:
    """Reads the ledger by storage key. ``cut``: the records of these nodes are cut to this number of bytes."""

    def __init__(self, ledger: Ledger, executed: Callable[[int], DevRuntime]) -> None:
        self._ledger = ledger
        self._executed = executed
        self.cut: dict[int, int] = {}
        self._encode = lru_cache(maxsize=4096)(_encode_by_identity)
        self._system: dict[str, Callable[[Block, Any], Any]] = {
            "Account": self._account,
            "BlockHash": lambda _, number: self._hash(number),
            "Number": lambda block, _: block.number,
            "ParentHash": lambda block, _: block.parent,
            "Events": lambda block, _: self._events(block),
            "EventCount": lambda block, _: len(self._events(block)),
            "LastRuntimeUpgrade": self._upgrade,
        }

    def read(self, key: bytes, at: Block) -> bytes | None:
        """The value's bytes; None where there is none (the client then takes the metadata's default)."""
        found = PREFIXES.get(key[:32])
        if found is None:
            return None
        pallet, item = found
        storage = PALLETS[pallet].storage[item]
        value = self._value(pallet, item, _plain_key(storage, key[32:]), at)
        if value is None:
            return None
        whole = self._encode(storage.value, _Same(value))
        if item == "Nodes" and self.cut:
            return whole[: self.cut.get(_plain_key(storage, key[32:]), len(whole))]
        return whole

    def keys(self, prefix: bytes, at: Block) -> Iterator[bytes]:
        """All keys of the map to which ``prefix`` belongs, in order."""
        found = PREFIXES.get(prefix[:32])
        if found is None:
            return
        storage = PALLETS[found[0]].storage[found[1]]
        name = "Nonce" if found == ("System", "Account") else found[1]
        whole = (
            prefix[:32] + _hashed(storage, encode(storage.key, key))
            for key in self._ledger.store.keys(name, at.number)
            if storage.key
        )
        yield from sorted(key for key in whole if key.startswith(prefix))

    def _value(self, pallet: str, item: str, key: Any, at: Block) -> Any:
        if pallet == "System":
            return self._system[item](at, key)
        if pallet == "Timestamp":
            return at.time_ms
        return self._ledger.read(item, key, at.number)

    def _account(self, at: Block, account: bytes) -> Any:
        balance = self._ledger.read("Balance", account, at.number)
        nonce = self._ledger.read("Nonce", account, at.number, 0)
        if balance is None and not nonce:
            return None
        data = {"free": balance or 0, "reserved": 0, "frozen": 0, "flags": NEW_LOGIC}
        return {"nonce": nonce, "consumers": 0, "providers": 1, "sufficients": 0, "data": data}

    def _hash(self, number: int) -> str | None:
        block = self._ledger.block(number)
        return None if block is None else block.hash

    def _upgrade(self, at: Block, _: Any) -> Any:
        return {"spec_version": self._executed(at.number).spec_version, "spec_name": SPEC_NAME}

    def _events(self, block: Block) -> list[dict[str, Any]]:
        return _events(block, self._executed(block.number).pallets)


class _Same:
    """A cache key: values of the ledger are never mutated, so the same object encodes the same."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value


def _encode_by_identity(kind: str, same: _Same) -> bytes:
    value = same.value
    if isinstance(value, StoredPower):
        value = {"state": value.state, "target": value.target}
    return encode(kind, value)


def _plain_key(storage: Storage, hashed: bytes) -> Any:
    if not storage.key:
        return None
    raw = hashed[8:] if storage.hasher == "Twox64Concat" else hashed[16:]
    return raw if storage.key == "AccountId32" else int.from_bytes(raw, "little")


def _hashed(storage: Storage, raw: bytes) -> bytes:
    if storage.hasher == "Twox64Concat":
        return xxhash.xxh64(raw, seed=0).digest()[::-1] + raw
    return hashlib.blake2b(raw, digest_size=16).digest() + raw


def _events(block: Block, pallets: Mapping[str, Pallet]) -> list[dict[str, Any]]:
    """Event records; extrinsic 0 is the inherent that sets the time, so ours are counted from 1."""
    records = [_record(0, pallets["System"], "ExtrinsicSuccess", {"dispatch_info": _info("Yes", "Mandatory")})]
    for event in block.events:
        attributes = event.attributes
        if event.pallet == "System":
            attributes = {"dispatch_info": _info(event.attributes["pays_fee"], "Normal")}
            if event.name == "ExtrinsicFailed":
                attributes["dispatch_error"] = _module_error(event.attributes["error"])
        records.append(_record((event.extrinsic or 0) + 1, pallets[event.pallet], event.name, attributes))
    return records if block.number else []


def _record(extrinsic: int, pallet: Pallet, name: str, attributes: Any) -> dict[str, Any]:
    return {"phase": {"ApplyExtrinsic": extrinsic}, "event": (pallet, name, attributes), "topics": []}


def _info(pays_fee: str, kind: str) -> dict[str, Any]:
    return {"weight": {"ref_time": 100_000_000, "proof_size": 0}, "class": kind, "pays_fee": pays_fee}


def _module_error(name: str) -> dict[str, Any]:
    tfgrid = PALLETS["TfgridModule"]
    return {"Module": {"index": tfgrid.index, "error": bytes([tfgrid.errors.index(name), 0, 0, 0])}}
