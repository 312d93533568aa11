"""The dev chain's node: takes extrinsics from the wire into the ledger, and makes blocks on time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from app.adapters.simulated.ledger import Block, Extrinsic, InvalidTransaction, Ledger
from app.entrypoints.devchain.extrinsics import check, parse
from app.entrypoints.devchain.metadata import metadata_value
from app.entrypoints.devchain.storage import SPEC_NAME, ChainStorage

SPEC_VERSION = 149
TRANSACTION_VERSION = 2


class DevNode:
    """A ledger with a runtime around it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.storage = ChainStorage(ledger, SPEC_VERSION)
        self._on_change: list[Callable[[], None]] = []
        ledger.listen(lambda _: self.changed())

    @property
    def runtime_version(self) -> dict[str, Any]:
        """As ``state_getRuntimeVersion`` answers."""
        return {
            "specName": SPEC_NAME,
            "implName": SPEC_NAME,
            "authoringVersion": 1,
            "specVersion": SPEC_VERSION,
            "implVersion": 1,
            "apis": [],
            "transactionVersion": TRANSACTION_VERSION,
            "stateVersion": 0,
        }

    @cached_property
    def metadata(self) -> str:
        """As ``state_getMetadata`` answers."""
        config, _ = self._codec
        return str(config.create_scale_object("MetadataVersioned").encode(metadata_value()))

    @cached_property
    def _codec(self) -> tuple[Any, Any]:
        from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
        from scalecodec.type_registry import load_type_registry_preset

        config = RuntimeConfigurationObject(implements_scale_info=True)
        config.update_type_registry(load_type_registry_preset("core"))
        data = config.create_scale_object("MetadataVersioned").encode(metadata_value())
        metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(bytes(data.data)))
        metadata.decode()
        config.add_portable_registry(metadata)
        return config, metadata

    def when_changed(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change of the chain; returns what undoes it."""
        self._on_change.append(listener)
        return lambda: self._on_change.remove(listener)

    def changed(self) -> None:
        """Tell everybody who listens."""
        for listener in tuple(self._on_change):
            listener()

    def submit(self, raw: bytes) -> Extrinsic:
        """Check an extrinsic and take it into the pool; `Unsigned` or `InvalidTransaction` otherwise."""
        signed = parse(raw)
        dies_after = check(signed, self.ledger, SPEC_VERSION, TRANSACTION_VERSION)
        pallet, call, arguments = self._call(signed.call)
        extrinsic = Extrinsic(signed.account, signed.nonce, call, arguments, pallet, raw, dies_after)
        self.ledger.submit(extrinsic, time.time())
        return extrinsic

    def block_of(self, block_hash: str | None) -> Block | None:
        """A block by hash, the best without one."""
        return self.ledger.best if block_hash is None else self.ledger.by_hash(block_hash)

    async def make_blocks(self) -> None:
        """One block every ``block_time_s``, until cancelled; with block time 0 extrinsics make their own."""
        if self.ledger.block_time_s == 0:
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self.ledger.block_time_s
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.ledger.produce(time.time())

    def _call(self, data: bytes) -> tuple[str, str, dict[str, Any]]:
        from scalecodec.base import ScaleBytes

        config, metadata = self._codec
        try:
            call = config.create_scale_object("Call", ScaleBytes(data), metadata=metadata)
            value = call.decode(check_remaining=True)
        except Exception as error:  # scalecodec raises whatever its parsing stumbles over
            raise InvalidTransaction("badProof") from error
        arguments = {argument["name"]: argument["value"] for argument in value["call_args"]}
        return value["call_module"], value["call_function"], arguments
