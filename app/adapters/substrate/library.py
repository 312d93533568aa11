"""What powerd uses of substrate-interface, imported without what it does not use.

The library imports Ethereum's keys (with eth_utils and pydantic) and requests (with urllib3) wherever it is
imported, for keys of a kind and downloads that powerd never asks it for: 22 MiB, and half of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

UNUSED = ("eth_keys", "eth_keys.datatypes", "eth_utils", "requests")


class Unused:
    """In the place of each name of those modules."""

    def __init__(self, *_: object, **__: object) -> None:
        raise NotImplementedError("powerd imports substrate-interface without ECDSA keys and without HTTP")


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> type[Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unused


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Only while the library is imported: whoever imports these modules later gets them."""
    absent = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update((name, _StandIn(name)) for name in absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with _stand_ins():
    from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
    from scalecodec.type_registry import load_type_registry_preset
    from substrateinterface import Keypair, KeypairType, SubstrateInterface
    from substrateinterface.storage import StorageKey

__all__ = [
    "Keypair",
    "KeypairType",
    "RuntimeConfigurationObject",
    "ScaleBytes",
    "StorageKey",
    "SubstrateInterface",
    "load_type_registry_preset",
]
