"""One runtime of the chain: its types, storage keys, calls, events and errors, by its own metadata.

This is the only module that imports substrate-interface (50 MiB with tfchain's metadata, and half
a second), so it is imported where it is first needed, in the worker's thread. The library's client
is used without a connection: it asks for a handful of facts by RPC, and `_OfflineInterface` answers
them from what is known. So every request to a node is made by `RpcConnection`, with its deadline,
and a runtime survives all connections. Not thread-safe: used in the worker's thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scalecodec.base import ScaleBytes
from substrateinterface import SubstrateInterface
from substrateinterface.storage import StorageKey

from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.layout import Layout, TypeDefinition
from app.domain.blocks import BlockRef
from app.domain.errors import WrongChain

PALLET = "TfgridModule"
ANY_HASH = "0x" + "00" * 31 + "01"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event of a block; ``extrinsic`` is the index of the extrinsic it belongs to, if any."""

    extrinsic: int | None
    pallet: str
    name: str
    attributes: Any


class _OfflineInterface(SubstrateInterface):  # type: ignore[misc]  # the library is untyped
    """The library's client, answered from ``facts``: RPC method → function of its parameters."""

    def __init__(self, facts: dict[str, Callable[..., Any]]) -> None:
        self._facts = facts
        super().__init__(websocket=object(), auto_discover=False)

    def rpc_request(self, method: str, params: Sequence[Any] | None, result_handler: object = None) -> Any:  # noqa: ARG002
        return {"result": self._facts[method](*(params or ()))}


