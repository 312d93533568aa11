"""What a simulated chain consists of: blocks, the extrinsics in them, and the events they left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.adapters.simulated.pallet import Values
from app.domain.values import value


@dataclass(frozen=True, slots=True, eq=False)
class Extrinsic:
    """A signed call. ``raw`` is what came over the wire; ``dies_after`` the last block of its era."""

    account: bytes
    nonce: int
    call: str
    arguments: Values
    pallet: str = "TfgridModule"
    raw: bytes = b""
    dies_after: int | None = None


@value
class Event:
    """``extrinsic`` is the index in the block whose call it belongs to; None for the block's own."""

    extrinsic: int | None
    pallet: str
    name: str
    attributes: Any


@dataclass(slots=True)
class Block:
    """A block of the chain."""

    number: int
    hash: str
    parent: str
    time_ms: int
    extrinsics: list[Extrinsic] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    outcomes: dict[Extrinsic, str] = field(default_factory=dict)
    """Extrinsic → the name of the error by which it failed; empty: it succeeded."""
