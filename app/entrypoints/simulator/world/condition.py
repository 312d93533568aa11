"""Names of what can be wrong with a machine; a misspelt one does not pass the type check."""

from __future__ import annotations

from typing import Literal

Condition = Literal[
    "alarm-forgotten",
    "alarm-refused",
    "bus-away",
    "bus-full",
    "card-cannot-arm",
    "card-forgets",
    "card-missing",
    "chain-away",
    "chain-flaky",
    "chain-garbled",
    "chain-slow",
    "deaf",
    "disk-broken",
    "held",
    "holds-unreadable",
    "no-mains",
    "packets-refused",
    "peers-garbled",
    "power-off-hangs",
    "power-off-ignored",
    "power-off-refused",
    "power-off-stuck",
    "severed",
    "two-cards",
    "unhealthy",
    "uptime-hangs",
    "wrong-mac",
]
