"""Describes what a runtime's metadata says of the items the dev chain has, to compare two runtimes.

``python -m tests.metadata_digest FILE`` prints the digest of a metadata file (SCALE bytes as
``state_getMetadata`` returns them). Types are described by structure: a struct of one unnamed field is
that field, a BoundedVec is a Vec; so what is equal here is equal on the wire and in Python.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from app.entrypoints.devchain.pallet_table import PALLETS


def decode(data: bytes) -> dict[str, Any]:
    """The V14 part of the metadata."""
    from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
    from scalecodec.type_registry import load_type_registry_preset

    config = RuntimeConfigurationObject(implements_scale_info=True)
    config.update_type_registry(load_type_registry_preset("core"))
    decoded: dict[str, Any] = config.create_scale_object("MetadataVersioned", ScaleBytes(data)).decode()[1]["V14"]
    return decoded


def digest(v14: dict[str, Any]) -> dict[str, str]:
    """One line per item: call, event, error, storage entry, signed extension."""
    types = {entry["id"]: entry["type"] for entry in v14["types"]["types"]}
    pallets = {pallet["name"]: pallet for pallet in v14["pallets"]}
    lines: dict[str, str] = {}
    for name, ours in PALLETS.items():
        pallet = pallets[name]
        lines[f"{name}.index"] = str(pallet["index"])
        for kind, wanted in (("calls", ours.calls), ("event", ours.events)):
            found = _variants(types, pallet[kind])
            for item in wanted:
                if item in found:
                    lines[f"{name}.{kind}.{item}"] = f"{found[item]['index']}: {_fields(types, found[item]['fields'])}"
        errors = _variants(types, pallet["error"])
        lines.update({f"{name}.error.{item}": "known" for item in ours.errors if item in errors})
        entries = {entry["name"]: entry for entry in pallet["storage"]["entries"]}
        lines.update(
            {f"{name}.storage.{item}": _entry(types, entries[item]) for item in ours.storage if item in entries}
        )
    for extension in v14["extrinsic"]["signed_extensions"]:
        extra, added = (_describe(types, extension[part]) for part in ("ty", "additional_signed"))
        lines[f"extension.{extension['identifier']}"] = f"{extra} + {added}"
    return lines


def _variants(types: dict[int, Any], place: Any) -> dict[str, Any]:
    if not place:
        return {}
    return {variant["name"]: variant for variant in types[place["ty"]]["def"]["variant"]["variants"]}


def _entry(types: dict[int, Any], entry: dict[str, Any]) -> str:
    kind = entry["type"]
    default = entry["default"]
    raw = bytes.fromhex(default[2:]) if default.startswith("0x") else default.encode("latin-1")
    if "Plain" in kind:
        what = _describe(types, kind["Plain"])
    else:
        keyed = kind["Map"]
        what = f"{','.join(keyed['hashers'])}({_describe(types, keyed['key'])}) -> {_describe(types, keyed['value'])}"
    return f"{entry['modifier']} {what} = {raw.hex()}"


def _fields(types: dict[int, Any], fields: list[dict[str, Any]], seen: tuple[int, ...] = ()) -> str:
    parts = [(f["name"], _describe(types, f["type"], seen)) for f in fields]
    return "(" + ", ".join(f"{name}: {kind}" if name else kind for name, kind in parts) + ")"


def _describe(types: dict[int, Any], number: int, seen: tuple[int, ...] = ()) -> str:
    kind = types[number]
    form, body = next(iter(kind["def"].items()))
    name = kind["path"][-1] if kind["path"] else ""
    if name in ("Era", "RuntimeCall", "RuntimeEvent", "UncheckedExtrinsic") or number in seen:
        return name
    seen = (*seen, number)
    if form == "primitive":
        return str(body)
    if form == "sequence":
        return f"Vec<{_describe(types, body['type'], seen)}>"
    if form == "array":
        return f"[{_describe(types, body['type'], seen)};{body['len']}]"
    if form == "compact":
        return f"Compact<{_describe(types, body['type'], seen)}>"
    if form == "tuple":
        return "(" + ",".join(_describe(types, part, seen) for part in body) + ")"
    if form == "composite":
        fields = body["fields"]
        if len(fields) == 1 and not fields[0]["name"]:
            return _describe(types, fields[0]["type"], seen)
        return name + _fields(types, fields, seen)
    variants = sorted(body["variants"], key=lambda variant: variant["index"])
    shown = [f"{v['index']} {v['name']}{_fields(types, v['fields'], seen) if v['fields'] else ''}" for v in variants]
    return f"{name}[{' | '.join(shown)}]"


if __name__ == "__main__":
    print(json.dumps(digest(decode(Path(sys.argv[1]).read_bytes())), indent=1))
