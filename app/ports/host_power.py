"""The host's init system."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class HostPower(Protocol):
    """Orders to the init system. Each raises `HostPowerFailed` when the order was not accepted in time."""

    async def check(self) -> None:
        """Raise `HostPowerFailed` with the reason when powerd cannot power this host off at all."""
        ...

    async def power_off(self) -> None:
        """Order a power-off. Returns when the order is accepted; the machine still runs then."""
        ...

    async def force_power_off(self) -> None:
        """Power off without waiting for services to stop, after an order that had no effect."""
        ...

    async def reboot(self) -> None:
        """Order a reboot. Returns when the order is accepted."""
        ...

    async def force_reboot(self) -> None:
        """Reboot without waiting for services to stop, after an order that had no effect."""
        ...

    async def stopping(self) -> bool:
        """Whether the system is shutting down now (systemd: ``stopping``)."""
        ...
