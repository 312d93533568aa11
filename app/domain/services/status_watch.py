"""Serves `powerd status`, and reports a fault while it can't (R15)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from app.domain.errors import StatusNotServed
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import ServiceContext
from app.domain.status import NodeStatus
from app.ports.status_server import StatusServer

FAULT = FaultKind.STATUS_SOCKET.key()
LOOK_EVERY_S = 30.0
SETTLES_S = 5.0
"""A second powerd for this node ends within this time, and its error says more than this fault."""


class StatusWatch:
    """Each request calls ``answer`` again."""

    def __init__(self, server: StatusServer, answer: Callable[[], NodeStatus], context: ServiceContext) -> None:
        self._server = server
        self._answer = answer
        self._faults = context.faults
        self._clock = context.clock

    async def run(self) -> None:
        try:
            with suppress(StatusNotServed):
                await self._server.open(self._answer)
            wait_s = LOOK_EVERY_S if self._server.reachable() else SETTLES_S
            while True:
                await self._clock.sleep(wait_s)
                wait_s = LOOK_EVERY_S
                if not self._server.reachable():
                    await self._open()
        finally:
            await self._server.close()

    async def _open(self) -> None:
        try:
            await self._server.open(self._answer)
        except StatusNotServed as error:
            self._faults.report(FAULT, f"`powerd status` is not answered: {error}")
        else:
            self._faults.clear(FAULT)
