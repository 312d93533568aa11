"""Builds V14 metadata from the table, as ``state_getMetadata`` returns it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.entrypoints.devchain.pallet_table import EXTENSIONS, Pallet, Storage
from app.entrypoints.devchain.type_table import TYPES, Choice, Fields, Struct, plain

MAGIC = b"meta"
PRIMITIVES = ("bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64")
GENERIC = re.compile(r"(Vec|BoundedVec|Option|Compact)<(.*)>")
ARRAY = re.compile(r"\[(\w+);(\d+)\]")


def metadata_value(pallets: Mapping[str, Pallet]) -> tuple[bytes, Mapping[str, Any]]:
    """The metadata as scalecodec encodes it (type ``MetadataVersioned``)."""
    registry = _Registry(pallets)
    encoded = [_pallet(registry, name, pallet) for name, pallet in pallets.items()]
    extrinsic = {
        "ty": registry.id("UncheckedExtrinsic"),
        "version": 4,
        "signed_extensions": [
            {"identifier": name, "ty": registry.id(name), "additional_signed": registry.id(added)}
            for name, added in EXTENSIONS.items()
        ],
    }
    registry.id("Vec<EventRecord>")
    runtime = registry.add("Runtime", ["tfchain_runtime", "Runtime"], {}, {"composite": {"fields": []}})
    v14 = {
        "types": {"types": registry.types},
        "pallets": encoded,
        "extrinsic": extrinsic,
        "runtime_type": runtime,
    }
    return MAGIC, {"V14": v14}


class _Registry:
    """Numbers types as they are first needed; a type may refer to itself."""

    def __init__(self, pallets: Mapping[str, Pallet]) -> None:
        self._pallets = pallets
        self.types: list[dict[str, Any]] = []
        self._ids: dict[str, int] = {}

    def id(self, text: str) -> int:
        """The number of a type written as in the table."""
        if text not in self._ids:
            self._make(text)
        return self._ids[text]

    def add(self, text: str, path: list[str], params: Fields, definition: Any) -> int:
        """A type whose definition is known already, or a place for one (``None``)."""
        number = self._ids[text] = len(self.types)
        self.types.append({"id": number, "type": {"path": path, "params": [], "def": definition, "docs": []}})
        self.types[number]["type"]["params"] = [{"name": name, "type": self.id(kind)} for name, kind in params.items()]
        return number

    def fields(self, fields: Fields) -> list[dict[str, Any]]:
        """Fields of a struct, a variant or a call."""
        return [
            {
                "name": None if not name or name.isdigit() else name,
                "type": self.id(kind),
                "typeName": kind,
                "docs": [],
            }
            for name, kind in fields.items()
        ]

    def variants(self, variants: Mapping[str, tuple[int, Fields]]) -> dict[str, Any]:
        return {
            "variant": {
                "variants": [
                    {"name": name, "fields": self.fields(fields), "index": index, "docs": []}
                    for name, (index, fields) in variants.items()
                ]
            }
        }

    def _make(self, text: str) -> None:
        if text in PRIMITIVES:
            self.add(text, [], {}, {"primitive": text})
        elif text == "Extra":
            self._later(text, [], {}, lambda: {"tuple": [self.id(name) for name in EXTENSIONS]})
        elif text in ("RuntimeCall", "RuntimeEvent"):
            self._make_runtime_enum(text)
        elif match := ARRAY.fullmatch(text):
            kind, length = match.groups()
            self._later(text, [], {}, lambda: {"array": {"len": int(length), "type": self.id(kind)}})
        elif match := GENERIC.fullmatch(text):
            self._make_generic(text, *match.groups())
        elif text.startswith("("):
            inner = [part for part in text.strip("()").split(",") if part]
            self._later(text, [], {}, lambda: {"tuple": [self.id(part) for part in inner]})
        else:
            self._make_named(text, TYPES[text])

    def _make_named(self, text: str, kind: Struct | Choice) -> None:
        path = kind.path.split("::")
        if isinstance(kind, Struct):
            fields = kind.fields
            self._later(text, path, kind.params, lambda: {"composite": {"fields": self.fields(fields)}})
        else:
            variants = kind.variants
            self._later(text, path, kind.params, lambda: self.variants(variants))

    def _make_generic(self, text: str, generic: str, inner: str) -> None:
        if generic == "Vec":
            self._later(text, [], {}, lambda: {"sequence": {"type": self.id(inner)}})
        elif generic == "Compact":
            self._later(text, [], {}, lambda: {"compact": {"type": self.id(inner)}})
        elif generic == "Option":
            option = {"None": (0, {}), "Some": (1, {"": inner})}
            self._later(text, ["Option"], {"T": inner}, lambda: self.variants(option))
        else:
            path = ["bounded_collections", "bounded_vec", "BoundedVec"]
            fields = {"": f"Vec<{inner}>"}
            self._later(text, path, {"T": inner}, lambda: {"composite": {"fields": self.fields(fields)}})

    def _make_runtime_enum(self, text: str) -> None:
        part = "Call" if text == "RuntimeCall" else "Event"
        number = self.add(text, ["tfchain_runtime", text], {}, None)
        variants = {}
        for name, pallet in self._pallets.items():
            items = pallet.calls if part == "Call" else pallet.events
            if items:
                inner = f"{name}::{part}"
                self._later(inner, [*pallet.path.split("::"), part], {}, lambda items=items: self.variants(items))
                variants[name] = (pallet.index, {"": inner})
        self.types[number]["type"]["def"] = self.variants(variants)

    def _later(self, text: str, path: list[str], params: Fields, define: Any) -> None:
        """The number first, the definition then: it may need the number."""
        number = self.add(text, path, params, None)
        self.types[number]["type"]["def"] = define()


def _pallet(registry: _Registry, name: str, pallet: Pallet) -> dict[str, Any]:
    registry.id("RuntimeCall")
    registry.id("RuntimeEvent")
    error = None
    if pallet.errors:
        variants = registry.variants(plain(*pallet.errors))
        error = {"ty": registry.add(f"{name}::Error", [*pallet.path.split("::"), "Error"], {}, variants)}
    entries = [_entry(registry, entry, storage) for entry, storage in pallet.storage.items()]
    return {
        "name": name,
        "storage": {"prefix": name, "entries": entries} if entries else None,
        "calls": {"ty": registry.id(f"{name}::Call")} if pallet.calls else None,
        "event": {"ty": registry.id(f"{name}::Event")} if pallet.events else None,
        "constants": [
            {"name": constant, "type": registry.id(kind), "value": "0x" + value, "documentation": []}
            for constant, (kind, value) in pallet.constants.items()
        ],
        "error": error,
        "index": pallet.index,
    }


def _entry(registry: _Registry, name: str, storage: Storage) -> dict[str, Any]:
    value = registry.id(storage.value)
    kind: dict[str, Any] = {"Plain": value}
    if storage.key:
        kind = {"Map": {"hashers": [storage.hasher], "key": registry.id(storage.key), "value": value}}
    return {
        "name": name,
        "modifier": "Optional" if storage.optional else "Default",
        "type": kind,
        "default": "0x" + storage.default,
        "documentation": [],
    }
