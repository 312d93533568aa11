"""Waits until the nodes' states follow their targets, and shows how far they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from app.domain.errors import RetryableError
from app.domain.model import HeadKind, NodeId, NodePower, Power
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.terminal.status_line import StatusLine
from app.ports.chain import ChainReader

LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """``hint`` is what to do about a node that takes longer than ``hint_after_s``."""

    nodes: Sequence[NodeId]
    state: Power
    timeout_s: float
    hint: str
    hint_after_s: float


async def wait_for_states(chain: ChainReader, awaited: Awaited, out: TextIO, err: TextIO) -> Sequence[NodeId]:
    """Report each node that reaches the state; returns the nodes that did not within the time-out.

    The hint is printed once, for all nodes that did not reach the state yet. On a terminal ``err`` shows a line that
    counts. A chain that can't be read is asked again.
    """
    line = StatusLine(err)
    start_s = time.monotonic()
    nodes, wanted, timeout_s = awaited.nodes, awaited.state, awaited.timeout_s
    missing = list(nodes)
    hinted = False

    def show(trouble: str = "") -> None:
        done = f"{len(nodes) - len(missing)} of {len(nodes)} nodes {wanted.value}"
        line.show(
            "; ".join(filter(None, (f"waiting for {shown_duration(time.monotonic() - start_s)}: {done}", trouble)))
        )

    while missing:
        try:
            reading = await chain.powers(missing, HeadKind.BEST)
        except RetryableError as error:
            show(str(error))
        else:
            for node in tuple(missing):
                power = reading.powers[node]
                if isinstance(power, NodePower) and power.state.power is wanted:
                    missing.remove(node)
                    line.erase()
                    print(f"node {node}: {wanted.value}", file=out, flush=True)
        waited_s = time.monotonic() - start_s
        if not missing or waited_s >= timeout_s:
            break
        if not hinted and waited_s >= awaited.hint_after_s:
            hinted = True
            line.erase()
            late = f"not {wanted.value} after {shown_duration(waited_s)}: {named(missing)}"
            print(
                f"powerd: {late}; {awaited.hint}. Still waiting, {shown_duration(timeout_s)} in all",
                file=err,
                flush=True,
            )
        show()
        await asyncio.sleep(min(LOOK_S, timeout_s - waited_s))
    line.erase()
    return missing


def named(nodes: Sequence[NodeId]) -> str:
    return f"node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes))}"
