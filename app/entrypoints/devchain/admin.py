"""The admin RPC: methods ``dev_…`` by which tests and operators make the chain misbehave.

An endpoint that was made silent still answers these. Faults of the chain (blocks, finality,
extrinsics, runtime) are seen by all endpoints; the others belong to the endpoint that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.entrypoints.devchain.endpoint import Endpoint

PREFIX = "dev_"
DROP_AT = ("before", "after")
REASONS = ("stale", "future", "payment", "badProof", "ancientBirthBlock")


class Admin:
    """The methods by name. They raise ValueError with the remedy for invalid arguments."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._node = endpoint.node
        self.methods: Mapping[str, Callable[..., Any]] = {
            "dev_faults": self.faults,
            "dev_heal": self.heal,
            "dev_stopAnswering": self._silence,
            "dev_delay": self._delay,
            "dev_lag": self._lag,
            "dev_shiftClock": self._shift_clock,
            "dev_dropConnections": lambda: True,
            "dev_dropAtExtrinsic": self._drop_at,
            "dev_newBlocks": self._new_blocks,
            "dev_holdBlocks": self._hold_blocks,
            "dev_holdFinality": self._hold_finality,
            "dev_reorganise": self._reorganise,
            "dev_upgradeRuntime": lambda: self._node.upgrade_runtime().spec_version,
            "dev_refuseExtrinsics": self._refuse,
            "dev_loseExtrinsics": self._lose,
            "dev_cutRecord": self._cut,
            "dev_contracts": self._contracts,
        }

    def faults(self) -> dict[str, Any]:
        endpoint, ledger = self._endpoint, self._node.ledger
        return {
            "silent": endpoint.silent,
            "delay_s": endpoint.delay_s,
            "lag_blocks": endpoint.lag_blocks,
            "drop_at_extrinsic": endpoint.drop_at,
            "hold_blocks": ledger.hold_blocks,
            "hold_finality": ledger.hold_finality,
            "refuse_extrinsics": [ledger.refuse_next, ledger.refuse_count] if ledger.refuse_next else None,
            "lose_extrinsics": ledger.lose_next,
            "clock_offset_s": self._node.clock_offset_s,
            "cut_records": {str(node): kept for node, kept in self._node.storage.cut.items()},
        }

    def heal(self) -> dict[str, Any]:
        """End every fault of the chain and of this endpoint."""
        endpoint, ledger = self._endpoint, self._node.ledger
        endpoint.silent, endpoint.delay_s, endpoint.lag_blocks, endpoint.drop_at = False, 0.0, 0, ""
        ledger.hold_blocks = ledger.hold_finality = False
        ledger.refuse_next, ledger.refuse_count, ledger.lose_next = "", 0, 0
        self._node.clock_offset_s = 0.0
        self._node.storage.cut.clear()
        return self.faults()

    def _silence(self, on: bool) -> bool:
        self._endpoint.silent = _switch(on)
        return True

    def _delay(self, seconds: float) -> bool:
        if isinstance(seconds, bool) or not 0 <= float(seconds) <= 3600:
            raise ValueError(f"seconds from 0 to 3600, not {seconds!r}")
        self._endpoint.delay_s = float(seconds)
        return True

    def _lag(self, blocks: int) -> bool:
        self._endpoint.lag_blocks = _count(blocks, "blocks")
        return True

    def _shift_clock(self, seconds: float) -> bool:
        if isinstance(seconds, bool) or not abs(float(seconds)) <= 86_400:
            raise ValueError(f"seconds within a day, not {seconds!r}")
        self._node.clock_offset_s = float(seconds)
        return True

    def _drop_at(self, when: str) -> bool:
        if when not in DROP_AT:
            raise ValueError(f'"before" or "after" the extrinsic is taken, not {when!r}')
        self._endpoint.drop_at = "before" if when == "before" else "after"
        return True

    def _new_blocks(self, count: int = 1) -> str:
        for _ in range(_count(count, "blocks")):
            self._node.ledger.produce(self._node.now_s())
        return self._node.ledger.best.hash

    def _hold_blocks(self, on: bool) -> bool:
        self._node.ledger.hold_blocks = _switch(on)
        return True

    def _hold_finality(self, on: bool) -> bool:
        self._node.ledger.hold_finality = _switch(on)
        return True

    def _reorganise(self, depth: int, lose: bool = False) -> str:
        self._node.fork(_count(depth, "blocks"), lose=_switch(lose))
        return self._node.ledger.best.hash

    def _refuse(self, reason: str, count: int = 1) -> bool:
        if reason not in REASONS:
            raise ValueError(f"one of {', '.join(REASONS)}, not {reason!r}")
        self._node.ledger.refuse_next, self._node.ledger.refuse_count = reason, _count(count, "extrinsics")
        return True

    def _lose(self, count: int = 1) -> bool:
        self._node.ledger.lose_next = _count(count, "extrinsics")
        return True

    def _cut(self, node: int, kept: int = 40) -> bool:
        self._node.storage.cut[_count(node, "the node")] = _count(kept, "bytes")
        return True

    def _contracts(self, node: int, count: int) -> bool:
        contracts = tuple(range(1, _count(count, "contracts") + 1))
        self._node.ledger.force_storage("ActiveNodeContracts", _count(node, "the node"), contracts)
        return True


def _switch(on: object) -> bool:
    if not isinstance(on, bool):
        raise ValueError(f"true or false, not {on!r}")
    return on


def _count(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise ValueError(f"a number of {what}, not {value!r}")
    return value
