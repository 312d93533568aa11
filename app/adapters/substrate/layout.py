"""Where a storage item lies, by the metadata: its key, its type, and what an absent entry stands for.

The library takes 0.15 ms to build one key, too long for a thousand nodes at once. Where the
metadata says that a map is keyed by u32 with Blake2_128Concat (as tfchain's maps are), the key is
built here, a hundred times faster; all other keys are left to the library.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """One storage item. ``default`` is the value of an absent entry (``0x…``), if it has one."""

    prefix: bytes
    type_name: str
    blake2_concat_u32: bool
    default: str | None

    @property
    def plain_key(self) -> str:
        """The key of an item that is no map."""
        return f"0x{self.prefix.hex()}"

    def u32_key(self, argument: int) -> str:
        """The key of one entry; only where `blake2_concat_u32`."""
        encoded = argument.to_bytes(4, "little")
        return f"0x{(self.prefix + hashlib.blake2b(encoded, digest_size=16).digest() + encoded).hex()}"
