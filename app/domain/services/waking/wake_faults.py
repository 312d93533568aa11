"""What an operator has to know of a node that can't be woken, or does not wake."""

from __future__ import annotations

from app.domain.faults import FaultKind
from app.domain.model import Node, NodeId
from app.domain.services.context.fault_board import FaultBoard


class WakeFaults:
    """One fault per node and kind; it concerns that node only."""

    def __init__(self, board: FaultBoard, deadline_s: float) -> None:
        self._board = board
        self._deadline_s = deadline_s

    def asleep(self, node: NodeId) -> None:
        """It did not wake by the deadline."""
        self._board.report(
            FaultKind.NODE_ASLEEP.key(node),
            f"node {node} did not wake within {self._deadline_s / 60:.0f} min; look at its power, "
            "its cable, and Wake-on-LAN in its firmware (powerd goes on calling it)",
        )

    def without_mac(self, node: NodeId, record: Node | None, *, unreadable: bool) -> None:
        """``unreadable``: the chain has a record of the node, and the newest can't be read."""
        absent = f"its record on chain {'can not be read' if unreadable else 'was not found'}"
        problem = absent if record is None else record.mac_problem
        self._board.report(FaultKind.NODE_MAC.key(node), f"node {node} can't be woken: {problem}")

    def with_mac(self, node: NodeId) -> None:
        self._board.clear(FaultKind.NODE_MAC.key(node))

    def silent(self, node: NodeId, silent_s: float) -> None:
        """It is wanted up and called Up, and gave no sign of life for so long."""
        self._board.report(
            FaultKind.NODE_SILENT.key(node),
            f"node {node} is wanted up and called Up, and has not reported its uptime for {silent_s / 60:.0f} min and "
            "more: it is dark, or hangs, or can't reach the chain; look at its power and its console (it is called "
            "now and then)",
        )

    def not_silent(self, node: NodeId) -> None:
        """It gave a sign of life, or is not wanted up any more, or left the farm."""
        self._board.clear(FaultKind.NODE_SILENT.key(node))

    def clear(self, node: NodeId) -> None:
        """The wake is over."""
        self._board.clear(FaultKind.NODE_ASLEEP.key(node))
        self._board.clear(FaultKind.NODE_MAC.key(node))
