"""Faults on Zero-OS' console. ``zui`` shows, for each program, the errors of its last call."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.zbus import neighbours
from app.adapters.zbus.client import ZbusClient
from app.domain.errors import FaultsNotShown, RetryableError
from app.domain.model import Fault

LABEL = "powerd"


class ZbusFaultDisplay:
    """`FaultDisplay` over zbus."""

    def __init__(self, client: ZbusClient, *, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def show(self, faults: Sequence[Fault]) -> None:
        """Push all faults in one call; an empty list clears the console. Raises `FaultsNotShown` while zui is away."""
        messages = [fault.message for fault in faults]
        try:
            await self._client.call(neighbours.PUSH_ERRORS, LABEL, messages, timeout_s=self._timeout_s)
        except RetryableError as error:
            raise FaultsNotShown(str(error)) from error
