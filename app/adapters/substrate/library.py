"""The parts of substrate-interface that powerd uses, imported without those it does not use.

The library imports keys of other kinds, encryption, mnemonics, requests (with urllib3) and a light client wherever it
is imported: 28 MiB, and half of the time.
"""

from __future__ import annotations

from typing import Any

from app.adapters.libraries.left_out import left_out, unused

UNUSED = (
    *("ecdsa", "ecdsa.curves", "eth_keys", "eth_keys.datatypes", "eth_utils"),
    *("nacl", "nacl.bindings", "nacl.hashlib", "nacl.public", "nacl.secret"),
    *("bip39", "requests", "smoldot_light"),
)

DOCS = ("docs", "documentation")
"""What the library's types of metadata call it; each is a list of lines."""

with left_out("substrateinterface", unused(*UNUSED)):
    from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
    from scalecodec.type_registry import load_type_registry_preset
    from scalecodec.types import Vec
    from substrateinterface import Keypair, KeypairType, SubstrateInterface
    from substrateinterface.key import extract_derive_path as junctions_of
    from substrateinterface.storage import StorageKey


class Docs(Vec):  # type: ignore[misc]  # the library is untyped
    """Lines of documentation in metadata, which powerd passes over. The library registers the type by its name."""

    sub_type = "String"

    def process(self) -> list[str]:
        """No lines; the bytes behind them are next."""
        for _ in range(self.process_type("Compact<u32>").value):
            self.get_next_bytes(self.process_type("Compact<u32>").value)
        self.value_object: list[Any] = []
        return []


def _without_docs(definition: Any) -> Any:
    """A type of the library's own registry whose documentation is passed over."""
    if not isinstance(definition, dict) or definition.get("type") != "struct":
        return definition
    fields = [[name, "Docs" if name in DOCS else kind] for name, kind in definition["type_mapping"]]
    return {**definition, "type_mapping": fields}


class Types(RuntimeConfigurationObject):  # type: ignore[misc]  # the library is untyped
    """The library's types, each made once, and without documentation.

    The library itself makes a new class for every ``Vec<…>``, thousands in one metadata, and keeps them all.
    That takes half of the time to read the metadata, and three quarters of the memory.
    """

    def __init__(self, **options: Any) -> None:
        self._made: dict[str, Any] = {}
        super().__init__(**options)

    def get_decoder_class(self, type_string: Any) -> Any:
        """The class of a type; None when there is none."""
        if not isinstance(type_string, str) or not type_string.endswith((">", ")", "]")):
            return super().get_decoder_class(type_string)
        made = self._made.get(type_string)
        if made is None:
            made = self._made[type_string] = super().get_decoder_class(type_string)
        return made

    def update_type_registry(self, type_registry: Any) -> None:
        """Register a preset of the library, such as the types that metadata consists of."""
        types = {name: _without_docs(definition) for name, definition in type_registry.get("types", {}).items()}
        super().update_type_registry({**type_registry, "types": types})

    def clear_type_registry(self) -> None:
        """Clear the cache too, since its types depend on those that are registered. The next two do the same."""
        self._made.clear()
        super().clear_type_registry()

    def update_type_registry_types(self, types_dict: Any) -> None:
        self._made.clear()
        super().update_type_registry_types(types_dict)
        self._made.clear()

    def update_from_scale_info_types(self, scale_info_types: Any, prefix: str | None = None) -> None:
        self._made.clear()
        super().update_from_scale_info_types(scale_info_types, prefix)
        self._made.clear()


__all__ = [
    "Keypair",
    "KeypairType",
    "ScaleBytes",
    "StorageKey",
    "SubstrateInterface",
    "Types",
    "junctions_of",
    "load_type_registry_preset",
]
