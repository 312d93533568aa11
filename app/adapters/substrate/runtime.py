"""One runtime of the chain: its types, storage keys, calls, events and errors, from its own metadata.

It imports substrate-interface (tens of MiB with tfchain's metadata, and a third of a second), so it is
imported where it is first needed, in the worker's thread. The library's client is used without a
connection: it asks for a handful of facts by RPC, and `_OfflineInterface` answers them from what is
known. So every request to a node is made by `RpcConnection`, with its deadline, and a runtime survives
all connections. Not thread-safe: used in the worker's thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.layout import Layout
from app.adapters.substrate.library import ScaleBytes, StorageKey, SubstrateInterface, Types
from app.adapters.substrate.outcomes import FailedWith, Outcome, Succeeded
from app.domain.blocks import BlockRef
from app.domain.errors import WrongChain
from app.domain.values import value

PALLET = "TfgridModule"
ANY_HASH = "0x" + "00" * 31 + "01"


@value
class EventRecord:
    """An event of a block. ``extrinsic`` is the index of its extrinsic, or None."""

    extrinsic: int | None
    pallet: str
    name: str
    attributes: Any


class _OfflineInterface(SubstrateInterface):  # type: ignore[misc]  # the library is untyped
    """The library's client, whose requests are answered by ``facts``: RPC method → function of its parameters."""

    def __init__(self, facts: Mapping[str, Callable[..., Any]]) -> None:
        self._facts = facts
        super().__init__(websocket=object(), auto_discover=False, runtime_config=Types())

    def rpc_request(self, method: str, params: Sequence[Any] | None, result_handler: object = None) -> Any:  # noqa: ARG002
        return {"result": self._facts[method](*(params or ()))}


