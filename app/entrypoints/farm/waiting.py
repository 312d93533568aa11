"""Waits until the nodes' states follow their targets, and shows how far they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TextIO

from app.adapters.telemetry.log import one_line
from app.domain.errors import RetryableError
from app.domain.model import HeadKind, NodeId, NodePower, Power
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.terminal.tables import width_of_terminal
from app.ports.chain import ChainReader

LOOK_S = 2.0
ERASE_LINE = "\r\x1b[K"


async def wait_for_states(
    chain: ChainReader, nodes: Sequence[NodeId], wanted: Power, timeout_s: float, out: TextIO, err: TextIO
) -> Sequence[NodeId]:
    """Report each node that reaches the state; returns the nodes that did not within ``timeout_s``.

    On a terminal ``err`` shows a line that counts. A chain that can't be read is asked again.
    """
    progress = _Progress(err, len(nodes), wanted)
    start_s = time.monotonic()
    missing = list(nodes)
    while missing:
        try:
            reading = await chain.powers(missing, HeadKind.BEST)
        except RetryableError as error:
            progress.show(len(missing), time.monotonic() - start_s, str(error))
        else:
            for node in tuple(missing):
                power = reading.powers[node]
                if isinstance(power, NodePower) and power.state.power is wanted:
                    missing.remove(node)
                    progress.erase()
                    print(f"node {node}: {wanted.value}", file=out, flush=True)
        waited_s = time.monotonic() - start_s
        if not missing or waited_s >= timeout_s:
            break
        progress.show(len(missing), waited_s)
        await asyncio.sleep(min(LOOK_S, timeout_s - waited_s))
    progress.erase()
    return missing


class _Progress:
    def __init__(self, err: TextIO, count: int, wanted: Power) -> None:
        self._err = err if err.isatty() else None
        self._count = count
        self._wanted = wanted

    def show(self, missing: int, waited_s: float, trouble: str = "") -> None:
        if self._err is not None:
            done = f"{self._count - missing} of {self._count} nodes {self._wanted.value}"
            line = f"waiting for {shown_duration(waited_s)}: {done}{'; ' if trouble else ''}{trouble}"
            self._err.write(f"{ERASE_LINE}{one_line(line)[: width_of_terminal() - 1]}")
            self._err.flush()

    def erase(self) -> None:
        if self._err is not None:
            self._err.write(ERASE_LINE)
            self._err.flush()
