"""Waits until the nodes' states follow their targets, and shows how far they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TextIO

from app.domain.errors import RetryableError
from app.domain.model import HeadKind, NodeId, NodePower, Power
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.terminal.status_line import StatusLine
from app.ports.chain import ChainReader

LOOK_S = 2.0


async def wait_for_states(
    chain: ChainReader, nodes: Sequence[NodeId], wanted: Power, timeout_s: float, out: TextIO, err: TextIO
) -> Sequence[NodeId]:
    """Report each node that reaches the state; returns the nodes that did not within ``timeout_s``.

    On a terminal ``err`` shows a line that counts. A chain that can't be read is asked again.
    """
    line = StatusLine(err)
    start_s = time.monotonic()
    missing = list(nodes)

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
        show()
        await asyncio.sleep(min(LOOK_S, timeout_s - waited_s))
    line.erase()
    return missing