class Runtime:
    """A runtime of one spec version.

    Raises `WrongChain` when it lacks a call or storage that powerd needs, and ValueError or errors of the
    library when ``metadata`` (the answer of ``state_getMetadata``) cannot be read.
    """

    def __init__(self, spec_version: int, metadata: str, genesis_hash: str) -> None:
        self.spec_version = spec_version
        self._birth_hash = genesis_hash
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._upgrades: dict[str, int] = {}
        self._interface = _OfflineInterface(
            {
                "rpc_methods": lambda: {"methods": ["chain_getHead", "state_getRuntimeVersion"]},
                "chain_getHead": lambda: ANY_HASH,
                "chain_getHeader": lambda _: {"parentHash": ANY_HASH},
                "state_getRuntimeVersion": lambda _: {"specVersion": spec_version, "transactionVersion": 0},
                "state_getMetadata": lambda _: metadata,
                "chain_getBlockHash": lambda number: self._birth_hash if number else genesis_hash,
            }
        )
        self._interface.init_runtime()
        self._metadata = self._interface.metadata
        self._config = self._interface.runtime_config
        if self._interface.get_metadata_call_function(PALLET, "change_power_state") is None:
            raise WrongChain(f"its runtime {spec_version} has no call {PALLET}.change_power_state")

    # -- storage -----------------------------------------------------------------------------------

    def key(self, pallet: str, item: str, *arguments: int | bytes) -> str:
        """The storage key of a plain item, or of one entry of a map, ``0x…``."""
        layout = self._layout(pallet, item)
        if not arguments:
            return layout.plain_key
        if layout.blake2_concat_u32 and isinstance(arguments[0], int):
            return layout.u32_key(arguments[0])
        encoded = [f"0x{a.hex()}" if isinstance(a, bytes) else a for a in arguments]
        return str(self._library_key(pallet, item, encoded).to_hex())

    def value(self, pallet: str, item: str, data: str | None) -> Any:
        """A stored value in the library's Python form. An absent one is the item's default, or None.

        Raises ValueError when the bytes do not have the item's type.
        """
        layout = self._layout(pallet, item)
        data = layout.default if data is None else data
        if data is None:
            return None
        raw = bytes.fromhex(data.removeprefix("0x"))
        if len(raw) == layout.unsigned_bytes:
            return int.from_bytes(raw, "little")
        scale = self._config.create_scale_object(layout.type_name, data=ScaleBytes(raw), metadata=self._metadata)
        try:
            scale.decode()
        except Exception as error:
            # The library raises errors of many types.
            reason = str(error) or type(error).__name__
            raise ValueError(f"0x{raw[:32].hex()} is no {pallet}.{item}: {reason}") from error
        return scale.value

    def _layout(self, pallet: str, item: str) -> Layout:
        known = self._layouts.get((pallet, item))
        if known is None:
            function = self._storage_function(pallet, item)
            if function is None:
                raise WrongChain(f"its runtime {self.spec_version} has no storage {pallet}.{item}")
            parameters = function.get_params_type_string()
            type_name = function.get_value_type_string()
            known = self._layouts[pallet, item] = Layout(
                prefix=bytes(self._library_key(pallet, item, []).data),
                type_name=type_name,
                unsigned_bytes=next((bits // 8 for bits in (32, 64) if self._is_a(type_name, f"u{bits}")), None),
                blake2_concat_u32=len(parameters) == 1
                and self._is_a(parameters[0], "u32")
                and function.get_param_hashers() == ["Blake2_128Concat"],
                default="0x" + function.value_object["default"].value_object.hex()
                if function.value["modifier"] == "Default"
                else None,
            )
        return known

    def _is_a(self, type_name: str, base: str) -> bool:
        return issubclass(self._config.get_decoder_class(type_name), self._config.get_decoder_class(base))

    def _storage_function(self, pallet: str, item: str) -> Any:
        found = self._metadata.get_metadata_pallet(pallet)
        return found.get_storage_function(item) if found else None

    def _library_key(self, pallet: str, item: str, arguments: Sequence[Any]) -> Any:
        return StorageKey.create_from_storage_function(
            pallet, item, arguments, runtime_config=self._config, metadata=self._metadata
        )

    # -- blocks ------------------------------------------------------------------------------------

    @cached_property
    def upgrade_keys(self) -> list[str]:
        """The key of ``System.LastRuntimeUpgrade``; empty for a runtime without it."""
        if self._storage_function("System", "LastRuntimeUpgrade") is None:
            return []
        return [self.key("System", "LastRuntimeUpgrade")]

    def spec_of_block(self, values: Mapping[str, str]) -> int | None:
        """The spec version that executed a block, from the state after it; None when the state has none.

        A new runtime writes it first of all (frame-executive). So the block of an upgrade still has the old
        version, and so are its events and state.
        """
        for key in self.upgrade_keys:
            data = values.get(key)
            if data is None:
                continue
            if data not in self._upgrades:
                self._upgrades = {data: int(self.value("System", "LastRuntimeUpgrade", data)["spec_version"])}
            return self._upgrades[data]
        return None

    def events(self, data: str | None) -> list[EventRecord]:
        """``System.Events`` of a block that this runtime executed. Raises ValueError when they cannot be read."""
        return [
            EventRecord(
                record["extrinsic_idx"],
                record["event"]["module_id"],
                record["event"]["event_id"],
                record["event"]["attributes"],
            )
            for record in self.value("System", "Events", data or "0x00")
        ]

    def event_tag(self, pallet: str, name: str) -> bytes | None:
        """The two bytes at the beginning of every event of this name; None when there is no such event."""
        found = self._event_kind(pallet, name)
        return None if found is None else bytes([found[0].value["index"], found[1]["index"]])

    def event_fields(self, pallet: str, name: str) -> list[str]:
        """The types of the event's fields, such as ``u32``; empty when there is no such event."""
        found = self._event_kind(pallet, name)
        return [] if found is None else [str(field["typeName"]) for field in found[1]["fields"]]

    def _event_kind(self, pallet: str, name: str) -> tuple[Any, Any] | None:
        found = self._metadata.get_metadata_pallet(pallet)
        for event in (found.events or ()) if found else ():
            if event.value["name"] == name:
                return found, event.value
        return None

    def outcomes(self, data: str | None) -> dict[int, Outcome]:
        """The results of a block's extrinsics, by index."""
        results: dict[int, Outcome] = {}
        for event in self.events(data):
            if event.extrinsic is not None and event.pallet == "System":
                if event.name == "ExtrinsicSuccess":
                    results[event.extrinsic] = Succeeded()
                elif event.name == "ExtrinsicFailed":
                    results[event.extrinsic] = FailedWith(self.error_name(event.attributes["dispatch_error"]))
        return results

    def error_name(self, dispatch_error: Any) -> str:
        """The name of a ``DispatchError``; for a module's error the one in the metadata, such as ``NodeNotExists``."""
        if not isinstance(dispatch_error, dict):
            return str(dispatch_error)
        if "Module" not in dispatch_error:
            return ".".join(str(part) for pair in dispatch_error.items() for part in pair if part)
        index, error = dispatch_error["Module"]["index"], dispatch_error["Module"]["error"]
        # Since FRAME of 2022 it has four bytes, of which the first is the error's index.
        code = int(error[2:4], 16) if isinstance(error, str) else int(error)
        found = self._metadata.get_module_error(module_index=index, error_index=code)
        return str(found.value["name"]) if found else f"error {code} of pallet {index}"

    # -- extrinsics --------------------------------------------------------------------------------

    def sign(
        self,
        call: str,
        arguments: dict[str, Any],
        key: SigningKey,
        *,
        nonce: int,
        birth: BlockRef,
        period: int,
        transaction_version: int,
    ) -> str:
        """A signed extrinsic of ``TfgridModule``, ``0x…``, valid in the ``period`` - 1 blocks after ``birth``.

        ``period`` must be a power of two from 4 to 4096, so that the era begins exactly at ``birth``.
        """
        self._birth_hash = birth.hash
        self._interface.transaction_version = transaction_version
        composed = self._interface.compose_call(PALLET, call, arguments)
        # The library changes this dictionary.
        era = {"period": period, "current": birth.number}
        extrinsic = self._interface.create_signed_extrinsic(composed, key.keypair, era=era, nonce=nonce)
        return str(extrinsic.data.to_hex())
