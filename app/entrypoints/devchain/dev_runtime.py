"""The runtimes of the dev chain: each upgrade brings a new one, which numbers calls and events differently.

So a client that reads a block with another runtime's metadata, or signs for one, is found out.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.adapters.simulated.ledger import InvalidTransaction
from app.entrypoints.devchain.metadata import metadata_value
from app.entrypoints.devchain.pallet_table import PALLETS, Pallet

SPEC_NAME = "substrate-threefold"
SPEC_VERSION = 149
TRANSACTION_VERSION = 2


class DevRuntime:
    """Runtime number ``generation``; 0 is the one the chain begins with."""

    def __init__(self, generation: int) -> None:
        self.spec_version = SPEC_VERSION + generation
        self.pallets = _renumbered(generation)

    @functools.cached_property
    def version(self) -> dict[str, Any]:
        """As ``state_getRuntimeVersion`` answers."""
        return {
            "specName": SPEC_NAME,
            "implName": SPEC_NAME,
            "authoringVersion": 1,
            "specVersion": self.spec_version,
            "implVersion": 1,
            "apis": [],
            "transactionVersion": TRANSACTION_VERSION,
            "stateVersion": 0,
        }

    @functools.cached_property
    def metadata(self) -> str:
        """As ``state_getMetadata`` answers."""
        return "0x" + self._encoded.hex()

    def decode_call(self, data: bytes) -> tuple[str, str, dict[str, Any]]:
        """Pallet, call and arguments. Raises `InvalidTransaction` if it is no call of this runtime."""
        from app.adapters.substrate.library import ScaleBytes

        metadata = self._decoded
        try:
            call = self._config.create_scale_object("Call", ScaleBytes(data), metadata=metadata)
            value = call.decode(check_remaining=True)
        except Exception as error:  # scalecodec raises errors of many types
            raise InvalidTransaction("badProof") from error
        arguments = {argument["name"]: argument["value"] for argument in value["call_args"]}
        return value["call_module"], value["call_function"], arguments

    @functools.cached_property
    def _config(self) -> Any:
        from app.adapters.substrate.library import Types, load_type_registry_preset

        config = Types(implements_scale_info=True)
        config.update_type_registry(load_type_registry_preset("core"))
        return config

    @functools.cached_property
    def _encoded(self) -> bytes:
        return bytes(self._config.create_scale_object("MetadataVersioned").encode(metadata_value(self.pallets)).data)

    @functools.cached_property
    def _decoded(self) -> Any:
        """Made at the first extrinsic, since it takes as long as the encoding."""
        from app.adapters.substrate.library import ScaleBytes

        metadata = self._config.create_scale_object("MetadataVersioned", ScaleBytes(self._encoded))
        metadata.decode()
        self._config.add_portable_registry(metadata)
        return metadata


@functools.cache
def runtime(generation: int) -> DevRuntime:
    """The same object each time: a runtime's metadata takes a third of a second to make."""
    return DevRuntime(generation)


class Upgrades:
    """Which runtime executed which block.

    The block that brings an upgrade is executed, and its events are written, by the old runtime; the
    new code is in its state, and executes from the next block on.
    """

    def __init__(self) -> None:
        self._brought_in: list[int] = []

    def upgrade(self, block: int) -> DevRuntime:
        """Add the next runtime, which ``block`` brings, and return it."""
        self._brought_in.append(block)
        return runtime(len(self._brought_in))

    def executed(self, block: int) -> DevRuntime:
        return runtime(sum(brought < block for brought in self._brought_in))

    def code_after(self, block: int) -> DevRuntime:
        """The runtime whose code is in the state after the block."""
        return runtime(sum(brought <= block for brought in self._brought_in))


def _renumbered(generation: int) -> Mapping[str, Pallet]:
    def shifted(items: Mapping[str, tuple[int, Any]]) -> Mapping[str, tuple[int, Any]]:
        return {name: (index + generation, fields) for name, (index, fields) in items.items()}

    tfgrid = PALLETS["TfgridModule"]
    return {**PALLETS, "TfgridModule": replace(tfgrid, calls=shifted(tfgrid.calls), events=shifted(tfgrid.events))}
