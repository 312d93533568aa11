"""The faults of a peer that can't be woken, or does not wake."""

from __future__ import annotations

from app.domain.faults import FaultKind
from app.domain.model import Node, NodeId
from app.domain.services.context.fault_board import FaultBoard


class WakeFaults:
    """Keeps one fault per node and kind."""

    def __init__(self, board: FaultBoard, deadline_s: float) -> None:
        self._board = board
        self._deadline_s = deadline_s

    def asleep(self, node: NodeId) -> None:
        """The node did not wake by the deadline."""
        self._board.report(
            FaultKind.NODE_ASLEEP.key(node),
            f"node {node} did not wake within {self._deadline_s / 60:.0f} min; look at its power, "
            "its cable, and Wake-on-LAN in its firmware (powerd goes on waking it)",
        )

    def without_mac(self, node: NodeId, record: Node | None, *, unreadable: bool) -> None:
        """The node has no usable address. ``unreadable``: its newest record on chain can't be decoded."""
        absent = "its record on chain can't be read" if unreadable else "its record on chain was not found"
        problem = absent if record is None else record.mac_problem
        self._board.report(FaultKind.NODE_MAC.key(node), f"node {node} can't be woken: {problem}")

    def with_mac(self, node: NodeId) -> None:
        self._board.clear(FaultKind.NODE_MAC.key(node))

    def silent(self, node: NodeId, silent_s: float) -> None:
        """The node is Up on chain, with target Up, and gave no sign of life for ``silent_s``."""
        self._board.report(
            FaultKind.NODE_SILENT.key(node),
            f"node {node} is Up on chain, with target Up, and has not reported its uptime for {silent_s / 60:.0f} min "
            "and more: it is dark, or hangs, or can't reach the chain; look at its power and its console (powerd "
            "wakes it from time to time)",
        )

    def not_silent(self, node: NodeId) -> None:
        """The node gave a sign of life, has target Down, or left the farm."""
        self._board.clear(FaultKind.NODE_SILENT.key(node))

    def clear(self, node: NodeId) -> None:
        """The wake is over."""
        self._board.clear(FaultKind.NODE_ASLEEP.key(node))
        self._board.clear(FaultKind.NODE_MAC.key(node))
