"""Exit codes of the simulator's commands; 2 is bad input too."""

from __future__ import annotations

KEPT, PROMISE_BROKEN, NOT_FINISHED, NODES_AT_RISK = 0, 1, 2, 3


def exit_code(*, kept: bool, at_risk: bool, finished: bool = True) -> int:
    """The worst that is true of one run, or of any of several."""
    if not kept:
        return PROMISE_BROKEN
    if not finished:
        return NOT_FINISHED
    return NODES_AT_RISK if at_risk else KEPT
