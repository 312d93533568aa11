"""Whether the api-gateway is Zero-OS 3's, or Zero-OS 4's, which has the same name and no power management.

Zero-OS 4 has no tfchain. There ``GetPowerTarget`` takes no argument and returns Up, ``SetNodePowerState`` does
nothing, and ``UpdateNodeUptimeV2`` returns no hash. So the first call asks for the power of a node: a Go server
refuses an argument that the method does not take.
"""

from __future__ import annotations

import logging

from app.adapters.zbus import neighbours
from app.adapters.zbus.client import BrokenAnswer, CallFailed, CallRefused, ZbusClient

REFUSAL = "invalid number of arguments expecting 0 got 1"
NO_POWER = "this is Zero-OS 4, which has no power management: uptime is reported, and nothing else is done"
ANY_NODE = 0

log = logging.getLogger(__name__)


class Dialect:
    """The gateway's version. It is asked once, and again after a refusal, since the gateway may have been updated."""

    def __init__(self, client: ZbusClient, *, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._has_power: bool | None = None

    @property
    def lacks_power(self) -> str:
        """See `ChainReader`."""
        return NO_POWER if self._has_power is False else ""

    async def has_power(self, *, ask_again: bool) -> bool:
        """Whether it has power. Asks if that is unknown (``ask_again``: or if it had none). Raises `NoAnswer`.

        A gateway that refuses with another reason counts as Zero-OS 3's, and is asked again the next time.
        """
        if self._has_power is None or (ask_again and not self._has_power):
            try:
                await self._client.call(neighbours.GET_POWER_TARGET, ANY_NODE, timeout_s=self._timeout_s)
            except CallRefused as error:
                self.refused(error)
            except (CallFailed, BrokenAnswer):
                self._has_power = True
            else:
                self._has_power = True
        return self._has_power is not False

    def refused(self, error: CallRefused) -> None:
        """Note a refused call. Zero-OS 4's gateway refuses a node id; after another refusal the version is unknown."""
        if error.method is neighbours.GET_POWER_TARGET and REFUSAL in str(error):
            if self._has_power is not False:
                log.warning("%s", NO_POWER)
            self._has_power = False
        else:
            self._has_power = None