class Runtime:
    """A runtime of one spec version.

    Raises `WrongChain` when it lacks what powerd calls, and ValueError or the library's errors
    when ``metadata`` (as ``state_getMetadata`` gives it) can't be read.
    """

    def __init__(self, spec_version: int, metadata: str, genesis_hash: str) -> None:
        self.spec_version = spec_version
        self._birth = BlockRef(0, genesis_hash)
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._upgrades: dict[str, int] = {}
        self._interface = _OfflineInterface(
            {
                "rpc_methods": lambda: {"methods": ["chain_getHead", "state_getRuntimeVersion"]},
                "chain_getHead": lambda: ANY_HASH,
                "chain_getHeader": lambda _: {"parentHash": ANY_HASH},
                "state_getRuntimeVersion": lambda _: {"specVersion": spec_version, "transactionVersion": 0},
                "state_getMetadata": lambda _: metadata,
                "chain_getBlockHash": lambda number: self._birth.hash if number else genesis_hash,
            }
        )
        self._interface.init_runtime()
        self._metadata = self._interface.metadata
        self._config = self._interface.runtime_config
        if self._interface.get_metadata_call_function(PALLET, "change_power_state") is None:
            raise WrongChain(f"its runtime {spec_version} has no call {PALLET}.change_power_state")

    # -- storage -----------------------------------------------------------------------------------

    def key(self, pallet: str, item: str, *arguments: object) -> str:
        """The storage key of a plain item or of one entry of a map, ``0x…``."""
        layout = self._layout(pallet, item)
        if not arguments:
            return f"0x{layout.prefix.hex()}"
        if len(arguments) == 1 and layout.blake2_concat_u32 and isinstance(arguments[0], int):
            return layout.u32_key(arguments[0])
        encoded = [f"0x{a.hex()}" if isinstance(a, bytes) else a for a in arguments]
        return str(
            StorageKey.create_from_storage_function(
                pallet, item, encoded, runtime_config=self._config, metadata=self._metadata
            ).to_hex()
        )

    def has(self, pallet: str, item: str) -> bool:
        """Whether the runtime has this storage item."""
        found = self._metadata.get_metadata_pallet(pallet)
        return found is not None and found.get_storage_function(item) is not None

    def value(self, pallet: str, item: str, data: str | None) -> Any:
        """A stored value in the library's Python form; what is absent is the item's default, or None.

        Raises ValueError when the bytes are none of the item's type.
        """
        layout = self._layout(pallet, item)
        if data is None:
            if layout.default is None:
                return None
            data = layout.default
        raw = bytes.fromhex(data[2:])
        if layout.fast is not None:
            return layout.fast(raw)
        return self._decode(layout.type_name, raw)

    def decode_slowly(self, pallet: str, item: str, data: str) -> Any:
        """As `value`, always through the library: what the fast way is checked against."""
        return self._decode(self._layout(pallet, item).type_name, bytes.fromhex(data[2:]))

    def _decode(self, type_name: str, raw: bytes) -> Any:
        scale = self._config.create_scale_object(type_name, data=ScaleBytes(raw), metadata=self._metadata)
        try:
            scale.decode()
        except Exception as error:  # the library raises whatever its parsing trips over
            raise ValueError(f"0x{raw[:32].hex()} is no {type_name}: {error or type(error).__name__}") from error
        return scale.value

    def _layout(self, pallet: str, item: str) -> Layout:
        known = self._layouts.get((pallet, item))
        if known is None:
            found = self._metadata.get_metadata_pallet(pallet)
            function = found and found.get_storage_function(item)
            if not function:
                raise WrongChain(f"its runtime {self.spec_version} has no storage {pallet}.{item}")
            prefix = StorageKey.create_from_storage_function(
                pallet, item, [], runtime_config=self._config, metadata=self._metadata
            )
            known = Layout.of(
                prefix=prefix.data,
                type_name=function.get_value_type_string(),
                parameters=function.get_params_type_string(),
                hashers=function.get_param_hashers(),
                default=function.value_object["default"].value_object if _has_default(function) else None,
                definition=self._definition,
            )
            self._layouts[pallet, item] = known
        return known

    def _definition(self, type_name: str) -> TypeDefinition:
        """The metadata's definition of ``scale_info::N``."""
        types = self._metadata.portable_registry["types"]
        definition: TypeDefinition = types[int(type_name.rpartition(":")[2])].value["type"]["def"]
        return definition

    # -- blocks ------------------------------------------------------------------------------------

    @property
    def upgrade_keys(self) -> list[str]:
        """The key of ``System.LastRuntimeUpgrade``; empty for a runtime without it."""
        return [self.key("System", "LastRuntimeUpgrade")] if self.has("System", "LastRuntimeUpgrade") else []

    def spec_of_block(self, values: Mapping[str, str]) -> int | None:
        """The spec version that executed a block, by the state after it; None when it does not say.

        (frame-executive writes it as the first thing a new runtime does, so in the block that
        brings the upgrade it is still the old one, as are that block's events and state.)
        """
        for key in self.upgrade_keys:
            if (data := values.get(key)) is not None:
                if data not in self._upgrades:
                    value = self.value("System", "LastRuntimeUpgrade", data)
                    self._upgrades[data] = int(value["spec_version"])
                return self._upgrades[data]
        return None

    def events(self, data: str | None) -> list[EventRecord]:
        """``System.Events`` of a block this runtime executed; ValueError when unreadable."""
        if data is None:
            return []
        return [
            EventRecord(
                record["extrinsic_idx"],
                record["event"]["module_id"],
                record["event"]["event_id"],
                record["event"]["attributes"],
            )
            for record in self.value("System", "Events", data)
        ]

    def event_tag(self, pallet: str, name: str) -> bytes:
        """The two bytes every event of this name begins with; empty when there is no such event."""
        for index, (owner, event) in self._metadata.event_index.items():
            if owner.value["name"] == pallet and event.value["name"] == name:
                return bytes.fromhex(index)
        return b""

    def error_name(self, dispatch_error: Any) -> str:
        """``DispatchError`` as the metadata names it, such as ``NodeNotExists``."""
        if isinstance(dispatch_error, dict) and "Module" in dispatch_error:
            module = dispatch_error["Module"]
            pallet, error = module if isinstance(module, tuple) else (module["index"], module["error"])
            # Four bytes since FRAME of 2022; the first is the index.
            code = int(error[2:4], 16) if isinstance(error, str) else int(error)
            found = self._metadata.get_module_error(module_index=pallet, error_index=code)
            return str(found.value["name"]) if found else f"error {code} of pallet {pallet}"
        if isinstance(dispatch_error, dict):
            return ".".join(str(part) for pair in dispatch_error.items() for part in pair if part)
        return str(dispatch_error)

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
        """A signed extrinsic of ``TfgridModule``, ``0x…``, valid in the ``period`` blocks after ``birth``.

        ``period`` is a power of two from 4 to 4096: then the era begins exactly at ``birth``.
        """
        self._birth = birth
        self._interface.transaction_version = transaction_version
        composed = self._interface.compose_call(PALLET, call, arguments)
        # The library changes the dictionary it is given.
        era = {"period": period, "current": birth.number}
        extrinsic = self._interface.create_signed_extrinsic(composed, key.keypair, era=era, nonce=nonce)
        return str(extrinsic.data.to_hex())


def _has_default(function: Any) -> bool:
    return bool(function.value["modifier"] == "Default")
